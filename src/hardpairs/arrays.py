"""Anything that holds numbers or texts as a NumPy array: lists, tensors, columns of DataFrames."""

import math
from collections.abc import Iterator, KeysView, Sequence, ValuesView
from decimal import Decimal
from typing import Any

import numpy as np

from hardpairs.errors import InputError
from hardpairs.foreign import reason_of
from hardpairs.npz import bfloat16_to_float32, is_bfloat16

TEXT_KINDS = "US"


def to_numpy(value: Any, what: str) -> np.ndarray:
    """Make an array of what offers itself as one, on whatever device and in whatever precision.

    Args:
        value: An array, a nested list, a tensor (PyTorch, TensorFlow, JAX), a column or frame
            (pandas, Polars, PyArrow), whatever has ``__array__`` or ``__dlpack__``, an iterator.
        what: How messages call it.

    Raises:
        InputError: It can't be made one, as lists of different lengths can't.
    """
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InputError(
            f"{what}: {np.ma.count_masked(value):,} values are masked; leave them out."
        )
    if isinstance(value, Iterator | KeysView | ValuesView):  # What NumPy takes for one object.
        value = list(value)
    try:
        array = _as_array(value)
    except Exception as error:  # Whatever the other library raises.
        raise InputError(
            f"{what} ({type(value).__name__}) can't be made an array "
            f"({reason_of(error)}); {_what_to_give(value, 'give one with numpy.asarray')}."
        ) from error
    if array.ndim == 0 and array.dtype.kind == "O" and value is not None:
        raise InputError(
            f"{what} are of the type {type(value).__name__}, which is no array; "
            f"{_what_to_give(value, 'give one, or a list of values')}."
        )
    first = array.flat[0] if array.size and array.dtype.kind == "O" else None
    if type(first).__repr__ is object.__repr__:
        raise InputError(
            f"{what} hold objects of the type {type(first).__name__}; give what is meant of each, "
            "a number or a text."
        )
    if array.dtype.name == "bfloat16":
        return array.astype(np.float32)
    if is_bfloat16(array.dtype):
        return bfloat16_to_float32(array)
    return _plain(array)


def _what_to_give(value: Any, else_say: str) -> str:
    """What to do about what is no array: the items of a dataset, as PyTorch's, are pairs."""
    try:
        item = next(iter(value))
    except Exception:  # Whatever the other library raises.
        item = None
    if isinstance(item, tuple | list) and item and not np.isscalar(item[0]):
        kind = type(item).__name__
        return f"its items are {kind}s of {len(item)}: give a list of one value of each"
    return else_say


def _as_array(value: Any) -> np.ndarray:
    """The array, by whichever way the value offers one."""
    if isinstance(value, list | tuple) and any(hasattr(each, "detach") for each in value[:1]):
        value = [_as_array(each) for each in value]
    if callable(getattr(value, "detach", None)):  # A tensor in training, or on a GPU.
        value = value.detach().cpu()
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":
        value = value.float()  # NumPy has no such type.
    if hasattr(value, "toarray"):  # SciPy's sparse ones.
        return np.asarray(value.toarray())
    if hasattr(value, "dictionary_encode") and not hasattr(value, "chunks"):
        return np.asarray(value.to_numpy(zero_copy_only=False))  # PyArrow's, also of texts.
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
        return np.asarray(value.numpy())
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    return np.asarray(value)


def to_objects(values: Sequence[Any]) -> np.ndarray:
    """Objects (N,), each as it is: NumPy alone would make texts of one length, or lists an axis."""
    made = np.empty(len(values), object)
    made[:] = values
    return made


def stack_lists(values: Sequence[Any]) -> np.ndarray:
    """Lists or arrays as rows (N, k) of numbers or texts, where None is NaN or a row of NaN.

    Of several lengths, or of anything else, they are objects (N,): no fault if none is needed.
    """
    width = next((len(value) for value in values if value is not None), 0)
    rows: list[Any] = [[None] * width if value is None else value for value in values]
    rows = [row.tolist() if str(getattr(row, "dtype", "")) == "object" else row for row in rows]
    cells = [each for row in rows if isinstance(row, list | tuple) for each in row]
    if any(isinstance(each, str) for each in cells):
        is_even = all(len(row) == width for row in rows)
        if not is_even or not all(isinstance(each, str | int | float | None) for each in cells):
            return to_objects(values)
        # NumPy's own texts are all as long as the longest.
        texts = [each if each is None else str(each) for row in rows for each in row]
        return to_objects(texts).reshape(-1, width)
    try:
        made = to_numpy(rows, "lists")
    except InputError:
        return to_objects(values)
    is_known = made.ndim > 1 and (
        made.dtype.kind != "O"
        or all(each is None or isinstance(each, int | float) for each in made.flat)
    )
    if not is_known:
        return to_objects(values)
    return made.astype(np.float64) if made.dtype.kind == "O" else made


def _plain(array: np.ndarray) -> np.ndarray:
    """Objects as numbers or texts where all of them are; bytes as text, decimals as floats."""
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind == "T":  # NumPy's texts of variable width.
        return array.astype(object)
    if array.dtype.kind != "O":
        return array
    values = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in array.flat]
    if any(isinstance(value, Decimal) for value in values):
        values = [float(value) if isinstance(value, Decimal) else value for value in values]
        if all(value is None or isinstance(value, float) for value in values):
            values = [math.nan if value is None else value for value in values]
    if any(isinstance(value, str) or value is None for value in values):
        return to_objects(values).reshape(array.shape)
    try:
        made = np.array(values)
        # A column of lists has an axis more.
        is_list = made.ndim == array.ndim + 1 and made.size > array.size > 0
        return made if is_list and made.dtype.kind in "biuf" else made.reshape(array.shape)
    except ValueError:  # Lists of different lengths.
        return array


def shape_of(value: Any) -> tuple[int, ...]:
    """An array's shape, or what a nested list's seems to be by its first items."""
    if isinstance(value, list | tuple):
        return (len(value), *(shape_of(value[0]) if value else ()))
    return tuple(getattr(value, "shape", ()))


def unpooled(array: np.ndarray) -> np.ndarray:
    """Rows (N, D) of features that were pooled to 1 x 1, (N, D, 1, 1); others as they are."""
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def are_whole(array: np.ndarray) -> bool:
    """Whether all numbers are whole, none of them NaN or infinite."""
    return bool(np.isfinite(array).all() and (array == np.rint(array)).all())


def is_text(array: np.ndarray) -> bool:
    """Whether every element is a text."""
    if array.dtype.kind in TEXT_KINDS:
        return True
    return array.dtype.kind == "O" and all(isinstance(each, str) for each in array.flat)


def describe(array: np.ndarray) -> str:
    """A shape and type for a message: "float32 of shape (200, 5)"."""
    kind = "text" if is_text(array) else str(array.dtype)
    return f"{kind} of shape {array.shape}"
