"""Gathering a subject from files: predictions, what lies beside them, images, votes."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hardpairs.analysis.images import TrainImages, data_truth, join_images, joined_subject
from hardpairs.analysis.joining import Joined
from hardpairs.analysis.neighbours import load_neighbours
from hardpairs.analysis.people import class_shares
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import find_about
from hardpairs.data.datasets import BUNDLED
from hardpairs.data.memory import white_on_black
from hardpairs.data.training_size import UNREAD
from hardpairs.data.votes import read_votes, votes_on
from hardpairs.errors import InputError
from hardpairs.npz import read_npy
from hardpairs.predictions.found import Hints
from hardpairs.predictions.load import load_predictions
from hardpairs.predictions.predictions import Predictions
from hardpairs.reading import read_numbers_csv

MOST_KERNEL_BYTES = 2**26
MOST_HIDDEN_BYTES = 2**12  # Of an image.
Read = TypeVar("Read")


def load_subject(
    path: str | Path,
    data: str | None = None,
    *,
    votes: str | Path | None = None,
    others: Sequence[str | Path] = (),
    labels: str | Path | None = None,
    hints: Hints | None = None,
    with_images: bool = True,
) -> Subject:
    """Gather what can be analysed.

    What lies beside a run's predictions and can't be read is left out, and so are images that the
    predictions name and that aren't theirs; the subject's notes say so.

    Args:
        path: A run folder, or a predictions file, see `load_predictions`.
        data: Where the images are, a bundled name or a folder; by default what the predictions
            say of themselves, and no images where that isn't there.
        votes: A file of human votes, see `hardpairs.data.votes.load_votes`.
        others: Run folders or predictions files of further runs.
        labels: A file of true labels or class folders, where the predictions have none or others;
            without it, predictions without labels get those of ``data``.
        hints: Names of columns, and whether scores are logits.
        with_images: Whether to look for the images.

    Raises:
        InputError: The predictions are missing or bad, or the images or votes that were asked for
            are others than those that were predicted.
    """
    path = Path(path)
    truth = partial(data_truth, data) if data else None
    load = partial(load_predictions, labels=labels, hints=hints, truth=truth)
    predictions = load(path)
    source = (data or _named_data(predictions)) if with_images else None
    joined, notes = _joined_if_there(predictions, source, is_asked_for=data is not None)
    if with_images and source is None and (named := _named(predictions)):
        notes.append(
            f"Images are left out: {named[:200]!r}, which the predictions name, isn't there; say "
            "where it is with --data."
        )
    predictions = joined.predictions if joined else predictions
    # A run has told already what was done to its data, the scaling for training included.
    told = _texts(predictions.metadata.get("data_notes"))
    if joined and source:
        subject = joined_subject(replace(joined, notes=tuple(told) or joined.notes), source)
    else:
        subject = _subject_alone(predictions, tuple(told))
    parts = _read_run_folder(path, predictions, notes) if os.path.isdir(path) else {}
    kept_epoch = predictions.metadata.get("kept_epoch")
    people = _read_votes(Path(votes), predictions, joined) if votes else None
    if people is not None and subject.class_votes is None:  # Nothing is known of other people's.
        shares = class_shares(predictions.labels, people)
        subject = replace(subject, class_votes=shares if shares.any(axis=1).all() else None)
    return replace(
        subject,
        kept_epoch=kept_epoch if isinstance(kept_epoch, int) and kept_epoch > 0 else 0,
        other_runs=tuple(load(other) for other in others),
        votes=people,
        train_images=(
            # Neighbours are numbered by what was trained on: all images, if all could be read.
            TrainImages(source)
            if joined and source and not any(note.startswith(UNREAD) for note in told)
            else None
        ),
        notes=(*notes, *subject.notes),
        **parts,
    )


def _subject_alone(predictions: Predictions, notes: tuple[str, ...]) -> Subject:
    images = predictions.images
    return Subject(
        predictions,
        inverted=images is not None and white_on_black(images),
        about=find_about(predictions.fingerprint),
        notes=notes,
    )


def _named_data(predictions: Predictions) -> str | None:
    """The data that predictions say they are of, where it is at hand: a name or a path."""
    named = _named(predictions)
    try:
        return named if named and (named in BUNDLED or Path(named).exists()) else None
    except (OSError, ValueError):  # Foreign text that is no path, or too long for one.
        return None


def _named(predictions: Predictions) -> str:
    named = predictions.metadata.get("data")
    return named if isinstance(named, str) else ""


def _joined_if_there(
    predictions: Predictions, source: str | None, *, is_asked_for: bool
) -> tuple[Joined | None, list[str]]:
    """The images; or none and why. Those that were asked for have to be the predictions'."""
    if source is None:
        return None, []
    try:
        return join_images(predictions, source), []
    except InputError as error:
        if is_asked_for:
            raise
        return None, [f"Images are left out: {error}"]


def _texts(value: Any) -> list[str]:
    """Foreign metadata that should be a list of sentences; empty where it isn't."""
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return [each[:300] for each in value[:20]] if is_list else []


def _read_run_folder(path: Path, predictions: Predictions, notes: list[str]) -> dict[str, Any]:
    """What lies beside a run's predictions, as far as it can be read."""

    def read(name: str, reader: Callable[[Path], Read]) -> Read | None:
        if not (path / name).exists():
            return None
        try:
            return reader(path / name)
        except InputError as error:
            notes.append(f"Left out: {error}")
            return None

    images, classes = len(predictions), len(predictions.class_names)
    return {
        "history": read("history.csv", _read_history),
        "kernels": read("filters.npy", _read_kernels),
        "hidden": read("hidden.npy", lambda file: _read_hidden(file, images)),
        "neighbours": read("neighbours.npz", lambda file: load_neighbours(file, images, classes)),
        "validation": read("validation.npz", lambda file: _read_validation(file, predictions)),
    }


def _read_votes(path: Path, predictions: Predictions, joined: Joined | None) -> np.ndarray:
    """Votes in the predictions' order of images and classes; what has no names has the data's."""
    if predictions.split == "train":
        raise InputError(f"{path}: votes are for test images, and these predictions are of train.")
    table, names, rows = read_votes(path), predictions.class_names, predictions.ids
    if not table.ids and joined is None and rows.dtype.kind == "U":
        raise InputError(
            f"{path}: votes stand in the order of the data, and the predictions' ids are texts; "
            "say with --data which images they are, or name them in a column id."
        )
    if not table.ids and joined is not None:
        rows = joined.rows
        if (rows < 0).any():
            raise InputError(f"{path}: votes need all predicted images. {joined.missing_note()}")
    if table.columns or joined is None:
        return votes_on(table, predictions.labels, rows, names)
    if not joined.covers(len(names)):
        raise InputError(f"{path}: votes need predictions with the data's classes, all of them.")
    return votes_on(table, joined.classes[predictions.labels], rows, names)[:, joined.classes]


def _read_kernels(path: Path) -> np.ndarray:
    kernels = read_npy(path, most_bytes=MOST_KERNEL_BYTES, what="a file of filters; train again")
    if (
        kernels.ndim != 4
        or kernels.dtype.kind != "f"
        or 0 in kernels.shape
        or not np.isfinite(kernels).all()
    ):
        raise InputError(
            f"{path}: holds {kernels.dtype} of shape {kernels.shape}, expected the filters of a "
            "first layer, finite floats (height, width, channels, filters)."
        )
    return kernels.astype(np.float32)


def _read_hidden(path: Path, images: int) -> np.ndarray:
    most = 2**10 + images * MOST_HIDDEN_BYTES
    hidden = read_npy(path, most_bytes=most, what="a file of a hidden layer; train again")
    if hidden.ndim != 2 or len(hidden) != images or hidden.dtype.kind != "f":
        raise InputError(
            f"{path}: holds {hidden.dtype} of shape {hidden.shape}, expected floats, a row for "
            f"each of {images:,} images; remove it or train again."
        )
    if not np.isfinite(hidden).all():
        raise InputError(f"{path}: holds values that aren't finite; remove it or train again.")
    return hidden.astype(np.float32)


def _read_history(path: Path) -> dict[str, list[float]]:
    history = read_numbers_csv(path)
    if not history.get("loss") or not history.get("accuracy"):
        raise InputError(f"{path}: needs columns 'loss' and 'accuracy' and a line for each epoch.")
    return history


def _read_validation(path: Path, predictions: Predictions) -> Predictions:
    validation = load_predictions(path)
    if validation.class_names != predictions.class_names:
        raise InputError(f"{path}: has other classes than predictions.npz.")
    if np.array_equal(validation.ids, predictions.ids) and validation.split == predictions.split:
        raise InputError(f"{path}: is of the images that are reported on, not of others.")
    return validation
