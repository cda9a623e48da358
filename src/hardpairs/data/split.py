"""Split and Dataset: images with their labels, whatever their size, colour and place."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np

from hardpairs.data.about import About
from hardpairs.data.pictures import BLANK, scaled
from hardpairs.data.progress import counted
from hardpairs.errors import InputError

SplitName = Literal["train", "test"]
BACKGROUND = 255  # White, what thumbnails lie on.
AT_A_TIME = 256  # Images in memory at once while they are made small.


class Images(Protocol):
    """Images in memory, or read when asked for.

    A uint8 array (N, H, W, C), C 1 or 3, is one. Of whatever else is one, ``images[rows]`` is such
    an array or, where sizes differ, a list of uint8 arrays (h, w, C).
    """

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


@dataclass(frozen=True)
class Chosen:
    """Some rows, int64, of other images; for -1 stands a grey square."""

    images: Images
    rows: np.ndarray

    @property
    def fingerprint(self) -> str:
        """Of the images and of which of them."""
        whole: str = self.images.fingerprint  # type: ignore[attr-defined]
        return combine_sha256(whole, idx_sha256(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def reduced(self, rows: np.ndarray | slice, side: int) -> np.ndarray | list[np.ndarray]:
        """Read images no finer than one of ``side`` pixels needs, where they can be so read."""
        return self._read(self.rows[rows], lambda some: _reduced(self.images, some, side))

    def _read(self, wanted: np.ndarray, read: Callable) -> np.ndarray | list[np.ndarray]:
        is_there = wanted >= 0
        if is_there.all():
            return read(wanted)
        there = iter(read(wanted[is_there]))
        return [next(there) if each else BLANK for each in is_there]

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray | list[np.ndarray]:
        return self._read(self.rows[rows], lambda some: self.images[some])


@dataclass(frozen=True, repr=False)
class Split:
    """Images and their labels, in the order of their source.

    Attributes:
        images: See `Images`; a gray array (N, H, W) becomes (N, H, W, 1).
        labels: int64 (N,), each an index into the dataset's class names; -1 where unknown.
        ids: int64 or str (N,), what a prediction names an image by: its index, which is the
            default, or its file name.
        inverted: The images are white on black, as MNIST's are; shown, they are turned.
        notes: What was done to the images when they were read, a sentence each.

    Raises:
        InputError: The arrays don't fit together.
    """

    images: Images
    labels: np.ndarray
    ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    inverted: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images = self.images
        if isinstance(images, np.ndarray) and images.ndim == 3:
            object.__setattr__(self, "images", images[..., None])
        if len(self.ids) == 0:
            object.__setattr__(self, "ids", np.arange(len(self.labels)))
        if not len(images) == len(self.labels) == len(self.ids):
            raise InputError(
                f"{len(images):,} images, {len(self.labels):,} labels and {len(self.ids):,} ids "
                "don't belong together; give as many of each."
            )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the images' and labels' bytes: equal exactly where the data is.

        Images that are read when asked for bring their own ``fingerprint``.
        """
        images = self.images
        if isinstance(images, np.ndarray):
            return combine_sha256(idx_sha256(drop_gray(images)), idx_sha256(self.labels))
        return combine_sha256(images.fingerprint, idx_sha256(self.labels))  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shape = f" of {self.images.shape[1:]}" if isinstance(self.images, np.ndarray) else ""
        return f"Split({len(self):,} images{shape})"

    @property
    def has_labels(self) -> bool:
        """Whether it is known of every image what it shows."""
        return bool(self.labels.min(initial=0) >= 0)

    @property
    def pixels(self) -> np.ndarray:
        """All images as one array, uint8 (N, H, W, C); those not in memory are read.

        Raises:
            InputError: They are of different sizes.
        """
        images = self.images[:] if not isinstance(self.images, np.ndarray) else self.images
        if isinstance(images, list):
            sizes = sorted({image.shape for image in images})
            raise InputError(
                f"images are of {len(sizes):,} sizes, from {sizes[0]} to {sizes[-1]}; "
                "bring them to one size first."
            )
        return images

    def take(self, rows: np.ndarray | slice) -> "Split":
        """Return some of the images, with their labels and ids; for -1 stands a grey square."""
        images = self.images
        if isinstance(rows, np.ndarray) and rows.dtype.kind == "i" and rows.min(initial=0) < 0:
            taken: Images = Chosen(images, rows)
        elif isinstance(images, np.ndarray):
            taken = images[rows]
        else:
            taken = Chosen(images, np.arange(len(images))[rows])
        return replace(self, images=taken, labels=self.labels[rows], ids=self.ids[rows])


@dataclass(frozen=True, repr=False)
class Dataset:
    """A training and a test split over the same classes.

    Attributes:
        name: For people: a bundled dataset's name, or the last part of the source.
        source: What `load_dataset` takes to load it again: a bundled name or a resolved path; ""
            for arrays in memory.
        class_names: K names.
        train, test: The two splits.
        shuffled: Whether the training images are known to be in random order, so that any part
            of them is like the whole. See `order_to_train`.
        about: What is known of it beyond its images, or None.
        notes: What was done to the data on the way in and what was left out, a sentence each.
    """

    name: str
    source: str
    class_names: tuple[str, ...]
    train: Split
    test: Split
    shuffled: bool = False
    about: About | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}, {len(self.class_names)} classes, "
            f"train={self.train!r}, test={self.test!r})"
        )

    @property
    def file_name(self) -> str:
        """A part for file names; two sources never share one, though their names be the same."""
        readable = re.sub(r"[^A-Za-z0-9]+", "-", self.name).strip("-")[:40]
        if self.source == self.name:
            return readable
        return f"{readable}-{hashlib.sha256(self.source.encode(errors='replace')).hexdigest()[:6]}"

    def order_to_train(self) -> np.ndarray:
        """int64 permutation of the training images, the same every time.

        A first part is trained on and a last part held out: both then hold every class. Data that
        is known to be shuffled stays as it is.
        """
        if self.shuffled:
            return np.arange(len(self.train))
        return stratified_order(self.train.labels, seed=0)


def stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return a permutation whose every beginning and end holds the classes in proportion.

    Each class' images, in random order, are spread evenly from the first place to the last. Of K
    classes any K first and any K last images therefore hold every class (a class of one image has
    it first), and any part of the order holds each class in its share, give or take one image.

    Args:
        labels: integer (N,).
        seed: Decides the order within a class and between the classes.

    Returns:
        int64 (N,).
    """
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(labels))
    grouped = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[grouped], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(starts, counts)
    place = rank / np.maximum(np.repeat(counts, counts) - 1, 1)
    return grouped[np.lexsort((rng.random(len(labels)), place))]


def thumbnails(images: Images, rows: np.ndarray, side: int, inverted: bool = False) -> np.ndarray:
    """Make small square pictures of some images.

    Args:
        images: Of any sizes.
        rows: integer (n,), which of them.
        side: Of the square, pixels. Images of other sizes are scaled until their longer side
            fills it, each in its own proportions.
        inverted: The images are white on black: gray ones are turned.

    Returns:
        uint8 (n, side, side, C), C 3 where any of them has colour, on white.
    """
    rows = np.asarray(rows, np.int64)
    order = np.argsort(rows, kind="stable")  # Neighbours on disk are read one after the other.
    parts = []
    starts = range(0, len(rows), AT_A_TIME)
    for start in counted(starts, "reading pictures", len(rows)):
        some = _reduced(images, rows[order[start : start + AT_A_TIME]], side)
        if isinstance(some, np.ndarray) and some.shape[1:3] == (side, side):
            parts.append(255 - some if inverted and some.shape[3] == 1 else some)
        else:
            parts.append(_squared(some, side, inverted))
    channels = max((part.shape[3] for part in parts), default=1)
    small = np.empty((len(rows), side, side, channels), np.uint8)
    for start, part in zip(starts, parts, strict=True):
        small[order[start : start + AT_A_TIME]] = part
    return small


def _reduced(images: Images, rows: np.ndarray, side: int) -> np.ndarray | list[np.ndarray]:
    """Images no finer than one of ``side`` pixels needs, where they can be so read."""
    reduced = getattr(images, "reduced", None)
    return images[rows] if reduced is None else reduced(rows, side)


def _squared(images: np.ndarray | list[np.ndarray], side: int, inverted: bool) -> np.ndarray:
    channels = max(image.shape[2] for image in images)
    squares = np.full((len(images), side, side, channels), BACKGROUND, np.uint8)
    for square, image in zip(squares, images, strict=True):
        pixels = scaled(image, side)
        if inverted and pixels.shape[2] == 1:
            pixels = 255 - pixels
        height, width = pixels.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = pixels
    return squares


def drop_gray(images: np.ndarray) -> np.ndarray:
    """Take the last axis away where it is one of length 1: (N, H, W, 1) becomes (N, H, W)."""
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images


def idx_sha256(array: np.ndarray) -> str:
    """SHA-256 of an array as the IDX file that it would be: of bytes, else of 32-bit integers."""
    is_bytes = array.dtype == np.uint8 or array.max(initial=0) < 256
    code, stored = (8, np.dtype(np.uint8)) if is_bytes else (12, np.dtype(">i4"))
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array, stored).data)
    return digest.hexdigest()


def combine_sha256(images: str, labels: str) -> str:
    """One fingerprint of two."""
    return hashlib.sha256(f"{images} {labels}".encode()).hexdigest()
