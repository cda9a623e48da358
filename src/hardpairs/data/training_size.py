"""Images of one size, as nets are trained on: brought to it once, with a word on what was done."""

from dataclasses import replace
from typing import Any

import numpy as np

from hardpairs.data.folders import few_files
from hardpairs.data.pictures import BLANK
from hardpairs.data.pixels import is_inverted
from hardpairs.data.split import Chosen, Dataset, Images, Split, thumbnails
from hardpairs.errors import InputError

SMALLEST, LARGEST = 8, 96  # Pixels a side that every net can be trained on.
RESIZED = 64  # A side of what is larger: a net takes less than half the time of 96.
UNREAD = "Left out, since they can't be read"
LOOKED_AT = 200  # Images whose sizes decide.

Shape = tuple[int, int, int]


def for_training(dataset: Dataset) -> Dataset:
    """Return the dataset with images of one size and colour, in memory.

    Images of one size from 8 to 96 pixels a side stay as they are; others are scaled into squares,
    each in its own proportions on the background. Photos that are gray throughout become gray ones.
    Splits keep their fingerprints, which are those of the data as it lies there; files that can't
    be read are left out.

    Raises:
        InputError: More than a few files can't be read, or none is left.
    """
    if _fits(dataset.train.images) and _shape_of(dataset.train) == _shape_of(dataset.test):
        return dataset
    train, note = for_training_split(dataset.train)
    test, _ = for_training_split(dataset.test, _shape_of(train))
    if _shape_of(test) != _shape_of(train):  # Of gray training images and coloured test images.
        train, note = for_training_split(dataset.train, _shape_of(test))
    notes = [*dataset.notes, *([note] if note else [])]
    for before, after in ((dataset.train, train), (dataset.test, test)):
        if len(after) < len(before):
            lost = np.setdiff1d(before.ids, after.ids).tolist()
            notes.append(f"{UNREAD}: {few_files(map(str, lost))}.")
    return replace(dataset, train=train, test=test, notes=tuple(notes))


def for_training_split(split: Split, shape: Shape | None = None) -> tuple[Split, str]:
    """Bring one split's images to one size; see `for_training`.

    Args:
        split: Of images of any sizes.
        shape: (height, width, channels) that they have to have; by default what suits them.

    Returns:
        The split, its images uint8 (N, H, W, C), and a sentence where they were scaled, else "".
    """
    images: Any = split.images
    pixels, sizes = images, _sizes(images)
    note, inverted = "", split.inverted
    if len(np.unique(sizes, axis=0)) == 1 and sizes.max() <= LARGEST:  # As far as was looked.
        pixels = images[:]
        sizes = _sizes(pixels)
    if not _fits(pixels) or (shape and pixels.shape[1:3] != shape[:2]):
        if shape and shape[0] != shape[1]:
            raise InputError(
                f"training images have {shape[0]} x {shape[1]} pixels and the test images others; "
                "bring them to one size."
            )
        side = shape[0] if shape else max(min(int(sizes.max()), RESIZED), SMALLEST)
        pixels = _squares(split, side)
        if (sizes != side).any():
            extent = _extent(sizes)
            note = (
                f"Images of {extent} pixels were scaled to {side} x {side}, each in its own "
                "proportions."
            )
    may_be_gray = not isinstance(images, np.ndarray) and (shape is None or shape[2] == 1)
    if may_be_gray and (pixels == pixels[..., :1]).all():  # Photos, read as colour.
        pixels = np.ascontiguousarray(pixels[..., :1])
        inverted = is_inverted(pixels)
    if shape and pixels.shape[3] < shape[2]:
        pixels = np.repeat(pixels, 3, axis=3)
    kept = np.delete(np.arange(len(split)), _unreadable(images))
    if len(kept) == 0:
        raise InputError("none of the images can be read; look at the files.")
    prepared = Split(pixels[kept], split.labels[kept], split.ids[kept], inverted, split.notes)
    prepared.__dict__["fingerprint"] = split.fingerprint  # Of the data as it lies there.
    return prepared, note


def _squares(split: Split, side: int) -> np.ndarray:
    """Scale all images into squares, on black where they are white on black, else on white."""
    pixels = thumbnails(split.images, np.arange(len(split)), side, inverted=split.inverted)
    return 255 - pixels if split.inverted and pixels.shape[3] == 1 else pixels


def _fits(images: Any) -> bool:
    return isinstance(images, np.ndarray) and all(
        SMALLEST <= side <= LARGEST for side in images.shape[1:3]
    )


def _shape_of(split: Split) -> Shape | None:
    return split.images.shape[1:] if isinstance(split.images, np.ndarray) else None


def _sizes(images: Any) -> np.ndarray:
    """int (n, 2): height and width of all images in memory, or of some others, evenly spread."""
    if isinstance(images, np.ndarray):
        return np.array([images.shape[1:3]])
    if isinstance(images, list):
        sizes = [image.shape[:2] for image in images if image is not BLANK]
        return np.array(sizes or [BLANK.shape[:2]])
    rows = np.unique(np.linspace(0, len(images) - 1, LOOKED_AT).astype(int))
    few = [images[rows[start : start + 8]] for start in range(0, len(rows), 8)]
    return _sizes([image for some in few for image in some])


def _extent(sizes: np.ndarray) -> str:
    smallest, largest = (sizes[place(sizes.prod(axis=1))] for place in (np.argmin, np.argmax))
    low, high = (f"{width} x {height}" for height, width in (smallest, largest))
    return low if low == high else f"{low} to {high}"


def _unreadable(images: Images) -> np.ndarray:
    """Rows of files that couldn't be read so far."""
    if isinstance(images, Chosen):
        return np.flatnonzero(np.isin(images.rows, _unreadable(images.images)))
    return np.array(getattr(images, "unreadable_rows", list)(), np.int64)
