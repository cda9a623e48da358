"""Writing a whole analysis: figures, texts, report and metrics.json into one folder."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from hardpairs.analysis.evaluation import Evaluation, evaluate
from hardpairs.analysis.subject import Subject, load_subject, metrics_dict
from hardpairs.analysis.verdicts import mistakes_csv
from hardpairs.files import write_text
from hardpairs.report import evidence_figures, figures
from hardpairs.report.answers import render_answers
from hardpairs.report.page import render_report


def write_analysis(subject: Subject, evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write every figure that can be drawn, the texts, report.html and, last, metrics.json.

    Returns:
        The files written.

    Raises:
        InputError: The folder can't be written.
    """
    written = []
    for name, figure in _draw(subject, evaluation).items():
        if figure is not None:
            figures.save_figure(figure, folder / name)
            written.append(folder / name)
    pictures = {path.stem.removeprefix("fashion_"): path.name for path in written}
    metrics = metrics_dict(evaluation, subject)
    texts = {
        "mistakes.csv": mistakes_csv(subject.predictions, subject.verdicts),
        "fashion.md": render_answers(
            evaluation, subject.predictions, subject.human_votes, pictures, metrics
        ),
        "report.html": render_report(
            metrics,
            subject.predictions,
            images=subject.images,
            human_votes=subject.human_votes,
            history=subject.history,
            kept_epoch=subject.kept_epoch,
            kernels=subject.kernels,
            verdicts=subject.verdicts,
        ),
        "metrics.json": json.dumps(metrics, indent=2) + "\n",
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [*written, *(folder / name for name in texts)]


def _draw(subject: Subject, evaluation: Evaluation) -> dict[str, Figure | None]:
    predictions, images = subject.predictions, subject.images
    drawings = {
        "fashion_cm.png": figures.draw_confusion(evaluation),
        "fashion_calibration.png": evidence_figures.draw_calibration(
            predictions, subject.calibration
        ),
    }
    if images is not None:
        drawings["fashion_pairs.png"] = figures.draw_pairs(evaluation, predictions, images)
        drawings["fashion_hardest.png"] = figures.draw_hardest(evaluation, predictions, images)
        drawings["fashion_verdicts.png"] = evidence_figures.draw_verdicts(
            evaluation, predictions, images, subject.verdicts
        )
    if subject.kernels is not None:
        drawings["fashion_filters.png"] = figures.draw_filters(subject.kernels)
    if subject.history is not None:
        drawings["fashion_history.png"] = figures.draw_history(subject.history, subject.kept_epoch)
    return drawings


def analyse(path: Path, *, data: str | None = None, folder: Path | None = None) -> Evaluation:
    """Load, evaluate and, where a folder is given, write the analysis; see `load_subject`."""
    subject = load_subject(path, data)
    evaluation = evaluate(subject.predictions)
    if folder is not None:
        write_analysis(subject, evaluation, folder)
    return evaluation
