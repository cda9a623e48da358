"""The whole analysis of one predictions file: metrics.json, figures, answer sheet, report."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs import figures
from hardpairs.answers import render_answers
from hardpairs.calibration import reliability
from hardpairs.datasets import BUNDLED, load_human_votes, load_split
from hardpairs.errors import InputError
from hardpairs.evaluation import Evaluation, evaluate
from hardpairs.files import write_text
from hardpairs.predictions import Predictions, load_predictions
from hardpairs.report import render_report


@dataclass(frozen=True)
class Subject:
    """What an analysis is made from; only the predictions are always there.

    Attributes:
        predictions: Of the N images.
        images: uint8 (N, 28, 28) in the predictions' order, or None.
        human_votes: float64 (K, K), see `load_human_votes`, or None.
        history: See `figures.draw_history`, or None.
        kept_epoch: The epoch, counted from 1, whose weights were kept; 0 where unknown.
        kernels: See `figures.draw_filters`, or None.
    """

    predictions: Predictions
    images: np.ndarray | None = None
    human_votes: np.ndarray | None = None
    history: dict[str, list[float]] | None = None
    kept_epoch: int = 0
    kernels: np.ndarray | None = None


def load_subject(path: Path, data: str | None = None) -> Subject:
    """Gather what can be analysed.

    Args:
        path: A run folder, or a predictions file (.npz or .csv).
        data: Where the images are, a bundled name or a folder; by default what the predictions
            say of themselves, and no images where that isn't there.

    Raises:
        InputError: The predictions are missing or bad, or the images are others than those that
            were predicted.
    """
    is_run = path.is_dir()
    predictions = load_predictions(path / "predictions.npz" if is_run else path)
    source = data or predictions.metadata.get("data")
    if data is None and source not in BUNDLED and not Path(source or "").is_dir():
        source = None
    history = _read_history(path / "history.csv") if is_run else None
    kernels = None
    if is_run and (path / "filters.npy").exists():
        kernels = np.load(path / "filters.npy", allow_pickle=False)
    return Subject(
        predictions=predictions,
        images=join_images(predictions, source) if source else None,
        human_votes=load_human_votes(source) if source and _split(predictions) == "test" else None,
        history=history,
        kept_epoch=predictions.metadata.get("kept_epoch", 0),
        kernels=kernels,
    )


def join_images(predictions: Predictions, source: str) -> np.ndarray:
    """Return the predicted images, uint8 (N, 28, 28), looked up by id.

    Raises:
        InputError: The data can't be read, or isn't what was predicted.
    """
    split = load_split(source, "train" if _split(predictions) == "train" else "test")
    if predictions.fingerprint and predictions.fingerprint != split.fingerprint:
        raise InputError(
            f"{source}: its {_split(predictions)} images aren't those that were predicted "
            "(fingerprints differ); give the folder that was used, with --data."
        )
    if predictions.ids.max() >= len(split) or not np.array_equal(
        split.labels[predictions.ids], predictions.labels
    ):
        raise InputError(
            f"{source}: its {_split(predictions)} labels aren't those of the predictions; "
            "give the data that was predicted, or add ids."
        )
    return split.images[predictions.ids]


def write_analysis(subject: Subject, evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write every figure that can be drawn, fashion.md, report.html and, last, metrics.json.

    Returns:
        The files written.

    Raises:
        InputError: The folder can't be written.
    """
    drawings = {"fashion_cm.png": figures.draw_confusion(evaluation)}
    if subject.images is not None:
        drawings["fashion_pairs.png"] = figures.draw_pairs(
            evaluation, subject.predictions, subject.images
        )
        drawings["fashion_hardest.png"] = figures.draw_hardest(
            evaluation, subject.predictions, subject.images
        )
    if subject.kernels is not None:
        drawings["fashion_filters.png"] = figures.draw_filters(subject.kernels)
    if subject.history is not None:
        drawings["fashion_history.png"] = figures.draw_history(subject.history, subject.kept_epoch)
    written = []
    for name, figure in drawings.items():
        if figure is not None:
            figures.save_figure(figure, folder / name)
            written.append(folder / name)
    pictures = {path.stem.removeprefix("fashion_"): path.name for path in written}
    answers = render_answers(evaluation, subject.predictions, subject.human_votes, pictures)
    write_text(folder / "fashion.md", answers)
    metrics = metrics_dict(evaluation, subject.predictions)
    report = render_report(
        metrics,
        subject.predictions,
        images=subject.images,
        human_votes=subject.human_votes,
        history=subject.history,
        kept_epoch=subject.kept_epoch,
        kernels=subject.kernels,
    )
    write_text(folder / "report.html", report)
    write_text(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    return [*written, *(folder / name for name in ("fashion.md", "report.html", "metrics.json"))]


def metrics_dict(evaluation: Evaluation, predictions: Predictions) -> dict[str, Any]:
    """Return what metrics.json holds: the evaluation, and what is known of its origin."""
    return {
        **evaluation.to_dict(),
        "split": predictions.split,
        "fingerprint": predictions.fingerprint,
        "training": predictions.metadata,
        "reliability": _reliability(predictions),
    }


def analyse(path: Path, *, data: str | None = None, folder: Path | None = None) -> Evaluation:
    """Load, evaluate and, where a folder is given, write the analysis; see `load_subject`."""
    subject = load_subject(path, data)
    evaluation = evaluate(subject.predictions)
    if folder is not None:
        write_analysis(subject, evaluation, folder)
    return evaluation


def _split(predictions: Predictions) -> str:
    return predictions.split or "test"


def _reliability(predictions: Predictions) -> list[dict[str, float]]:
    """The bins that hold images, see `reliability`."""
    bins = reliability(predictions.labels, predictions.probabilities)
    return [
        {"images": int(images), "confidence": confidence, "accuracy": accuracy}
        for images, confidence, accuracy in bins.tolist()
        if images
    ]


def _read_history(path: Path) -> dict[str, list[float]] | None:
    if not path.exists():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        return {name: [float(row[name]) for row in rows] for name in rows[0]}
    except (IndexError, TypeError, ValueError) as error:
        raise InputError(f"{path}: isn't a history of numbers; remove it or train again.") from (
            error
        )
