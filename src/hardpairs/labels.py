"""Labels and class names of any form as indices and texts."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, describe, is_text, to_numpy
from hardpairs.errors import InputError

NUMBERED = re.compile(r"(?P<start>.*?)(?P<number>\d{1,18})(?:\.0)?", re.DOTALL)


def to_names(names: Any) -> tuple[str, ...]:
    """Make class names texts: of texts, numbers or bytes, or of a dict between names and indices.

    Raises:
        InputError: They aren't a list of names, or a dict's indices aren't 0 to K-1.
    """
    if isinstance(names, str):
        raise InputError(f"class_names is one text, {names!r}; give a list with one for each.")
    if isinstance(names, Mapping):
        return _names_of_dict(names)
    try:
        array = to_numpy(names if hasattr(names, "dtype") else list(names), "class_names")
    except TypeError as error:
        raise InputError(f"class_names are {type(names).__name__}; give a list of texts.") from (
            error
        )
    return tuple(_name(value) for value in array.ravel().tolist())


def _names_of_dict(names: Mapping) -> tuple[str, ...]:
    """Of {"cat": 0, "dog": 1}, as Keras' class_indices, or {0: "cat"}, as a config's id2label."""
    pairs = [(_whole(index), _name(name)) for name, index in names.items()]
    if any(index is None for index, _ in pairs):
        pairs = [(_whole(index), _name(name)) for index, name in names.items()]
    if sorted(index for index, _ in pairs if index is not None) != list(range(len(pairs))):
        raise InputError(
            f"class_names is a dict whose indices aren't 0 to {len(pairs) - 1}; "
            "give one between names and indices, or a list of names."
        )
    return tuple(name for _, name in sorted(pairs, key=lambda pair: pair[0] or 0))


def _whole(value: Any) -> int | None:
    try:
        return int(value) if float(value) == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _name(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # Of one spelling: macOS takes accents off letters in the names of folders.
    return unicodedata.normalize("NFC", str(value)).strip()


def numbered(classes: int) -> tuple[str, ...]:
    """Names for K classes that have none: "0" to "K-1"."""
    return tuple(map(str, range(classes)))


def are_numbers(class_names: Sequence[str]) -> bool:
    """Whether the names are no more than the classes' own numbers."""
    return tuple(class_names) == numbered(len(class_names))


def in_number_order(names: Sequence[str]) -> list[int]:
    """The places of names that differ by a number at their end alone, the smallest number first.

    Tables often have such columns in the order of texts. Other names stay where they are.

    >>> in_number_order(["class_0", "class_10", "class_2"]), in_number_order(["b2", "a1"])
    ([0, 2, 1], [0, 1])
    """
    found = [NUMBERED.fullmatch(name) for name in names]
    matches = [match for match in found if match is not None]
    if len(matches) < len(names) or len({match["start"] for match in matches}) != 1:
        return list(range(len(names)))
    return sorted(range(len(names)), key=lambda place: int(matches[place]["number"]))


def numbered_columns(names: Sequence[str]) -> tuple[list[int], list[str] | list[int]]:
    """The places of columns as `in_number_order`, and their names in it: numbers where all are.

    Numbers among the labels are then names, and not places.
    """
    order = in_number_order(names)
    sorted_names = [names[place] for place in order]
    return order, as_numbers(sorted_names) or sorted_names


def as_numbers(names: Sequence[str]) -> list[int] | None:
    """Names that are all whole numbers, as "3" or "3.0", as such; None where one isn't."""
    if all(re.fullmatch(r"(0|[1-9]\d{0,17})(\.0)?", name) for name in names):
        return [int(name.removesuffix(".0")) for name in names]
    return None


def is_one_hot(rows: np.ndarray) -> bool:
    """Whether rows (N, K) of numbers have one 1 each, else 0."""
    return bool(np.isin(rows, (0, 1)).all() and (rows.sum(axis=1) == 1).all())


def to_vector(values: Any, what: str, classes: int | None = None) -> np.ndarray:
    """Make labels one-dimensional: (N, 1) is flattened, one-hot (N, K) becomes indices.

    Raises:
        InputError: They are of another shape, or rows of several 1s or none.
    """
    array = to_numpy(values, what)
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim == 2 and array.dtype.kind in "biuf" and classes in (None, array.shape[1]):
        if is_one_hot(array):
            return array.argmax(axis=1)
        raise InputError(
            f"{what} are {describe(array)} and not one-hot (one 1 a row, else 0); "
            "give one class an image."
        )
    if array.ndim != 1:
        raise InputError(f"{what} are {describe(array)}; give one class an image.")
    return array


def look_up(
    values: np.ndarray, names: tuple[str, ...], what: str, *, numbers_are_names: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Find each value among the class names, by name or by index.

    Args:
        values: (N,) texts, integers, whole floats or bools.
        names: K class names.
        what: "labels" or "predicted classes", for messages.
        numbers_are_names: Whether the names were given as numbers, so that numbers are names
            wherever all of them are.

    Returns:
        int64 (N,), indices into ``names``; and a sentence where it wasn't plain.

    Raises:
        InputError: A value is missing, or is no class.
    """
    if values.dtype.kind in "OUS":
        return _look_up_texts(values, names, what)
    values = _whole_numbers(values, what)
    if len(values) == 0:
        return np.empty(0, np.int64), ()
    low, high = int(values.min()), int(values.max())
    fits = low >= 0 and high < len(names)
    index = {name: place for place, name in enumerate(names)}
    distinct = {str(int(value)) for value in np.unique(values)}
    if distinct <= index.keys() and (numbers_are_names or not fits):
        found = np.array([index[str(value)] for value in values.tolist()], np.int64)
        if (found == values).all():
            return found, ()
        return found, (f"The {what} are the numbers that the classes are named by.",)
    if not fits:
        shift = (
            " (they seem to count from 1: subtract 1)" if low == 1 == high - len(names) + 1 else ""
        )
        raise InputError(
            f"{what} run from {low} to {high}, expected 0 to {len(names) - 1}{shift}; "
            "use indices into class_names."
        )
    return values.astype(np.int64), ()


def _whole_numbers(values: np.ndarray, what: str) -> np.ndarray:
    if values.dtype.kind == "b":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(f"{what}: row {row} has none (NaN); give every image a class.")
        if not are_whole(values):
            raise InputError(
                f"{what} are {values.dtype} from {values.min():.4g} to {values.max():.4g}, "
                "expected whole numbers or names."
            )
        if np.abs(values).max(initial=0) >= 2**53:
            raise InputError(f"{what} run up to {values.max():.4g}; use indices of the classes.")
        return values.astype(np.int64)
    if values.dtype.kind not in "iu":
        raise InputError(f"{what} are {describe(values)}, expected indices or names.")
    return values


def _look_up_texts(
    values: np.ndarray, names: tuple[str, ...], what: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = [clean_label(value) for value in values.tolist()]
    if None in texts:
        row = texts.index(None)
        raise InputError(f"{what}: row {row} has none; give every image a class.")
    index = {name: place for place, name in enumerate(names)}
    wanted = dict.fromkeys(text for text in texts if text is not None)
    unknown = [text for text in wanted if text not in index]
    notes: tuple[str, ...] = ()
    if unknown:
        numbers = [_whole(text) for text in wanted]
        folded = {name.casefold(): place for name, place in index.items()}
        if len(folded) == len(index) and all(text.casefold() in folded for text in wanted):
            index = {text: folded[text.casefold()] for text in wanted}
        elif all(number is not None and 0 <= number < len(names) for number in numbers):
            index = dict(zip(wanted, (number or 0 for number in numbers), strict=True))
            notes = (f"The {what} are numbers: taken as places among the classes, from 0.",)
        elif len(names) == 2 and {text.casefold() for text in wanted} <= {"false", "true"}:
            index = {text: int(text.casefold() == "true") for text in wanted}
        else:
            raise InputError(_unknown_class(unknown[0], texts.index(unknown[0]), names, what))
    return np.array([index[text] for text in texts if text is not None], np.int64), notes


def clean_label(value: Any) -> str | None:
    """A label as a text without blanks around it; None where there is none (NaN, empty)."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return _name(value) or None


def _unknown_class(label: str, row: int, names: tuple[str, ...], what: str) -> str:
    return (
        f"{what}: row {row} has {label[:60]!r}, which is no class; the classes are {listed(names)}."
    )


def listed(names: Iterable[Any], most: int = 8) -> str:
    """Names for a message: the first few, quoted, and how many more there are."""
    names = list(names)
    shown = ", ".join(repr(str(name)[:40]) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def classes_in(values: np.ndarray) -> tuple[str, ...]:
    """The distinct labels as names, in sorted order: numbers by value, texts by code point."""
    if is_text(values) or values.dtype.kind == "O":
        texts = {text for text in map(clean_label, values.tolist()) if text is not None}
        numbers = {text: _whole(text) for text in texts}
        if all(number is not None for number in numbers.values()):
            return tuple(sorted(texts, key=lambda text: (numbers[text] or 0, text)))
        return tuple(sorted(texts))
    return tuple(_name(value) for value in np.unique(values).tolist())
