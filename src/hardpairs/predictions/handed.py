"""Labels and predictions as they are handed over in memory: batches, frames, series, categories."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from hardpairs.arrays import shape_of, to_numpy, to_objects, unpooled
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, is_one_hot, listed
from hardpairs.predictions.found import Found
from hardpairs.predictions.frames import is_frame
from hardpairs.predictions.top import split_pairs


def bare_scores(predictions: Any) -> Any:
    """Scores without what models and trainers of Transformers return them in; of a list, each's."""
    for name in () if is_frame(predictions) else ("predictions", "logits"):
        scores = getattr(predictions, name, None)
        if scores is not None:  # Hidden states may stand behind the logits.
            return scores[0] if isinstance(scores, tuple) else scores
    is_listed = isinstance(predictions, list | tuple) and len(predictions) > 0
    if is_listed and getattr(predictions[0], "logits", None) is not None:
        return [each.logits for each in predictions]
    return predictions


def join_batches(labels: Any, predictions: Any) -> tuple[Any, Any]:
    """Lists of batches, as a loop over a loader collects them, as one array each.

    Either may be joined already. What isn't plainly batches is returned as it came: a list of
    (N, K) of several nets has more rows than there are labels.

    Raises:
        InputError: It is open whether they are batches of two classes, or rows of several labels.
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
    _check_rows(labels, predictions)
    return _joined(labels, "labels"), _joined(predictions, "predictions")


def joined_ids(ids: Any, images: int) -> Any:
    """Ids, perhaps in batches, of N images."""
    lengths = _lengths(ids, 1) or ()
    return _joined(ids, "ids") if len(lengths) < sum(lengths) == images else ids


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


def _check_rows(labels: Any, predictions: Any) -> None:
    """Refuse many short lists of 0 and 1 beside as short ones of scores: rows of several labels."""
    lengths = set(_lengths(labels, 1) or (0,))
    width = min(lengths)
    is_short = width < len(labels) or isinstance(labels[0], list | tuple)
    if len(lengths) > 1 or width < 2 or not is_short or _lengths(predictions, 1) is None:
        return
    rows = to_numpy(labels, "labels")
    if rows.dtype.kind in "biuf" and np.isin(rows, (0, 1)).all():
        raise InputError(
            f"labels are {len(labels):,} lists of {width} zeros and ones: of several labels an "
            "image no confusions are counted; if they are batches of two classes, give "
            "numpy.concatenate of them and of the scores."
        )


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
    shapes = [shape_of(batch) for batch in batches]
    if any(len(shape) != axes for shape in shapes):
        return None
    is_even = len({tuple(shape[1:]) for shape in shapes}) == 1
    return [int(shape[0]) for shape in shapes] if is_even else None


def _joined(batches: Any, what: str) -> np.ndarray:
    return np.concatenate([to_numpy(batch, what) for batch in batches])


def joined_records(records: list[dict[str, Any]]) -> dict[str, np.ndarray] | None:
    """Records of batches, as test steps return them: arrays of a row for each image; or None."""
    axes = {min(len(shape_of(value)), 2) for value in records[0].values()}
    if axes != {1, 2} or any(record.keys() != records[0].keys() for record in records):
        return None
    if any(len({shape_of(value)[:1] for value in record.values()}) > 1 for record in records):
        return None
    return {str(name): _joined([each[name] for each in records], str(name)) for name in records[0]}


def named_scores(predictions: Any) -> Found | None:
    """What a pipeline of Hugging Face returns for a list: in each row the classes' scores."""
    rows = list(predictions) if isinstance(predictions, list | tuple) else []
    if not rows or not isinstance(rows[0], dict | list):
        return None
    return split_pairs(to_objects(rows))


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
