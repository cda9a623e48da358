"""Images of one size, as nets are trained on: brought to it once, with a word on what was done."""

from dataclasses import replace

import numpy as np

from hardpairs.data.pixels import is_inverted
from hardpairs.data.split import Chosen, Dataset, Images, Split, thumbnails
from hardpairs.errors import InputError

SMALLEST, LARGEST = 8, 96  # Pixels a side that every net can be trained on.
RESIZED = 64  # A side of what is larger: a net takes less than half the time of 96.
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
            named = ", ".join(map(str, lost[:5]))
            notes.append(f"Left out, since they can't be read: {named}.")
    return replace(dataset, train=train, test=test, notes=tuple(notes))


def for_training_split(split: Split, shape: Shape | None = None) -> tuple[Split, str]:
    """Bring one split's images to one size; see `for_training`.

    Args:
        split: Of images of any sizes.
        shape: (height, width, channels) that they have to have; by default what suits them.

    Returns:
        The split, its images uint8 (N, H, W, C), and a sentence where they were scaled, else "".
    """
    images, note = split.images, ""
    pixels = images if isinstance(images, np.ndarray) else _read_small(images)
    if pixels is None or not _fits(pixels) or (shape and pixels.shape[1:3] != shape[:2]):
        sizes = _sizes(images)
        side = shape[0] if shape else _side(sizes)
        if shape and shape[0] != shape[1]:
            raise InputError(
                f"training images have {shape[0]} x {shape[1]} pixels and the test images others; "
                "bring them to one size."
            )
        # On the background: white on which pictures lie, black where they are white on black.
        pixels = thumbnails(images, np.arange(len(split)), side, inverted=split.inverted)
        if split.inverted and pixels.shape[3] == 1:
            pixels = 255 - pixels
        note = (
            f"Images of {_extent(sizes)} pixels were scaled to {side} x {side}, each in its own "
            "proportions."
        )
    inverted = split.inverted
    is_gray_colour = pixels.shape[3] == 3 and not isinstance(images, np.ndarray)
    if is_gray_colour and (shape is None or shape[2] == 1) and _is_gray(pixels):
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


def _fits(images: Images) -> bool:
    return isinstance(images, np.ndarray) and all(
        SMALLEST <= side <= LARGEST for side in images.shape[1:3]
    )


def _shape_of(split: Split) -> Shape | None:
    return split.images.shape[1:] if isinstance(split.images, np.ndarray) else None


def _read_small(images: Images) -> np.ndarray | None:
    """Read images that seem to be small and of one size; None where they aren't."""
    sizes = _sizes(images)
    if len(np.unique(sizes, axis=0)) > 1 or sizes.max() > LARGEST:
        return None
    whole = images[:]
    return whole if isinstance(whole, np.ndarray) else None


def _sizes(images: Images) -> np.ndarray:
    """int (n, 2): height and width of some of the images, evenly spread."""
    if isinstance(images, np.ndarray):
        return np.array([images.shape[1:3]])
    rows = np.unique(np.linspace(0, len(images) - 1, LOOKED_AT).astype(int))
    few = [images[rows[start : start + 8]] for start in range(0, len(rows), 8)]
    return np.array([image.shape[:2] for some in few for image in some])


def _side(sizes: np.ndarray) -> int:
    largest = int(sizes.max())
    return max(min(largest, RESIZED), SMALLEST)


def _extent(sizes: np.ndarray) -> str:
    smallest, largest = (sizes[place(sizes.prod(axis=1))] for place in (np.argmin, np.argmax))
    low, high = (f"{width} x {height}" for height, width in (smallest, largest))
    return low if low == high else f"about {low} to {high}"


def _is_gray(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[..., :1]).all())


def _unreadable(images: Images) -> np.ndarray:
    """Rows of files that couldn't be read so far."""
    if isinstance(images, Chosen):
        return np.flatnonzero(np.isin(images.rows, _unreadable(images.images)))
    return np.array(getattr(images, "unreadable_rows", list)(), np.int64)
