"""What a table predicts: a column for each class, the k most probable, or the classes alone."""

import re

import numpy as np

from hardpairs.arrays import are_whole
from hardpairs.labels import classes_in, clean_label
from hardpairs.predictions.class_columns import WRAPPED, find_class_columns, stacked
from hardpairs.predictions.columns import (
    CONFIDENCE,
    INDICES,
    PREDICTED,
    VECTORS,
    Table,
    first_named,
    plain,
)
from hardpairs.predictions.found import Found
from hardpairs.predictions.top import find_top, split_pairs

# Ludwig's columns of an output feature, and one for each class.
LUDWIG = re.compile(r"^(?P<feature>.+)_(predictions|probabilities|probability)$")


def find_scores(left: Table, labels: np.ndarray | None, *, is_true: bool) -> Found | None:
    """Probabilities of every class, the k most probable, or the predicted classes.

    What says most of a column goes before what could be said of many: names that one tool alone
    gives, ranks, and columns of lists; then a column for each class; then the predicted class,
    with its score or without; last, one column of scores.

    Args:
        left: The columns that are neither labels nor ids; what is taken is taken out.
        labels: (N,), or None.
        is_true: Whether their column is named as one of true labels.

    Returns:
        None where nothing is predicted.
    """
    by_form = _ludwig(left) or find_top(left) or _pairs(left)
    if by_form is not None:
        return by_form
    name = first_named(left, PREDICTED, set())
    predicted = left.pop(name) if name is not None and _is_classes(left[name]) else None
    of_each = _vectors(left, predicted) or find_class_columns(left, labels, predicted)
    if of_each is not None:
        return of_each
    confidence = confidence_of(left)
    if predicted is not None:
        of_two = _of_two_predicted(left, labels, predicted)
        return of_two or Found(predicted=predicted, top_scores=confidence)
    if confidence is not None and labels is None:  # An index beside its score is the prediction's.
        index = first_named(left, INDICES, set())
        if index is not None:
            return Found(predicted=left.pop(index), top_scores=confidence)
    if confidence is not None and labels is not None and _is_second(confidence, labels, is_true):
        return Found(scores=confidence)
    return _one_of_two(left, labels)


def _ludwig(left: Table) -> Found | None:
    """`F_predictions` and `F_probabilities_CLASS`, as Ludwig writes an output feature F."""
    for name in list(left):
        match = LUDWIG.match(name)
        prefix = f"{match['feature']}_probabilities_" if match else ""
        classes = [column for column in left if prefix and column.startswith(prefix)]
        if len(classes) < 2 or f"{match['feature'] if match else ''}_predictions" not in left:
            continue
        return Found(
            scores=stacked(left, classes),
            class_names=[column.removeprefix(prefix) for column in classes],
        )
    return None


def _vectors(left: Table, predicted: np.ndarray | None) -> Found | None:
    """Scores of all classes in one column of lists."""
    for name, values in left.items():
        if plain(name) in VECTORS and values.ndim == 2 and values.dtype.kind in "biuf":
            return Found(scores=values, predicted=predicted)
    return None


def _pairs(left: Table) -> Found | None:
    """Classes and their scores in one column of dicts."""
    return next(filter(None, map(split_pairs, left.values())), None)


def _is_classes(values: np.ndarray) -> bool:
    """Whether a column named as a prediction holds classes, not scores of one."""
    kind = values.dtype.kind
    return values.ndim == 1 and (kind in "iubOUS" or (kind == "f" and are_whole(values)))


def _of_two_predicted(
    left: Table, labels: np.ndarray | None, predicted: np.ndarray
) -> Found | None:
    """One column of probabilities beside two predicted classes, of that where they are higher.

    A predicted class's own probabilities are never below a half.
    """
    names = classes_in(predicted)
    if labels is None or len(names) != 2 or classes_in(labels) != names:
        return None
    is_second = np.array([clean_label(value) == names[1] for value in predicted.tolist()])
    for name, values in left.items():
        if not are_shares(values) or values.min() >= 0.5 or values.max() <= 0.5:
            continue
        first, second = values[~is_second], values[is_second]
        if first.max() > second.min() and second.max() > first.min():
            continue
        is_of_second = bool(first.max() <= second.min())
        share = values if is_of_second else 1 - values
        note = (
            f"The column {name[:40]!r} is taken for the probability of {names[is_of_second]!r}, "
            "which is predicted where it is higher."
        )
        scores = np.stack([1 - share, share], axis=1)
        return Found(scores=scores, predicted=predicted, class_names=list(names), notes=(note,))
    return None


def _is_second(confidence: np.ndarray, labels: np.ndarray, is_true: bool) -> bool:
    """Whether one score beside a label is the second class's, and not the prediction's own."""
    distinct = set(labels.tolist())
    return len(distinct) <= 2 and (is_true or float(np.min(confidence)) < 0.5)


def _one_of_two(left: Table, labels: np.ndarray | None) -> Found | None:
    """One column of probabilities, of the class that it is named by, else of the second of two."""
    columns = [name for name, values in left.items() if are_shares(values)]
    if len(columns) != 1:
        return None
    (name,) = columns
    if labels is None:
        return Found(scores=left[name])
    distinct = classes_in(labels)
    if len(distinct) > 2 or (plain(name) in CONFIDENCE and float(left[name].min()) >= 0.5):
        return None
    called = {name.strip()} | {
        match["name"].strip() for pattern in WRAPPED if (match := pattern.match(name))
    }
    named = [each for each in distinct if each in called]
    if not named:
        return Found(scores=left[name])
    if len(distinct) < 2:  # Its other class is unknown.
        return None
    others = [each for each in distinct if each not in named]
    return Found(scores=left[name], class_names=[*others, *named])


def are_shares(values: np.ndarray) -> bool:
    """Whether a column (N,) holds probabilities and not only 0 and 1."""
    is_float = values.ndim == 1 and values.dtype.kind == "f" and len(values) > 0
    return is_float and bool(
        np.isfinite(values).all()
        and values.min() >= 0
        and values.max() <= 1
        and not are_whole(values)
    )


def confidence_of(left: Table) -> np.ndarray | None:
    """The column of the predicted classes' own scores, or None."""
    name = first_named(left, CONFIDENCE, set())
    if name is None or left[name].ndim != 1 or left[name].dtype.kind not in "iuf":
        return None
    return left[name]
