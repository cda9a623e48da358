"""Gathering a subject from files: a run's folder or a predictions file, and what lies beside it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hardpairs.analysis.neighbours import Neighbours, load_neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import find_about
from hardpairs.data.datasets import BUNDLED, dataset_name, load_human_votes, load_split
from hardpairs.data.split import Images
from hardpairs.data.votes import load_votes
from hardpairs.errors import InputError
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions


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
        about=find_about(predictions.fingerprint),
        dataset=dataset_name(source) if source else "",
        human_votes=load_human_votes(source) if source and _split(predictions) == "test" else None,
        history=history,
        kept_epoch=predictions.metadata.get("kept_epoch", 0),
        kernels=kernels,
        other_runs=tuple(_load_run(other) for other in others),
        votes=_read_votes(votes, predictions) if votes else None,
        neighbours=_read_neighbours(path / "neighbours.npz", predictions) if is_run else None,
        validation=_read_validation(path / "validation.npz", predictions) if is_run else None,
    )


def join_images(predictions: Predictions, source: str) -> Images:
    """Return the predicted images, looked up by id.

    Raises:
        InputError: The data can't be read, or isn't what was predicted.
    """
    split = load_split(source, "train" if _split(predictions) == "train" else "test")
    if predictions.fingerprint and predictions.fingerprint != split.fingerprint:
        raise InputError(
            f"{source}: its {_split(predictions)} images aren't those that were predicted "
            "(fingerprints differ); give the folder that was used, with --data."
        )
    if predictions.ids.dtype.kind == "U":
        raise InputError(f"{source}: its images have numbers, the predictions' ids are texts.")
    if predictions.ids.max() >= len(split) or not np.array_equal(
        split.labels[predictions.ids], predictions.labels
    ):
        raise InputError(
            f"{source}: its {_split(predictions)} labels aren't those of the predictions; "
            "give the data that was predicted, or add ids."
        )
    return split.take(predictions.ids).images


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
    images, classes = len(predictions), len(predictions.class_names)
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
