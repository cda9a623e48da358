"""Subject: predictions and whatever else is known of the images, handed on whole."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.analysis.calibration import Calibration, calibrate, reliability
from hardpairs.analysis.evaluation import Evaluation
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.neighbours import Neighbours, load_neighbours
from hardpairs.analysis.people import compare_with_people
from hardpairs.analysis.verdicts import Verdict, judge_mistakes, verdicts_dict
from hardpairs.data.datasets import BUNDLED, load_human_votes, load_split
from hardpairs.data.votes import load_votes
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions, load_predictions


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
        other_runs: Further runs' predictions of the same images, as evidence.
        votes: int64 (N, K), how many people chose each class, see `load_votes`, or None.
        neighbours: Nearest training images of each image, or None.
        validation: Predictions of the images held out from training, or None.
    """

    predictions: Predictions
    images: np.ndarray | None = None
    human_votes: np.ndarray | None = None
    history: dict[str, list[float]] | None = None
    kept_epoch: int = 0
    kernels: np.ndarray | None = None
    other_runs: tuple[Predictions, ...] = ()
    votes: np.ndarray | None = None
    neighbours: Neighbours | None = None
    validation: Predictions | None = None

    @cached_property
    def evidence(self) -> Evidence:
        """Of every image, from all sources at hand."""
        return gather_evidence(
            (self.predictions, *self.other_runs), votes=self.votes, neighbours=self.neighbours
        )

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of every mistake."""
        return judge_mistakes(self.predictions, self.evidence)

    @cached_property
    def calibration(self) -> Calibration:
        """Of the predictions, with a temperature where there is validation."""
        return calibrate(self.predictions, self.validation)


def load_subject(
    path: Path,
    data: str | None = None,
    *,
    votes: Path | None = None,
    others: Sequence[Path] = (),
) -> Subject:
    """Gather what can be analysed.

    Args:
        path: A run folder, or a predictions file (.npz or .csv).
        data: Where the images are, a bundled name or a folder; by default what the predictions
            say of themselves, and no images where that isn't there.
        votes: A file of human votes, see `hardpairs.data.votes.load_votes`.
        others: Run folders or predictions files of further runs.

    Raises:
        InputError: The predictions are missing or bad, or the images or votes are others than
            those that were predicted.
    """
    is_run = path.is_dir()
    predictions = _load_run(path)
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
        other_runs=tuple(_load_run(other) for other in others),
        votes=_read_votes(votes, predictions) if votes else None,
        neighbours=_read_neighbours(path / "neighbours.npz", predictions) if is_run else None,
        validation=_read_validation(path / "validation.npz", predictions) if is_run else None,
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


def metrics_dict(evaluation: Evaluation, subject: Subject) -> dict[str, Any]:
    """Return what metrics.json holds: the evaluation, the verdicts, and what is known of it."""
    predictions = subject.predictions
    return {
        **evaluation.to_dict(),
        "calibration": subject.calibration.to_dict(),
        "verdicts": verdicts_dict(
            predictions, subject.evidence, subject.verdicts, 1 + len(subject.other_runs)
        ),
        "people": (
            None
            if subject.votes is None
            else compare_with_people(predictions, subject.votes).to_dict()
        ),
        "split": predictions.split,
        "fingerprint": predictions.fingerprint,
        "training": predictions.metadata,
        "reliability": _reliability(predictions),
    }


def _load_run(path: Path) -> Predictions:
    return load_predictions(path / "predictions.npz" if path.is_dir() else path)


def _read_votes(path: Path, predictions: Predictions) -> np.ndarray:
    if _split(predictions) == "train":
        raise InputError(f"{path}: votes are for test images, and these predictions are of train.")
    classes = len(predictions.class_names)
    return load_votes(path, predictions.labels, predictions.ids, classes)


def _read_neighbours(path: Path, predictions: Predictions) -> Neighbours | None:
    if not path.exists():
        return None
    images, classes = predictions.probabilities.shape
    return load_neighbours(path, images, classes)


def _read_validation(path: Path, predictions: Predictions) -> Predictions | None:
    if not path.exists():
        return None
    validation = load_predictions(path)
    if validation.class_names != predictions.class_names:
        raise InputError(
            f"{path}: has other classes than predictions.npz; remove it or train again."
        )
    return validation


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
