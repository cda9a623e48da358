"""What a dataset knows of predictions: images, labels, what people said of its classes."""

from collections.abc import Collection
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from hardpairs.analysis.joining import Joined, join
from hardpairs.analysis.subject import Subject
from hardpairs.data.about import find_about, load_class_votes
from hardpairs.data.datasets import dataset_name, load_split, open_source
from hardpairs.data.folders import together
from hardpairs.data.source import Source, check_parts, parts_named
from hardpairs.data.split import Images, Split, SplitName
from hardpairs.errors import InputError
from hardpairs.predictions.found import Truth
from hardpairs.predictions.predictions import Predictions


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


def _named_parts(opened: Source, named: Collection[str], source: str) -> Split:
    """The parts that ids name; several together where they are of picture files."""
    test_part = opened.parts["test"]
    there = {*opened.parts} - ({"test"} if test_part is opened.parts.get("validation") else set())
    check_parts(source, named, there)
    splits = [opened.parts[part]() for part in sorted(named)]
    return splits[0] if len(splits) == 1 else together(splits) or test_part()


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


def _class_votes(joined: Joined) -> np.ndarray | None:
    """People's shares in the predictions' order of classes; None where those aren't the data's."""
    class_votes = load_class_votes(joined.fingerprint)
    if class_votes is None or not joined.covers(len(class_votes)):
        return None
    return class_votes[np.ix_(joined.classes, joined.classes)]


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


def _split(predictions: Predictions) -> SplitName:
    return "train" if predictions.split == "train" else "test"
