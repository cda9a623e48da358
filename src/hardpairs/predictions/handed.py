"""Labels and predictions as they are handed over in memory: batches, frames, series, categories."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hardpairs.arrays import to_numpy, to_objects, unpooled
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, is_one_hot, listed
from hardpairs.predictions.found import Found
from hardpairs.predictions.frames import column_names, is_frame
from hardpairs.predictions.top import split_pairs


def join_batches(labels: Any, predictions: Any) -> tuple[Any, Any]:
    """Lists of batches, as a loop over a loader collects them, as one array each.

    Either may be joined already. What isn't plainly batches is returned as it came: a list of
    (N, K) of several nets has more rows than there are labels.
    """
    labels, predictions = (
        list(each) if isinstance(each, Iterator) else each for each in (labels, predictions)
    )
    if _are_batches_of(labels, predictions):
        return _joined(labels, "labels"), predictions
    if _are_batches_of(predictions, labels):
        return labels, _joined(predictions, "predictions")
    rows = _lengths(predictions, 1) or _lengths(predictions, 2)
    is_batched = rows is not None and rows in (_lengths(labels, 1), _lengths(labels, 2))
    if not is_batched or _are_one_hot(labels):
        return labels, predictions
    return _joined(labels, "labels"), _joined(predictions, "predictions")


def joined_rows(values: Any, what: str) -> np.ndarray:
    """Rows of numbers (N, D), perhaps a list of batches of them, perhaps pooled to (N, D, 1, 1)."""
    is_batched = _lengths(values, 2) or _lengths(values, 4)
    return unpooled(_joined(values, what) if is_batched else to_numpy(values, what))


def _are_one_hot(labels: Any) -> bool:
    """Whether a list of arrays is one of one-hot rows, which looks like one of batches."""
    if len(set(_lengths(labels, 1) or (0, 1))) > 1:
        return False
    rows = to_numpy(labels, "labels")
    return rows.dtype.kind in "biuf" and is_one_hot(rows)


def _are_batches_of(batches: Any, joined: Any) -> bool:
    """Whether a list of arrays has together as many rows as something that is joined."""
    rows = _lengths(batches, 1) or _lengths(batches, 2) or []
    is_listed = isinstance(joined, list | tuple)
    count = len(joined) if is_listed else (*getattr(joined, "shape", ()), 0)[0]
    return len(rows) < sum(rows) == count


def _lengths(batches: Any, axes: int) -> list[int] | None:
    """The rows of each array of a list, if each has so many axes and is as wide; else None."""
    if not isinstance(batches, list | tuple) or not batches:
        return None
    shapes: list[tuple[int, ...]] = [getattr(batch, "shape", ()) for batch in batches]
    if any(len(shape) != axes for shape in shapes):
        return None
    is_even = len({tuple(shape[1:]) for shape in shapes}) == 1
    return [int(shape[0]) for shape in shapes] if is_even else None


def _joined(batches: Any, what: str) -> np.ndarray:
    return np.concatenate([to_numpy(batch, what) for batch in batches])


def named_scores(predictions: Any) -> Found | None:
    """What a pipeline of Hugging Face returns for a list: in each row the classes' scores."""
    rows = list(predictions) if isinstance(predictions, list | tuple) else []
    if not rows or not isinstance(rows[0], dict | list):
        return None
    return split_pairs(to_objects(rows))


def one_hot_names(labels: Any) -> tuple[Any, list[str] | None]:
    """Labels of a frame of 0 and 1 by name, as pandas' get_dummies makes it, and its columns."""
    if not is_frame(labels) or (names := column_names(labels)) is None:
        return labels, None
    rows = to_numpy(labels, "labels")
    if rows.dtype.kind not in "biuf" or not is_one_hot(rows):
        return labels, None
    texts = list(map(str, names))
    return np.array(texts, object)[rows.argmax(axis=1)], texts


def check_order(labels: Any, predictions: Any) -> None:
    """Refuse pandas' objects whose indexes name the same images in another order, or other images.

    An index that only counts the rows, as that of a new frame, names none.
    """
    ours, theirs = (_index(each) for each in (labels, predictions))
    if theirs is None or ours is None or len(ours) != len(theirs):
        return
    counts = np.arange(len(theirs))
    if np.array_equal(theirs, counts) or np.array_equal(ours, theirs):
        return
    if np.array_equal(ours, counts) and set(ours.tolist()) != set(theirs.tolist()):
        return
    row = int(np.flatnonzero(ours != theirs)[0])
    raise InputError(
        f"row {row} of the labels has the index {str(ours[row])[:40]!r} and that of the "
        f"predictions {str(theirs[row])[:40]!r}; bring them into one order with .reindex, or, if "
        "they are in one, give both with .reset_index(drop=True)."
    )


def _index(values: Any) -> np.ndarray | None:
    index = getattr(values, "index", None)
    if index is None or callable(index) or not hasattr(values, "iloc"):
        return None
    return np.asarray(index.to_numpy(), object) if index.nlevels == 1 else None


def check_categories(labels: Any, columns: int) -> None:
    """Refuse unnamed columns beside categories in an order of their own.

    The columns are in that order if a net was trained on the categories' codes, and in sorted
    order if scikit-learn was on their names.
    """
    kind = getattr(labels, "dtype", None)
    categories = getattr(kind, "categories", None)
    if categories is None or type(kind).__name__ == "Categorical":  # Polars' have no order.
        return
    names = [str(each) for each in to_numpy(categories, "categories").tolist()]
    in_order = classes_in(np.array(names, object))
    if len(names) == columns and tuple(names) != in_order:
        raise InputError(
            f"the labels are categories in the order {listed(names)}, and the columns of "
            "probabilities have no names: they may be in that order or in the sorted one; give "
            "class_names in the order of the columns."
        )
