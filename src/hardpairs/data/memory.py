"""Images and labels that are in memory: arrays, tensors, lists of pictures."""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from hardpairs.arrays import shape_of, to_numpy
from hardpairs.data.pictures import pixels_of, read_picture, stacked
from hardpairs.data.pixels import black_and_white, is_inverted, to_bytes, to_nhwc
from hardpairs.data.source import Source, make_source
from hardpairs.data.split import Images, Split, combine_sha256, idx_sha256
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, look_up, numbered, to_names, to_vector

BATCH_AXES = 4  # An image has three at most.
MOST_CLASSES = 1_000_000  # Far above any dataset; a larger label is an id of something else.


@dataclass(frozen=True, eq=False)
class OfManySizes:
    """Images in memory that are of different sizes: uint8 (h, w, C) each."""

    images: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray | list[np.ndarray]:
        return stacked([self.images[row] for row in np.arange(len(self))[rows]])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all pixels."""
        digest = ""
        for image in self.images:
            digest = combine_sha256(digest, idx_sha256(image))
        return digest


def to_images(*given: Any, what: str = "images") -> tuple[list[Images], tuple[str, ...]]:
    """Make images of whatever holds them.

    Args:
        given: One or several sets that were made in the same way, each one of

            - an array or a tensor (N, H, W), (N, H, W, C), (N, C, H, W), or (N, pixels) where
              square and gray; bytes, floats from 0 to 1 or -1 to 1, or bools;
            - a list of batches of these, as a loop over a loader collects them;
            - a list or column of such images, of Pillow's, of paths, or of Hugging Face's
              ``{"bytes": …}``, of different sizes.
        what: How messages call them.

    Returns:
        Of each set uint8 (N, H, W, C), C 1 or 3, or an object for images of different sizes; and
        sentences on what wasn't plain.

    Raises:
        InputError: They are no images, or it is open what is meant.
    """
    originals = [_one_by_one(each, what) for each in given]
    sets = [_as_sets(each, what) for each in originals]
    scale, note = black_and_white([array for arrays in sets for array in arrays], what)
    made: list[Images] = []
    for original, arrays in zip(originals, sets, strict=True):
        images = [to_bytes(array, *scale) for array in arrays]
        if len(images) == 1 and not isinstance(original, list):
            made.append(images[0])
        else:
            together = stacked([image for batch in images for image in batch])
            made.append(OfManySizes(tuple(together)) if isinstance(together, list) else together)
    return made, (note,) if note else ()


def shown_images(given: Any) -> tuple[Images | None, tuple[str, ...]]:
    """One set of images that nobody asked to see: where it can't be shown, None and why."""
    try:
        (images,), notes = to_images(given)
    except InputError as error:
        return None, (f"Images are left out: {error}",)
    return images, notes


def to_labels(
    *given: Any, class_names: Any = None, what: str = "labels"
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Make labels of several parts indices into the same names.

    Args:
        given: Each integers, whole floats, bools, names, or one-hot rows, of N images.
        class_names: K names, or None: the labels' own names in sorted order, or their numbers.
        what: How messages call them.

    Returns:
        Of each int64 (N,), and the K names.

    Raises:
        InputError: They are no labels, or aren't among the names.
    """
    vectors = [to_vector(each, what) for each in given]
    together = np.concatenate([np.asarray(each) for each in vectors])
    if class_names is not None:
        names = to_names(class_names)
        if together.dtype.kind in "iuf" and together.size and _counts_from_one(together, names):
            together = together - 1
    elif together.dtype.kind in "iufb":
        if together.dtype.kind == "f" and not np.isfinite(together).all():
            raise InputError(f"{what} hold NaN or infinity; give every image a class.")
        low, high = float(together.min(initial=0)), float(together.max(initial=0))
        if low < 0 or high >= MOST_CLASSES:
            raise InputError(
                f"{what} run from {low:.4g} to {high:.4g}; give indices from 0 up, or names."
            )
        names = numbered(int(high) + 1)
    else:
        names = classes_in(together)
    found, _ = look_up(together, names, what)
    ends = np.cumsum([len(each) for each in vectors])[:-1]
    return np.split(found, ends), names


def split_of(
    images: Any,
    labels: np.ndarray | None = None,
    *,
    ids: Any = None,
    what: str = "images",
    notes: Sequence[str] = (),
) -> Split:
    """Make a split of what is in memory, see `to_images`.

    Args:
        images: Of N pictures.
        labels: int64 (N,), see `to_labels`; -1 without.
        ids: N numbers or texts, or None.
        what: How messages call the images.
        notes: Sentences on what was done to them before.

    Raises:
        InputError: Images, labels and ids don't fit together, or aren't what they should be.
    """
    (pictures,), more = to_images(images, what=what)
    found = np.full(len(pictures), -1) if labels is None else labels
    own_ids = np.empty(0, np.int64) if ids is None else to_numpy(ids, "ids").ravel()
    return Split(pictures, found, own_ids, white_on_black(pictures), (*notes, *more))


def open_memory(given: Any, class_names: Any = None) -> Source:
    """Make a source of arrays.

    Args:
        given: ``((x_train, y_train), (x_test, y_test))``, as Keras' ``load_data()`` returns it, or
            ``(images, labels)``; each in any form that `to_images` and `to_labels` take.
        class_names: See `to_labels`.

    Raises:
        InputError: It is neither, or the images and labels aren't what they should be.
    """
    is_listed = isinstance(given, tuple | list)
    pairs = [given] if is_listed and len(given) == 2 and not _is_pair(given[0]) else given
    if not is_listed or len(pairs) not in (1, 2) or not all(map(_is_pair, pairs)):
        raise InputError(
            "data in memory is (images, labels), or two such pairs to train on and to test with; "
            f"this is a {type(given).__name__}{f' of {len(given)}' if is_listed else ''}."
        )
    images, notes = to_images(*(pair[0] for pair in pairs))
    labels, names = to_labels(*(pair[1] for pair in pairs), class_names=class_names)
    splits = [
        Split(pictures, found, inverted=white_on_black(pictures), notes=notes)
        for pictures, found in zip(images, labels, strict=True)
    ]
    parts = ("train", "test") if len(splits) == 2 else ("all",)
    return make_source(names, {parts[n]: partial(splits.__getitem__, n) for n in range(len(parts))})


def _is_pair(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 2 and not np.isscalar(given[0])


def white_on_black(images: Images) -> bool:
    """Whether gray images have to be turned to be looked at; see `is_inverted`."""
    return isinstance(images, np.ndarray) and is_inverted(images)


def _counts_from_one(labels: np.ndarray, names: Sequence[str]) -> bool:
    return bool(labels.min() == 1 and labels.max() == len(names))


def _one_by_one(given: Any, what: str) -> Any:
    """What holds images or batches one by one, as a column or a loader, as a list; else as it came.

    Raises:
        InputError: What it holds is more than images, as the pairs of a dataset are.
    """
    if isinstance(given, Iterator):
        given = list(given)
    is_held = hasattr(given, "__iter__") or hasattr(given, "__getitem__")
    if not is_held or isinstance(given, str | Mapping):
        return given
    if hasattr(given, "shape") and (
        len(given.shape) != 1 or to_numpy(given, what).dtype.kind not in "OUS"
    ):
        return given
    first = next(iter(given), None)
    parts = tuple(first.values()) if isinstance(first, Mapping) and "bytes" not in first else first
    kinds = set(map(_axes, parts)) if isinstance(parts, tuple | list) else {1}
    if len(kinds) > 1 or max(kinds, default=1) >= BATCH_AXES:
        raise InputError(
            f"{what} ({type(given).__name__}) hold more than images, its items are "
            f"{type(first).__name__}s of {len(kinds)}: give a list of one value of each, from the "
            "pass that gave the labels."
        )
    return [image for batch in given for image in batch] if kinds == {-1} else list(given)


def _axes(part: Any) -> int:
    """How many axes an array has; of a picture, or the path of one, -1."""
    is_picture = isinstance(part, str | os.PathLike | Mapping) or hasattr(part, "getbands")
    return -1 if is_picture else len(shape_of(part))


def _as_sets(given: Any, what: str) -> list[np.ndarray]:
    """Arrays (N, H, W, C), together all the images: one array, or one for each batch or image."""
    if not isinstance(given, list):
        return [to_nhwc(to_numpy(given, what), what)]
    if len(given) == 0:
        raise InputError(f"{what} are an empty list; give at least one.")
    are_batches = [len(getattr(each, "shape", ())) == BATCH_AXES for each in given]
    if all(are_batches):
        return [to_nhwc(to_numpy(each, what), what) for each in given]
    if any(are_batches):
        raise InputError(f"{what} are a list of batches and of something else; give images alone.")
    return [_one_image(each, f"{what}: number {index}") for index, each in enumerate(given)]


def _one_image(given: Any, what: str) -> np.ndarray:
    """One image as an array (1, H, W, C)."""
    if isinstance(given, str | os.PathLike):
        return read_picture(os.fspath(given))[None]
    if isinstance(given, Mapping) and isinstance(given.get("bytes"), bytes):
        return read_picture(io.BytesIO(given["bytes"]), name=what)[None]
    if isinstance(given, bytes):
        return read_picture(io.BytesIO(given), name=what)[None]
    if hasattr(given, "getbands"):  # One of Pillow's, without importing it to ask.
        return pixels_of(given)[None]
    array = to_numpy(given, what)
    if array.ndim == 2:
        array = array[..., None]
    return to_nhwc(array[None], what)
