"""Corrections: what a reader of the report said of single labels, applied to labels.

The file is corrections.csv as the report's page hands it on: split, id, label, mark, correction.
A mark is "label wrong", with the class it should be, "leave out", "ambiguous" or "model error"; the
last two change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardpairs.data.split import Dataset, Split, SplitName
from hardpairs.errors import InputError
from hardpairs.foreign import one_line, without_apostrophe
from hardpairs.reading import read_csv

WRONG, LEAVE_OUT = "label wrong", "leave out"
MARKS = (WRONG, LEAVE_OUT, "ambiguous", "model error")
COLUMNS = ("split", "id", "label", "mark", "correction")


@dataclass(frozen=True)
class Correction:
    """One image's line.

    Attributes:
        label: The class it is labelled, an index.
        mark: One of `MARKS`.
        correction: The class it should be, an index; None but for a wrong label.
    """

    label: int
    mark: str
    correction: int | None = None


@dataclass(frozen=True)
class Corrections:
    """What one file says.

    Attributes:
        source: The file, for messages.
        by_split: For each split, "" where the file names none, corrections by image id.
    """

    source: str
    by_split: dict[str, dict[str, Correction]]

    def of(self, split: str) -> dict[str, Correction]:
        """Those of one split and those that name none."""
        return {**self.by_split.get("", {}), **self.by_split.get(split, {})}


def read_corrections(path: str | Path, class_names: Sequence[str]) -> Corrections:
    """Read corrections.csv.

    Raises:
        InputError: Missing, without its columns, with a mark or class there isn't, or of one
            image two things.
    """
    rows = read_csv(path)
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise InputError(
            f"{path}: has no columns {', '.join(COLUMNS)}; give corrections.csv as the report's "
            "page downloads it."
        )
    index_of = {name: index for index, name in enumerate(class_names)}
    by_split: dict[str, dict[str, Correction]] = {}
    for line, row in enumerate(rows, start=2):
        cells = {name: without_apostrophe(row[name]) for name in COLUMNS}
        if cells["mark"] not in MARKS:
            raise InputError(
                f"{path}: line {line} has the mark {one_line(cells['mark'])!r}; "
                f"it is one of {', '.join(MARKS)}."
            )
        classes = [cells["label"], *([cells["correction"]] if cells["mark"] == WRONG else [])]
        for name in classes:
            if name not in index_of:
                raise InputError(
                    f"{path}: line {line} has the class {one_line(name)!r}, which the data don't "
                    "have; give the corrections of this data."
                )
        label, *correction = (index_of[name] for name in classes)
        said = Correction(label, cells["mark"], *correction)
        if by_split.setdefault(cells["split"], {}).setdefault(cells["id"], said) != said:
            raise InputError(
                f"{path}: line {line} says of image {one_line(cells['id'])} something else than a "
                "line before it; leave one of them."
            )
    return Corrections(str(path), by_split)


def corrected_labels(
    labels: np.ndarray, ids: np.ndarray, corrections: Corrections, split: str
) -> tuple[np.ndarray, np.ndarray]:
    """Apply corrections to labels.

    Args:
        labels: int64 (N,), class indices.
        ids: int64 or str (N,), the images' ids.
        corrections: Of any splits.
        split: Which these labels are of.

    Returns:
        The labels, int64 (N,), and bool (N,), which images stay.

    Raises:
        InputError: An image is labelled otherwise than the file says.
    """
    new, stays = labels.copy(), np.ones(len(labels), bool)
    wanted = corrections.of(split)
    if not wanted:
        return new, stays
    for row, identity in enumerate(ids.tolist()):
        found = wanted.get(str(identity))
        if found is None:
            continue
        # Corrected already, by an earlier run of the same corrections, is fine.
        if labels[row] not in (found.label, found.correction):
            raise InputError(
                f"{corrections.source}: says of image {one_line(identity)} another label than the "
                "data; give the corrections of this data."
            )
        if found.correction is not None:
            new[row] = found.correction
        stays[row] = found.mark != LEAVE_OUT
    return new, stays


def apply_corrections(dataset: Dataset, corrections: Corrections) -> Dataset:
    """Correct the labels of both splits and leave images out; the notes say what changed.

    Raises:
        InputError: An image is labelled otherwise than the file says, or none would be left.
    """
    train, of_train, _ = _corrected_split(dataset.train, corrections, "train")
    test, of_test, _ = _corrected_split(dataset.test, corrections, "test")
    changed = of_train + of_test
    left_out = len(dataset.train) + len(dataset.test) - len(train) - len(test)
    notes = (*dataset.notes, told(corrections, changed, left_out, _unknown(dataset, corrections)))
    return replace(dataset, train=train, test=test, notes=notes)


def correct_training(
    dataset: Dataset, corrections: Corrections
) -> tuple[Dataset, np.ndarray | None]:
    """Correct the training split alone; the notes say what changed.

    Returns:
        The dataset, and int64, where each training image that stays stood before; None where all
        stay.

    Raises:
        InputError: As `apply_corrections`.
    """
    train, changed, kept = _corrected_split(dataset.train, corrections, "train")
    left_out = len(dataset.train) - len(train)
    note = told(corrections, changed, left_out, _unknown(dataset, corrections), "training ")
    corrected = replace(dataset, train=train, notes=(*dataset.notes, note))
    return corrected, kept if left_out else None


def _corrected_split(
    split: Split, corrections: Corrections, name: SplitName
) -> tuple[Split, int, np.ndarray]:
    """The split, how many labels changed, and which rows are left, int64."""
    labels, stays = corrected_labels(split.labels, split.ids, corrections, name)
    if not stays.any():
        raise InputError(f"{corrections.source}: leaves out every {name} image; keep some.")
    changed, kept = int((labels != split.labels).sum()), np.flatnonzero(stays)
    if changed:
        split = replace(split, labels=labels)
    return (split if stays.all() else split.take(kept)), changed, kept


def _unknown(dataset: Dataset, corrections: Corrections) -> int:
    return count_unknown(corrections, {"train": dataset.train.ids, "test": dataset.test.ids})


def count_unknown(corrections: Corrections, ids: Mapping[str, np.ndarray]) -> int:
    """How many lines name no image: of these splits, or of any where both splits are given."""
    known = {split: set(map(str, each.tolist())) for split, each in ids.items()}
    everywhere = set().union(*known.values())
    return sum(
        identity not in known.get(split, everywhere)
        for split, found in corrections.by_split.items()
        if split in known or len(known) > 1
        for identity in found
    )


def told(corrections: Corrections, changed: int, left_out: int, unknown: int, of: str = "") -> str:
    """Say in a sentence what corrections changed; ``of`` which images, as "training "."""
    strange = f"; lines without an image here: {unknown:,}" if unknown else ""
    return (
        f"Corrections of {one_line(Path(corrections.source).name)}: {changed:,} "
        f"{of}label{'' if changed == 1 else 's'} changed, {left_out:,} "
        f"{of}image{'' if left_out == 1 else 's'} left out{strange}."
    )
