"""Gathering a subject from files: a run's folder or a predictions file, and what lies beside it."""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from hardpairs.analysis.joining import Joined, join
from hardpairs.analysis.neighbours import load_neighbours
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import find_about, load_class_votes
from hardpairs.data.datasets import (
    BUNDLED,
    dataset_name,
    load_split,
    open_source,
)
from hardpairs.data.folders import together
from hardpairs.data.memory import white_on_black
from hardpairs.data.source import Source, check_parts, parts_named
from hardpairs.data.split import Images, Split, SplitName
from hardpairs.data.training_size import UNREAD
from hardpairs.data.votes import load_votes
from hardpairs.errors import InputError
from hardpairs.npz import read_npy
from hardpairs.predictions.found import Hints, Truth
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
    return replace(
        subject,
        kept_epoch=kept_epoch if isinstance(kept_epoch, int) and kept_epoch > 0 else 0,
        other_runs=tuple(load(other) for other in others),
        votes=_read_votes(Path(votes), predictions, joined) if votes else None,
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


def joined_subject(joined: Joined, source: str) -> Subject:
    """What is known of predictions whose images were found in their data, a name or a path."""
    missing = joined.missing_note()
    return Subject(
        joined.predictions,
        images=joined.images,
        inverted=joined.inverted,
        about=find_about(joined.fingerprint),
        dataset=dataset_name(source),
        class_votes=_class_votes(joined),
        notes=(*joined.notes, *([missing] if missing else [])),
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


def data_truth(source: str) -> Truth:
    """The true labels of a dataset's test images, for predictions that have none.

    Raises:
        InputError: The data can't be read.
    """
    opened = open_source(source)
    split = opened.read()
    others = None if opened.is_whole else partial(_truth_of_parts, opened, source)
    if not split.has_labels:
        raise InputError(
            f"{source}: its images have no labels, and neither have the predictions; give labels "
            "with --labels, or put the images into a folder for each class."
        )
    return Truth(source, split.labels, split.ids, opened.class_names, others)


def _truth_of_parts(opened: Source, source: str, named: Collection[str]) -> Truth:
    split = _named_parts(opened, named, source)
    return Truth(source, split.labels, split.ids, opened.class_names)


def _named_parts(opened: Source, named: Collection[str], source: str) -> Split:
    """The parts that ids name; several together where they are of picture files."""
    test_part = opened.parts["test"]
    there = {*opened.parts} - ({"test"} if test_part is opened.parts.get("validation") else set())
    check_parts(source, named, there)
    splits = [opened.parts[part]() for part in sorted(named)]
    return splits[0] if len(splits) == 1 else together(splits) or test_part()


def join_images(predictions: Predictions, source: str) -> Joined:
    """Look up the predicted images in their data; see `hardpairs.analysis.joining.join`.

    Raises:
        InputError: The data can't be read, or isn't what was predicted.
    """
    opened = open_source(source)
    # Foreign predictions of data that is one whole are of all of it; ours are of the part that
    # was held out, and say so by its fingerprint.
    is_of_all = opened.is_whole and not predictions.fingerprint
    named: Collection[str] = ()
    if not opened.is_whole and not predictions.fingerprint:
        named = parts_named(predictions.ids, opened.class_names)
    if named:
        split = _named_parts(opened, named, source)
        if not predictions.split and named == {"train"}:
            predictions = replace(predictions, split="train")
    else:
        split = opened.read(None if is_of_all else _split(predictions))
    if opened.is_whole and predictions.fingerprint not in ("", split.fingerprint):
        whole = opened.read(None)  # The part that was predicted may lie there alone.
        split = whole if whole.fingerprint == predictions.fingerprint else split
    joined = join(predictions, split, opened.class_names, source)
    return replace(joined, notes=(*opened.notes, *split.notes, *joined.notes))


class TrainImages:
    """A dataset's training images, read when first asked for.

    Attributes:
        fault: Why they couldn't be read when they were asked for, a sentence; else "".
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self.fault = ""

    @cached_property
    def _images(self) -> Images:
        return load_split(self._source, "train").images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, rows: Any) -> Any:
        try:
            if np.max(rows, initial=-1) >= len(self):
                raise InputError(
                    f"{self._source}: has {len(self):,} training images, fewer than were trained "
                    "on; give the data that was used, with --data."
                )
            return self._images[rows]
        except InputError as error:
            self.fault = f"Pictures of the nearest training images are left out: {error}"
            raise


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


def _class_votes(joined: Joined) -> np.ndarray | None:
    """People's shares in the predictions' order of classes; None where those aren't the data's."""
    class_votes = load_class_votes(joined.fingerprint)
    if class_votes is None or not joined.covers(len(class_votes)):
        return None
    return class_votes[np.ix_(joined.classes, joined.classes)]


def _read_votes(path: Path, predictions: Predictions, joined: Joined | None) -> np.ndarray:
    """Votes in the predictions' order of images and classes; the file has the data's."""
    if _split(predictions) == "train":
        raise InputError(f"{path}: votes are for test images, and these predictions are of train.")
    classes = len(predictions.class_names)
    if joined is None:
        if predictions.ids.dtype.kind == "U":
            raise InputError(
                f"{path}: votes stand in the order of the data, and the predictions' ids are "
                "texts; say with --data which images they are."
            )
        return load_votes(path, predictions.labels, predictions.ids, classes)
    if not joined.covers(classes):
        raise InputError(f"{path}: votes need predictions with the data's classes, all of them.")
    if (joined.rows < 0).any():
        raise InputError(f"{path}: votes need all predicted images. {joined.missing_note()}")
    votes = load_votes(path, joined.classes[predictions.labels], joined.rows, classes)
    return votes[:, joined.classes]


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


def _split(predictions: Predictions) -> SplitName:
    return "train" if predictions.split == "train" else "test"
