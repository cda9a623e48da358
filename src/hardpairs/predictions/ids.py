"""Ids: made numbers or texts, and found among others, as paths from different folders are."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, to_numpy, to_objects
from hardpairs.errors import InputError
from hardpairs.reading import clean_text


def to_ids(ids: Any, images: int) -> np.ndarray:
    """Make ids int64 or str (N,): whole floats and texts of plain numbers become numbers."""
    if ids is None:
        return np.arange(images)
    array = to_numpy(ids, "ids")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind == "f" and are_whole(array):
        if len(array) and np.abs(array).max() >= 2**53:
            raise InputError(
                f"ids run up to {array.max():.4g}, more than a float holds exactly; give texts."
            )
        array = array.astype(np.int64)
    if array.dtype.kind not in "OU":
        return array
    texts = [clean_text(str(value)) for value in array.ravel().tolist()]
    if all(text.isdecimal() and text.isascii() and len(text) < 19 for text in texts):
        numbers = [int(text) for text in texts]
        if all(str(number) == text for number, text in zip(numbers, texts, strict=True)):
            return np.array(numbers, np.int64).reshape(array.shape)
    return to_objects(texts).reshape(array.shape)


def match_ids(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Find each id among the known ones.

    Numbers match numbers. Texts are paths and match as a whole, or else by as many last parts as
    tell them apart ("val/cat/1.png" is "cat/1.png"), or else without the ending ("cat/1"), or
    else whatever the case ("1.PNG"): the first of these ways that finds all of them, or the one
    that finds most.

    Args:
        ids: int64 or str (N,).
        known: int64 or str (M,).

    Returns:
        int64 (N,), the place of each id in ``known``; -1 where it isn't there.
    """
    if ids.dtype.kind in "iu" and known.dtype.kind in "iu":
        return _places(ids.tolist(), known.tolist())
    ours, theirs = ([_path(each) for each in array.tolist()] for array in (ids, known))
    best = np.full(len(ours), -1)
    for key in _KEYS:
        places = _places([key(path) for path in ours], [key(path) for path in theirs])
        if (places >= 0).sum() > (best >= 0).sum():
            best = places
        if (best >= 0).all():
            break
    return best


def _path(identifier: object) -> tuple[str, ...]:
    text = unicodedata.normalize("NFC", clean_text(str(identifier)))  # As macOS doesn't have it.
    parts = text.replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", "."))


def _stem(path: tuple[str, ...]) -> tuple[str, ...]:
    return (*path[:-1], path[-1].rpartition(".")[0] or path[-1]) if path else path


_KEYS: tuple[Callable[[tuple[str, ...]], tuple[str, ...]], ...] = (
    *(lambda path: path, lambda path: path[-3:], lambda path: path[-2:], lambda path: path[-1:]),
    *(_stem, lambda path: _stem(path[-2:]), lambda path: _stem(path[-1:])),
    lambda path: tuple(part.casefold() for part in path[-1:]),
)


def _places(ours: list, theirs: list) -> np.ndarray:
    """Places of what occurs once on either side; -1 for the rest."""
    place = {value: index for index, value in enumerate(theirs)}
    for counts, values in ((Counter(theirs), theirs), (Counter(ours), ours)):
        if len(counts) < len(values):
            for value, count in counts.items():
                if count > 1:
                    place.pop(value, None)
    return np.array([place.get(value, -1) for value in ours], np.int64)
