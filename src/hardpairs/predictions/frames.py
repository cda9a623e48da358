"""Columns of what has named ones in memory: pandas, Polars, PyArrow, Hugging Face, records."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hardpairs.arrays import shape_of, stack_lists, to_numpy, to_objects
from hardpairs.data.pictures import SIGNATURES
from hardpairs.data.usual_names import PICTURES
from hardpairs.errors import InputError
from hardpairs.predictions.columns import Table, plain

OF_PICTURES = frozenset(map(plain, (*PICTURES, "x_test")))


def is_frame(value: Any) -> bool:
    """Whether a value has named columns."""
    return not isinstance(value, np.ndarray | dict | list | tuple | str) and (
        hasattr(value, "collect_schema")  # Polars' lazy ones warn where asked for columns.
        or hasattr(value, "columns")
        or hasattr(value, "column_names")
    )


def are_records(value: Any) -> bool:
    """Whether a value is a list of dicts."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def frame_table(frame: Any) -> Table:
    """The columns of a frame but for pictures; an index that isn't 0 to N-1 becomes the column "".

    Raises:
        InputError: Two columns have one name.
    """
    table: Table = {}
    index = getattr(frame, "index", None)
    if index is not None and not callable(index):
        values = to_numpy(index, "the frame's index")
        if values.ndim == 1 and not np.array_equal(values, np.arange(len(values))):
            table[str(getattr(index, "name", None) or "")] = values
    return table | {
        name: _of_frame(column)
        for name, column in _columns(frame)
        if not shows_pictures(name, column)
    }


def picture_column(given: Any) -> Any:
    """The pictures in a column of a frame or a field of records, or None; names are none."""
    return next((column for name, column in _columns(given) if shows_pictures(name, column)), None)


def column_names(frame: Any) -> list[Any] | None:
    """A frame's names, None where they only count its columns or name one of numbers alone."""
    names = list(getattr(frame, "column_names", None) or frame.columns)
    return None if len(names) < 2 or names == list(range(len(names))) else names


def feature_names(frame: Any) -> list[str] | None:
    """The class names that a dataset of Hugging Face knows of its one column of classes."""
    features = getattr(frame, "features", None)
    if not isinstance(features, Mapping):
        return None
    lists = [names for each in features.values() if (names := getattr(each, "names", None))]
    return list(lists[0]) if len(lists) == 1 else None


def fields_table(records: np.ndarray) -> Table:
    """The fields of a structured array, or of records, as columns."""
    names = records.dtype.names or ()
    table = {name: to_numpy(records[name], f"field {name[:40]!r}") for name in names}
    rows = table.get("index")  # What pandas' to_records puts first.
    if rows is not None and np.array_equal(rows, np.arange(len(rows))):
        del table["index"]
    return table


def records_table(records: list[Any]) -> Table:
    """The fields of records as columns, but for pictures; one that a record lacks is None there.

    Raises:
        InputError: There are no records, or they aren't objects.
    """
    if not are_records(records):
        raise InputError("holds no records; give an object with named fields for every image.")
    return {name: to_column(v) for name, v in _columns(records) if not shows_pictures(name, v)}


def to_column(values: list[Any]) -> np.ndarray:
    """A column of values of any kind: numbers, texts, lists as (N, k), or objects; null is NaN."""
    known = [value for value in values if value is not None]
    if known and all(map(shape_of, known)):
        return stack_lists(values)
    if len(known) < len(values) or any(isinstance(value, dict | list) for value in values):
        if known and all(_is_number(value) for value in known):
            return np.array([np.nan if value is None else float(value) for value in values])
        return to_objects(values)
    if any(isinstance(value, str) for value in values):
        return to_objects([value if isinstance(value, str) else str(value) for value in values])
    if any(_is_number(value) and abs(value) >= 2**63 for value in values):
        return np.array([float(value) for value in values])
    return _of_frame(values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _columns(given: Any) -> Iterator[tuple[str, Any]]:
    """The columns by name, each as it is, of a frame, of records or of a dict; else none."""
    if isinstance(given, Mapping):
        yield from ((str(name), column) for name, column in given.items())
    elif are_records(given):
        for name in dict.fromkeys(name for record in given for name in record):
            yield str(name), [record.get(name) for record in given]
    elif is_frame(given):
        if hasattr(given, "collect_schema") and hasattr(given, "collect"):
            given = given.collect()  # Polars' lazy ones.
        keys = given.column_names if hasattr(given, "column_names") else list(given.columns)
        names = _texts(keys)
        if len(set(names)) < len(names):
            raise InputError("two columns of the frame have one name; give each its own.")
        for name, key in zip(names, keys, strict=True):
            yield name, given.column(key) if hasattr(given, "column") else given[key]


def _of_frame(column: Any) -> np.ndarray:
    """A column as an array, its lists as rows; as objects where NumPy can't make one of it."""
    try:
        values = to_numpy(column, "column")
    except InputError:  # It may be one that isn't needed, as pictures of several sizes.
        return to_objects(list(column))
    if values.ndim != 1 or values.dtype.kind != "O" or not len(values):
        return values
    return stack_lists(values.tolist()) if all(map(shape_of, values.tolist())) else values


def shows_pictures(name: str, column: Any) -> bool:
    """Whether a column has a usual name of images, and its first value is one."""
    if plain(name) not in OF_PICTURES or not hasattr(column, "__iter__"):
        return False
    first: Any = next(iter(column), None)
    first = first.as_py() if hasattr(first, "as_py") else first  # PyArrow's.
    first = first.get("bytes") if isinstance(first, dict) else first
    if isinstance(first, bytes):
        return first.startswith(SIGNATURES)
    return hasattr(first, "getbands") or len(shape_of(first)) in (2, 3)


def _texts(names: list[Any]) -> list[str]:
    """Names as texts; of those in levels the last part, where it tells them apart."""
    if names and all(isinstance(name, tuple) for name in names):
        last = [next((str(part) for part in reversed(name) if part != ""), "") for name in names]
        return last if len(set(last)) == len(last) else ["_".join(map(str, n)) for n in names]
    return [str(name) for name in names]
