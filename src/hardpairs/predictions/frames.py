"""Columns of frames: pandas, Polars, PyArrow, a dataset of Hugging Face."""

from typing import Any

import numpy as np

from hardpairs.arrays import to_numpy
from hardpairs.errors import InputError
from hardpairs.predictions.columns import Table


def is_frame(value: Any) -> bool:
    """Whether a value has named columns."""
    return not isinstance(value, np.ndarray | dict | list | tuple | str) and (
        hasattr(value, "collect_schema")  # Polars' lazy ones warn where asked for columns.
        or hasattr(value, "columns")
        or hasattr(value, "column_names")
    )


def frame_table(frame: Any) -> Table:
    """The columns of a frame; an index that isn't 0 to N-1 becomes the column "".

    Raises:
        InputError: Two columns have one name, or a column can't be made an array.
    """
    if hasattr(frame, "collect_schema") and hasattr(frame, "collect"):
        frame = frame.collect()  # Polars' lazy ones.
    given = frame.column_names if hasattr(frame, "column_names") else list(frame.columns)
    names = _texts(given)
    if len(set(names)) < len(names):
        raise InputError("two columns of the frame have one name; give each its own.")
    table: Table = {}
    index = getattr(frame, "index", None)
    if index is not None and not callable(index):
        values = to_numpy(index, "the frame's index")
        if values.ndim == 1 and not np.array_equal(values, np.arange(len(values))):
            table[str(getattr(index, "name", None) or "")] = values
    for name, key in zip(names, given, strict=True):
        column = frame.column(key) if hasattr(frame, "column") else frame[key]
        table[name] = _stacked(to_numpy(column, f"column {name[:40]!r}"), name)
    return table


def column_names(frame: Any) -> list[Any] | None:
    """A frame's names, None where they only count its columns or name one of numbers alone."""
    names = list(getattr(frame, "column_names", None) or frame.columns)
    return None if len(names) < 2 or names == list(range(len(names))) else names


def fields_table(records: np.ndarray) -> Table:
    """The fields of a structured array, or of records, as columns."""
    names = records.dtype.names or ()
    table = {name: to_numpy(records[name], f"field {name[:40]!r}") for name in names}
    rows = table.get("index")  # What pandas' to_records puts first.
    if rows is not None and np.array_equal(rows, np.arange(len(rows))):
        del table["index"]
    return table


def _texts(names: list[Any]) -> list[str]:
    """Names as texts; of those in levels the last part, where it tells them apart."""
    if names and all(isinstance(name, tuple) for name in names):
        last = [next((str(part) for part in reversed(name) if part != ""), "") for name in names]
        return last if len(set(last)) == len(last) else ["_".join(map(str, n)) for n in names]
    return [str(name) for name in names]


def _stacked(values: np.ndarray, name: str) -> np.ndarray:
    """A column of lists or arrays as (N, k); of structs, or lists of several lengths, as it is."""
    if values.ndim != 1 or values.dtype.kind != "O" or not len(values):
        return values
    is_list = all(isinstance(value, list | tuple | np.ndarray) for value in values.tolist())
    if not is_list or any(isinstance(each, dict) for value in values.tolist() for each in value):
        return values
    if len({len(value) for value in values.tolist()}) > 1:  # It may be one that isn't needed.
        return values
    return to_numpy([list(value) for value in values.tolist()], f"column {name[:40]!r}")
