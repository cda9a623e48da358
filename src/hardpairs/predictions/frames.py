"""Predictions from frames: pandas, Polars, PyArrow, a dataset of Hugging Face; and from parquet."""

from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.arrays import to_numpy
from hardpairs.errors import InputError
from hardpairs.predictions.columns import Table
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.table import find_columns
from hardpairs.reading import UNPACKED_BYTES, UNPACKED_RATIO, guarded, parse_json

# A column of one number may be packed to nothing, so that rows are limited as well as bytes.
MOST_ROWS = 100_000_000


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
    names = [str(name) for name in given]
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


def _stacked(values: np.ndarray, name: str) -> np.ndarray:
    """A column of lists or arrays as (N, k); of structs as it is."""
    if values.ndim != 1 or values.dtype.kind != "O" or not len(values):
        return values
    is_list = all(isinstance(value, list | tuple | np.ndarray) for value in values.tolist())
    if not is_list or any(isinstance(each, dict) for value in values.tolist() for each in value):
        return values
    lengths = {len(value) for value in values.tolist()}
    if len(lengths) > 1:
        raise InputError(
            f"column {name[:40]!r} has lists of {min(lengths)} to {max(lengths)} values; "
            "give as many in each."
        )
    return to_numpy([list(value) for value in values.tolist()], f"column {name[:40]!r}")


def read_parquet(path: Path, hints: Hints) -> Found:
    """Read a parquet file; class names of a Hugging Face dataset come from its metadata.

    Raises:
        InputError: PyArrow isn't installed, the file is damaged, or isn't predictions.
    """
    table, names = read_parquet_table(path)
    found = find_columns(table, hints)
    if names is not None and found.class_names is None:
        return Found(**{**vars(found), "class_names": names})
    return found


def read_parquet_table(path: Path) -> tuple[Table, list[str] | None]:
    """The columns of a parquet file, and the class names that its metadata knows."""
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise InputError(
            f"{path}: reading parquet needs PyArrow; install it with "
            "pip install 'hardpairs[tables]'."
        ) from error
    with guarded(path, "a parquet file"):
        size = path.stat().st_size
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            wanted = [
                field.name for field in file.schema_arrow if not _holds_images(str(field.type))
            ]
            groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
            claimed = sum(max(group.total_byte_size, 0) for group in groups)
            if (
                claimed > max(UNPACKED_BYTES, UNPACKED_RATIO * size)
                or file.metadata.num_rows > MOST_ROWS
            ):
                raise InputError(
                    f"unpacks to {claimed:,} bytes in {file.metadata.num_rows:,} rows, more than "
                    "a file of its size should; write it without compression."
                )
            arrow = file.read(columns=wanted, use_threads=False)
        names = _dataset_names(arrow.schema.metadata or {})
        return frame_table(arrow), names


def _holds_images(arrow_type: str) -> bool:
    return "binary" in arrow_type


def _dataset_names(metadata: dict[bytes, bytes]) -> list[str] | None:
    """Names of the one ClassLabel that Hugging Face's `datasets` describes in the metadata."""
    try:
        info = parse_json(metadata.get(b"huggingface", b"{}").decode("utf-8", "replace"))
        features = info["info"]["features"]
        lists = [
            feature["names"]
            for feature in features.values()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return lists[0] if len(lists) == 1 and isinstance(lists[0], list) else None
