"""Writing a whole analysis: figures, texts, report and metrics.json into one folder."""

import contextlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from hardpairs.analysis.corrected import correct_subject
from hardpairs.analysis.layout import require_map
from hardpairs.analysis.sources import load_subject
from hardpairs.analysis.subject import Subject
from hardpairs.analysis.verdicts import mistakes_csv
from hardpairs.data.about import other_file_names
from hardpairs.data.corrections import read_corrections
from hardpairs.errors import InputError
from hardpairs.files import whole_files, write_text
from hardpairs.predictions.found import Hints
from hardpairs.report import figures, mistake_figures
from hardpairs.report.answers import render_answers
from hardpairs.report.calibration_figure import draw_calibration
from hardpairs.report.canvas import save_figure
from hardpairs.report.page.gallery import gallery_data
from hardpairs.report.page.render import render_report

DRAWINGS: dict[str, Callable[[Subject], Figure | None]] = {
    "confusion.png": figures.draw_confusion,
    "calibration.png": draw_calibration,
    "pairs.png": mistake_figures.draw_pairs,
    "hardest.png": mistake_figures.draw_hardest,
    "verdicts.png": mistake_figures.draw_verdicts,
    "filters.png": figures.draw_filters,
    "history.png": figures.draw_history,
}


def analyse(
    path: str | Path,
    *,
    data: str | None = None,
    votes: str | Path | None = None,
    others: Sequence[str | Path] = (),
    folder: str | Path | None = None,
    labels: str | Path | None = None,
    hints: Hints | None = None,
    corrections: str | Path | None = None,
    link: str = "",
    neighbour_map: bool = False,
) -> Subject:
    """Load what can be analysed and, where a folder is given, write the analysis into it.

    Args:
        path, data, votes, others, labels, hints: See `hardpairs.analysis.sources.load_subject`.
        corrections: A file as the page hands it on, see `hardpairs.data.corrections`; the labels
            are corrected before anything is computed, and the notes say what changed.
        link, neighbour_map: See `Subject`.
        folder: Where to write, made where it doesn't exist; None to write nothing.

    Raises:
        InputError: Something given is bad, or the folder can't be written.
    """
    if neighbour_map:
        require_map()
    subject = load_subject(path, data, votes=votes, others=others, labels=labels, hints=hints)
    if corrections is not None:
        read = read_corrections(corrections, subject.predictions.class_names)
        subject = correct_subject(subject, read)
    if neighbour_map and subject.hidden is None:
        raise InputError(
            f"{path}: there is no hidden layer to make a map of; train again with hardpairs run, "
            "or give predictions with embeddings."
        )
    subject = replace(subject, link=link, neighbour_map=neighbour_map)
    if folder is not None:
        write_analysis(subject, folder)
    return subject


def write_analysis(subject: Subject, folder: str | Path) -> list[Path]:
    """Write every figure that can be drawn, the texts, report.html and, last, metrics.json.

    What an earlier analysis left there and this one doesn't have is taken away: its pictures
    would be another classifier's.

    Returns:
        The files written.

    Raises:
        InputError: The folder can't be made or written, or is being written by another process.
    """
    folder, pictures = Path(folder), {}
    metrics = json.dumps(subject.metrics, indent=2, allow_nan=False) + "\n"
    with whole_files(folder) as partial, ThreadPoolExecutor(1) as beside:
        # Unpacking and packing the page's pictures takes about as long as drawing the figures.
        gathered = beside.submit(gallery_data, subject)
        for name, draw in DRAWINGS.items():
            figure = draw(subject)
            if figure is not None:
                pictures[name] = _own_name(subject, name)
                save_figure(figure, partial / pictures[name])
        texts = {
            "mistakes.csv": mistakes_csv(subject.predictions, subject.verdicts),
            _own_name(subject, "answers.md"): render_answers(subject, pictures),
            "report.html": render_report(subject, gathered.result()),
            "metrics.json": metrics,
        }
        for name, text in texts.items():
            write_text(partial / name, text)
    written = [folder / name for name in (*pictures.values(), *texts)]
    _remove_earlier(folder, written)
    return written


def _own_name(subject: Subject, name: str) -> str:
    """What a file is called for this data."""
    return subject.about.file_name(name) if subject.about is not None else name


def _remove_earlier(folder: Path, written: Sequence[Path]) -> None:
    for name in ("answers.md", *DRAWINGS):
        for called in (name, *other_file_names(name)):
            if folder / called not in written:
                with contextlib.suppress(OSError):
                    (folder / called).unlink(missing_ok=True)
