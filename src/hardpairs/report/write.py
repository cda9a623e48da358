"""Writing a whole analysis: figures, texts, report and metrics.json into one folder."""

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import mistakes_csv
from hardpairs.files import write_text
from hardpairs.report import evidence_figures, figures
from hardpairs.report.answers import render_answers
from hardpairs.report.page import render_report


def analyse(
    path: Path,
    *,
    data: str | None = None,
    votes: Path | None = None,
    others: Sequence[Path] = (),
    folder: Path | None = None,
) -> Subject:
    """Load what can be analysed and, where a folder is given, write the analysis into it.

    Args:
        path, data, votes, others: See `hardpairs.analysis.sources.load_subject`.
        folder: An existing folder, or None to write nothing.

    Raises:
        InputError: Something given is bad, or the folder can't be written.
    """
    subject = load_subject(path, data, votes=votes, others=others)
    if folder is not None:
        write_analysis(subject, folder)
    return subject


def write_analysis(subject: Subject, folder: Path) -> list[Path]:
    """Write every figure that can be drawn, the texts, report.html and, last, metrics.json.

    Returns:
        The files written.

    Raises:
        InputError: The folder can't be written.
    """
    written = []
    for name, figure in _draw(subject).items():
        if figure is not None:
            figures.save_figure(figure, folder / name)
            written.append(folder / name)
    pictures = {path.stem.removeprefix("fashion_"): path.name for path in written}
    texts = {
        "mistakes.csv": mistakes_csv(subject.predictions, subject.verdicts),
        "fashion.md": render_answers(subject, pictures),
        "report.html": render_report(subject),
        "metrics.json": json.dumps(subject.metrics, indent=2) + "\n",
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [*written, *(folder / name for name in texts)]


def _draw(subject: Subject) -> dict[str, Figure | None]:
    return {
        "fashion_cm.png": figures.draw_confusion(subject),
        "fashion_calibration.png": evidence_figures.draw_calibration(subject),
        "fashion_pairs.png": figures.draw_pairs(subject),
        "fashion_hardest.png": figures.draw_hardest(subject),
        "fashion_verdicts.png": evidence_figures.draw_verdicts(subject),
        "fashion_filters.png": figures.draw_filters(subject),
        "fashion_history.png": figures.draw_history(subject),
    }
