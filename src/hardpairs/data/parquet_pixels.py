"""Pixels in Parquet: a column for each, or a column of lists, as Polars and pandas write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hardpairs.data.pixel_columns import FEWEST_PIXELS, PIXEL, in_order, shaped
from hardpairs.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def pixel_columns(schema: "pa.Schema", usual: Sequence[str]) -> list[str]:
    """Columns that hold pixels: one of lists under a usual name, or many of numbers."""
    kinds = {str(field.name): str(field.type) for field in schema}
    for name, kind in kinds.items():
        if name.lower() in usual and "list<" in kind and "struct" not in kind:
            return [name]
    numbers = [
        name
        for name, kind in kinds.items()
        if PIXEL.fullmatch(name) and kind.startswith(("int", "uint", "float", "double", "half"))
    ]
    ordered = [numbers[place] for place in in_order(numbers)]
    return ordered if len(numbers) >= FEWEST_PIXELS else []


def pixels_of_table(table: "pa.Table", columns: Sequence[str], path: Path) -> np.ndarray:
    """Return the pixels of a table's images, (N, H, W) or (N, H, W, C).

    Raises:
        InputError: Rows are of different lengths, or no images.
    """
    if len(columns) > 1:
        numbers = [table.column(name).to_numpy() for name in columns]
        return shaped(np.stack(numbers, axis=1))[0]
    rows: list[Any] = table.column(columns[0]).to_pylist()
    try:
        pixels = np.array(rows)
    except ValueError:
        pixels = np.empty(0, object)
    if pixels.dtype.kind not in "biuf" or pixels.ndim < 2:
        raise InputError(
            f"{path}: the column {columns[0]} holds lists of different lengths, or no numbers; "
            "give the pixels of images of one size."
        )
    return shaped(pixels)[0] if pixels.ndim == 2 else pixels
