"""Columns of scores, one for each class: which of a table's numbers they are, and of what class."""

import re

import numpy as np

from hardpairs.arrays import are_whole
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, clean_label, numbered_columns
from hardpairs.predictions.cells import SAMPLE, is_number
from hardpairs.predictions.columns import CONFIDENCE, Table, holds_texts, plain
from hardpairs.predictions.faults import check_cells
from hardpairs.predictions.found import Found
from hardpairs.predictions.probabilities import ROUNDING, rounding

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


def find_class_columns(
    left: Table, labels: np.ndarray | None, predicted: np.ndarray | None
) -> Found | None:
    """Find the columns that hold the scores of one class each, two at least.

    Args:
        left: The columns that are neither labels, ids nor predicted classes.
        labels, predicted: (N,), or None.

    Raises:
        InputError: A column of texts stands where a class should, or a score isn't finite.
    """
    mentioned = set() if labels is None else {clean_label(value) for value in set(labels.tolist())}
    numbers = [
        name
        for name, values in left.items()
        if values.ndim == 1 and values.dtype.kind in "biuf" and plain(name) not in CONFIDENCE
    ]
    names = _unwrapped(numbers, mentioned) or _as_named(left, numbers, mentioned)
    left_out = [name for name in left if name not in ("", *names) and plain(name) not in CONFIDENCE]
    if names:
        _check_texts(left, left_out, names, mentioned)
    columns, called = list(names), list(names.values())
    if len(columns) < 2:
        return None
    if predicted is not None and not _are_classes(left, columns, called, labels):
        return None
    order, class_names = numbered_columns(called)
    unused = f"Not used: {', '.join(repr(name[:40]) for name in left_out[:8])}."
    return Found(
        scores=stacked(left, [columns[place] for place in order]),
        class_names=class_names,
        predicted=predicted,
        notes=(unused,) if left_out else (),
    )


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


def _as_named(left: Table, numbers: list[str], mentioned: set[str | None]) -> dict[str, str]:
    """Columns named as their classes are, without what stands beside the scores.

    That is a loss, an entropy, whether it's right: classes are what is named as a label is.
    """
    extra = _extra_numbers(left, numbers)
    names = {name: name.strip() for name in numbers if name not in extra}
    named = {name: each for name, each in names.items() if each in mentioned}
    if _sum_to_one(left, list(names)):
        return names
    if _sum_to_one(left, list(named)):
        return named
    is_known = mentioned <= set(named.values()) and len(named) >= 2
    return _without_others(left, names, named) if is_known else names


def _extra_numbers(left: Table, numbers: list[str]) -> set[str]:
    """Columns of whole numbers that stand beside probabilities: a width, a fold, an epoch."""
    large = {name for name in numbers if np.abs(left[name]).max(initial=0) > 1 + ROUNDING}
    if len(numbers) - len(large) < 2:
        return set()
    return {name for name in large if are_whole(left[name])}


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


def _sum_to_one(left: Table, columns: list[str]) -> bool:
    """Whether columns can be the scores of all classes: the first rows sum to 1 or 100."""
    if len(columns) < 2:
        return False
    rows = np.stack([left[name][:SAMPLE] for name in columns], axis=1)
    sums = rows.sum(axis=1)
    return rows.min() >= -ROUNDING and any(
        bool(np.abs(sums / total - 1).max() <= rounding(rows / total)) for total in (1, 100)
    )


def _check_texts(
    left: Table, left_out: list[str], names: dict[str, str], mentioned: set[str | None]
) -> None:
    """Refuse a column of texts named as a label is, or most of it numbers if a class may lack."""
    # No class is missing where probabilities sum to 1, or every label has its logits.
    is_all = _sum_to_one(left, list(names)) or (
        bool(mentioned)
        and mentioned <= set(names.values())
        and any(left[name].min() < 0 for name in names)
    )
    for name in left_out:
        if not holds_texts(left[name]):
            continue
        if not is_all:
            check_cells(left[name], name)
        cells = [cell for cell in left[name][:SAMPLE].tolist() if cell.strip()]
        bad = [cell for cell in cells if not is_number(cell)]
        may_be_class = len(bad) <= len(cells) / 2 and not is_all
        if bad and (name.strip() in mentioned or may_be_class):
            raise InputError(
                f"the column {name[:40]!r} stands where a class should and holds {bad[0][:40]!r}, "
                "which is no number; mend it."
            )


def stacked(left: Table, columns: list[str]) -> np.ndarray:
    """Columns of scores side by side, (N, K).

    Raises:
        InputError: One isn't finite.
    """
    for name in columns:
        missing = np.flatnonzero(~np.isfinite(left[name]))
        if len(missing):
            raise InputError(
                f"image {missing[0] + 1} of {len(left[name])} has no finite number in the column "
                f"{name[:40]!r}; fill it in, or predict again."
            )
    return np.stack([left[name] for name in columns], axis=1)
