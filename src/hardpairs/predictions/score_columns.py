"""Predictions in a table: a column for each class, the k most probable, or the classes alone."""

import re

import numpy as np

from hardpairs.arrays import are_whole, is_text
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, clean_label, numbered_columns
from hardpairs.predictions.cells import SAMPLE, is_number
from hardpairs.predictions.columns import (
    CONFIDENCE,
    INDICES,
    PREDICTED,
    VECTORS,
    Table,
    first_named,
    plain,
)
from hardpairs.predictions.faults import check_cells
from hardpairs.predictions.found import Found
from hardpairs.predictions.probabilities import ROUNDING, rounding
from hardpairs.predictions.top import find_top, split_pairs

_SCORE = (
    "prob|probs|proba|probas|probability|probabilities|score|scores|logit|logits|conf|confidence"
)
# How a class's name is wrapped: prob_cat, P(class=cat), confidence(cat), cat_score, and Azure's.
WRAPPED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^(?:{_SCORE}|p)\s*\((?:[^()=]*=)?(?P<name>.+)\)$",
        rf"^(?:{_SCORE}|p|pred|prediction|output|softmax)[_\-. :]+(?P<name>.+)$",
        r'^scored probabilities(?: for class|_)?[ ]?"?(?P<name>.+?)"?$',
        rf"^(?P<name>.+?)[_\-. :]+(?:{_SCORE})$",
        r"^p(?P<name>\d+)$",
    )
)
# Ludwig's columns of an output feature, and one for each class.
LUDWIG = re.compile(r"^(?P<feature>.+)_(predictions|probabilities|probability)$")


def _ludwig(left: Table) -> Found | None:
    """`F_predictions` and `F_probabilities_CLASS`, as Ludwig writes an output feature F."""
    for name in list(left):
        match = LUDWIG.match(name)
        prefix = f"{match['feature']}_probabilities_" if match else ""
        classes = [column for column in left if prefix and column.startswith(prefix)]
        if len(classes) < 2 or f"{match['feature'] if match else ''}_predictions" not in left:
            continue
        return Found(
            scores=_stacked(left, classes),
            class_names=[column.removeprefix(prefix) for column in classes],
        )
    return None


def find_scores(left: Table, labels: np.ndarray | None, *, is_true: bool) -> Found | None:
    """Probabilities of every class, the k most probable, or the predicted classes.

    Args:
        left: The columns that are neither labels nor ids; what is taken is taken out.
        labels: (N,), or None.
        is_true: Whether their column is named as one of true labels.

    Returns:
        None where nothing is predicted.
    """
    given = _ludwig(left) or _vectors(left)
    if given is not None:
        return given
    name = first_named(left, PREDICTED, set())
    predicted = left.pop(name) if name is not None and _is_classes(left[name]) else None
    columns, names, notes = _class_columns(left, labels)
    if len(columns) >= 2 and (predicted is None or _are_classes(left, columns, names, labels)):
        order, class_names = numbered_columns(names)
        return Found(
            scores=_stacked(left, [columns[place] for place in order]),
            class_names=class_names,
            predicted=predicted,
            notes=notes,
        )
    confidence = confidence_of(left)
    index = first_named(left, INDICES, set())
    if predicted is None and labels is None and confidence is not None and index is not None:
        predicted = left.pop(index)
    if predicted is not None:
        both = _one_of_predicted(left, labels, predicted)
        return both or Found(predicted=predicted, top_scores=confidence)
    if confidence is not None and labels is not None and _is_second(confidence, labels, is_true):
        return Found(scores=confidence)
    return _one_of_two(left, labels)


def _are_classes(
    left: Table, columns: list[str], names: list[str], labels: np.ndarray | None
) -> bool:
    """Whether numbers beside a predicted class are scores, not an index, a width or a time."""
    if labels is None or columns != names or _sum_to_one(left, columns):
        return True  # Their names say so, or their sum.
    mentioned = set(classes_in(labels))
    if not mentioned.isdisjoint(names):
        return True
    are_places = all(name.isdecimal() and int(name) < len(names) for name in mentioned)
    return are_places and any(left[name].min() < 0 for name in columns)  # Logits.


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


def _one_of_predicted(
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


def are_shares(values: np.ndarray) -> bool:
    """Whether a column (N,) holds probabilities and not only 0 and 1."""
    is_float = values.ndim == 1 and values.dtype.kind == "f" and len(values) > 0
    return is_float and bool(
        np.isfinite(values).all()
        and values.min() >= 0
        and values.max() <= 1
        and not are_whole(values)
    )


def _vectors(left: Table) -> Found | None:
    """Scores that stand in one column of lists or dicts, or the most probable classes."""
    top = find_top(left)
    if top is not None:
        return top
    for name, values in left.items():
        if plain(name) in VECTORS and values.ndim == 2 and values.dtype.kind in "biuf":
            return Found(scores=values)
    return next(filter(None, map(split_pairs, left.values())), None)


def _is_classes(values: np.ndarray) -> bool:
    """Whether a column named as a prediction holds classes, not scores of one."""
    kind = values.dtype.kind
    return values.ndim == 1 and (kind in "iubOUS" or (kind == "f" and are_whole(values)))


def _is_second(confidence: np.ndarray, labels: np.ndarray, is_true: bool) -> bool:
    """Whether one score beside a label is the second class's, and not the prediction's own."""
    distinct = set(labels.tolist())
    return len(distinct) <= 2 and (is_true or float(np.min(confidence)) < 0.5)


def _class_columns(
    left: Table, labels: np.ndarray | None
) -> tuple[list[str], list[str], tuple[str, ...]]:
    """The columns of probabilities, the names of their classes, and what was left out."""
    numbers = [
        name
        for name, values in left.items()
        if values.ndim == 1 and values.dtype.kind in "biuf" and plain(name) not in CONFIDENCE
    ]
    mentioned = set() if labels is None else {clean_label(value) for value in set(labels.tolist())}
    names = _unwrapped(numbers, mentioned)
    if names is None:
        extra = _extra_numbers(left, numbers)
        names = {name: name.strip() for name in numbers if name not in extra}
        named = {name: each for name, each in names.items() if each in mentioned}
        # A loss, an entropy, whether it's right: classes are what is named as a label is.
        if not _sum_to_one(left, list(names)):
            if _sum_to_one(left, list(named)):
                names = named
            elif mentioned <= set(named.values()) and len(named) >= 2:
                names = _without_others(left, names, named)
    left_out = [name for name in left if name not in names and plain(name) not in CONFIDENCE]
    if names:
        # No class is missing where probabilities sum to 1, or every label has its logits.
        is_all = _sum_to_one(left, list(names)) or (
            bool(mentioned)
            and mentioned <= set(names.values())
            and any(left[name].min() < 0 for name in names)
        )
        texts = {name: left[name] for name in left_out if is_text(left[name])}
        _check_texts(texts, mentioned, is_all=is_all)
    notes: tuple[str, ...] = ()
    if left_out and len(names) >= 2:
        notes = (f"Not used: {', '.join(repr(name[:40]) for name in left_out[:8])}.",)
    return list(names), list(names.values()), notes


def _unwrapped(numbers: list[str], mentioned: set[str | None]) -> dict[str, str] | None:
    """Columns whose names wrap a class's in one and the same way, with the classes' names."""
    if mentioned and mentioned <= {name.strip() for name in numbers}:
        return None  # The labels are named as the columns are.
    if around := _around(numbers, mentioned):
        return around
    for pattern in WRAPPED:
        found = {name: match["name"].strip() for name in numbers if (match := pattern.match(name))}
        numbered = {name: each for name, each in found.items() if each.isdecimal()}
        if len(numbered) == len(found) - 1 > 1:  # pred_idx beside prob_0, prob_1.
            found = numbered
        if len(found) >= 2 and all(found.values()) and len(set(found.values())) == len(found):
            return found
    return None


def _around(numbers: list[str], mentioned: set[str | None]) -> dict[str, str] | None:
    """Columns whose names are those of the labels with one text before and one behind them.

    As tidymodels' ``.pred_cat`` and H2O's ``pcat``. What is a number could be anything's.
    """
    labels = sorted(name for name in mentioned if name)
    if len(labels) < 2 or all(name.isdecimal() for name in labels):
        return None
    there = set(numbers)
    for column in numbers:
        before, _, behind = column.partition(labels[0])
        if column != before and there.issuperset(before + name + behind for name in labels):
            end = len(behind)
            return {
                name: name[len(before) : -end or None].strip()
                for name in numbers
                if name.startswith(before) and name.endswith(behind)
            }
    return None


def _without_others(left: Table, names: dict[str, str], named: dict[str, str]) -> dict[str, str]:
    """Without numbers that aren't a class's scores: an age, an uncertainty, a time.

    The labels name the others. Of probabilities that is what keeps all from summing to 1; logits
    have no sum, so there it is whole numbers, a constant, or what mostly lies beyond the others.
    """
    unnamed = [name for name in names if name not in named]
    for name in unnamed:
        if _sum_to_one(left, rest := [each for each in names if each != name]):
            return {each: names[each] for each in rest}
    known = np.stack([left[name] for name in named], axis=1)
    low, high = known.min(), known.max()
    others = {
        name
        for name in unnamed
        if (values := left[name]).min() == values.max()
        or are_whole(values)
        or ((values < low) | (values > high)).mean() > 0.5
    }
    return {name: each for name, each in names.items() if name not in others}


def _sum_to_one(left: Table, columns: list[str]) -> bool:
    """Whether columns can be the scores of all classes: the first rows sum to 1 or 100."""
    if len(columns) < 2:
        return False
    rows = np.stack([left[name][:SAMPLE] for name in columns], axis=1)
    sums = rows.sum(axis=1)
    return rows.min() >= -ROUNDING and any(
        bool(np.abs(sums / total - 1).max() <= rounding(rows / total)) for total in (1, 100)
    )


def _check_texts(texts: Table, mentioned: set[str | None], *, is_all: bool) -> None:
    """Refuse a column of texts named as a label is, or most of it numbers if a class may lack."""
    for name, values in texts.items():
        if not is_all:
            check_cells(values, name)
        cells = [cell for cell in values[:SAMPLE].tolist() if cell.strip()]
        bad = [cell for cell in cells if not is_number(cell)]
        may_be_class = len(bad) <= len(cells) / 2 and not is_all
        if bad and (name.strip() in mentioned or may_be_class):
            raise InputError(
                f"the column {name[:40]!r} stands where a class should and holds {bad[0][:40]!r}, "
                "which is no number; mend it."
            )


def _extra_numbers(left: Table, numbers: list[str]) -> set[str]:
    """Columns of whole numbers that stand beside probabilities: a width, a fold, an epoch."""
    large = {name for name in numbers if np.abs(left[name]).max(initial=0) > 1 + ROUNDING}
    if len(numbers) - len(large) < 2:
        return set()
    return {name for name in large if are_whole(left[name])}


def _stacked(left: Table, columns: list[str]) -> np.ndarray:
    for name in columns:
        missing = np.flatnonzero(~np.isfinite(left[name]))
        if len(missing):
            raise InputError(
                f"image {missing[0] + 1} of {len(left[name])} has no finite number in the column "
                f"{name[:40]!r}; fill it in, or predict again."
            )
    return np.stack([left[name] for name in columns], axis=1)


def confidence_of(left: Table) -> np.ndarray | None:
    """The column of the predicted classes' own scores, or None."""
    name = first_named(left, CONFIDENCE, set())
    if name is None or left[name].ndim != 1 or left[name].dtype.kind not in "iuf":
        return None
    return left[name]
