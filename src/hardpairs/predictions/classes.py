"""What a class is called, and whether a number is a class's name or its place among the names.

It is decided here alone, by what is surest:

1. The user's dict of numbers and names says it (`with_own_numbers`).
2. Another column of the table tells the same classes by name (`of_one_kind`).
3. The names that were given do, or what occurs among labels and predictions (`name_classes`).

`hardpairs.labels.look_up` then finds each label among the names, and keeps to that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, is_text, to_numpy, to_objects
from hardpairs.errors import InputError
from hardpairs.labels import (
    NUMBERED,
    are_numbers,
    as_numbers,
    classes_in,
    clean_label,
    listed,
    numbered,
    to_names,
    to_vector,
)
from hardpairs.predictions.cells import SAMPLE
from hardpairs.predictions.columns import Table
from hardpairs.predictions.found import Found

ABSENT = ("na", "nan", "n/a", "<na>", "null")  # What R and pandas write for nothing.


def with_own_numbers(found: Found, class_names: Any) -> Found:
    """Classes by name where a dict names numbers that aren't 0 to K-1: {1: "cat", 7: "dog"}.

    The columns of scores are in the order of the numbers.
    """
    if not isinstance(class_names, Mapping) or not all(map(_is_whole, class_names)):
        return found
    names = {int(number): str(name) for number, name in class_names.items()}
    if sorted(names) == list(range(len(names))):
        return found
    top, what = found.top_classes, "predicted classes"
    return replace(
        found,
        class_names=[names[number] for number in sorted(names)],
        labels=_named(found.labels, names, "labels"),
        predicted=_named(found.predicted, names, what),
        top_classes=None if top is None else _named(top.ravel(), names, what).reshape(top.shape),
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) or (isinstance(value, str) and value.isdecimal())


def _named(values: Any, names: dict[int, str], what: str) -> Any:
    """Classes given by number as texts; others, and None, as they are."""
    if values is None:
        return None
    array = to_vector(values, what)
    if array.dtype.kind not in "iuf":
        return array
    unknown = set(array.tolist()) - set(names)
    if unknown:
        raise InputError(
            f"{what} are {listed(sorted(unknown), 3)}, which class_names doesn't name; it has "
            f"{listed(sorted(names))}."
        )
    return to_objects([names[number] for number in array.tolist()])


def of_one_kind(labels: np.ndarray, found: Found, left: Table) -> tuple[np.ndarray, Found]:
    """Labels and predictions both by name, or both by number, where other columns tell how.

    Numbers of one side would else be taken for places among the names of the other, in an order
    that is only supposed.

    Args:
        labels: (N,) numbers or names.
        found: What is predicted.
        left: Columns that hold neither.
    """
    if is_text(labels):
        return labels, _by_name(labels, found, left)
    named = _named_beside(labels, _names_in(found), left)
    if named is not None:
        return named, found
    numbers = _own_numbers(found)
    given = set(labels.tolist()) if labels.dtype.kind in "iuf" else set()
    if given and given <= set(numbers):
        return to_objects([numbers[each] for each in labels.tolist()]), found
    return labels, found


def _own_numbers(found: Found) -> dict[float, str]:
    """Names of columns as ``class1`` by their numbers, where these aren't the columns' places."""
    if found.class_names is None or not is_text(to_numpy(found.class_names, "class names")):
        return {}
    names = to_names(found.class_names)
    matches = [NUMBERED.fullmatch(name) for name in names]
    if not all(matches) or len({match["start"] for match in matches if match}) != 1:
        return {}
    numbers = {float(match["number"]): match[0] for match in matches if match}
    return {} if len(numbers) < len(names) or list(numbers) == [*range(len(names))] else numbers


def _by_name(labels: np.ndarray, found: Found, left: Table) -> Found:
    """Predictions by number as names, by a column of these or by one of the labels' numbers."""
    predicted = None if found.predicted is None or is_text(found.predicted) else found.predicted
    if predicted is not None:
        known = set(map(clean_label, set(labels.tolist())))
        named = _named_beside(predicted, known, left)
        if named is not None:
            found, predicted = replace(found, predicted=named), None
    told = [names_by_number(values, labels) for values in left.values() if not is_text(values)]
    for names in filter(None, told):
        if found.scores is not None and found.scores.ndim == 2:
            columns = found.class_names
            columns = range(found.scores.shape[1]) if columns is None else columns
            if all(isinstance(each, int) for each in columns) and set(names) <= set(columns):
                return replace(found, class_names=[names.get(each, str(each)) for each in columns])
        elif predicted is not None and set(names) >= set(predicted.tolist()):
            return replace(found, predicted=to_objects([names[n] for n in predicted.tolist()]))
    return found


def _named_beside(
    numbers: np.ndarray, known: Collection[str | None], left: Table
) -> np.ndarray | None:
    """A column of names of the same classes as the numbers, of which some are known."""
    for values in left.values():
        names = names_by_number(numbers, values) if known and is_text(values) else None
        if names is not None and any(name in known for name in names.values()):
            return values
    return None


def names_by_number(numbers: np.ndarray, texts: np.ndarray) -> dict[float, str] | None:
    """The name of each number, where a column of texts tells the same classes; else None."""
    are_numbers = numbers.ndim == 1 and numbers.dtype.kind in "iuf"
    if not are_numbers or texts.ndim != 1 or not are_whole(numbers):
        return None
    for rows in (slice(SAMPLE), slice(None)):  # Of a thousand columns the first rows tell.
        given = zip(numbers[rows].tolist(), map(clean_label, texts[rows].tolist()), strict=True)
        pairs = set(given)
        names = {number: name for number, name in pairs if name is not None}
        if not len(pairs) == len(names) == len(set(names.values())):
            return None
    return names if 1 < len(names) < len(numbers) else None


def _names_in(found: Found) -> set[str | None]:
    """What the predictions call their classes, if by name."""
    values: Any = found.predicted if found.predicted is not None else found.top_classes
    values = found.class_names if values is None else values
    if values is None or not is_text(array := to_numpy(values, "predicted classes")):
        return set()
    return set(to_names(array))


def name_classes(
    found: Found, labels: np.ndarray, columns: int | None, notes: list[str]
) -> tuple[tuple[str, ...], bool]:
    """Name the classes, and say whether numbers are names wherever all of them are names.

    Args:
        found: Has the names that were given, and the predicted classes.
        labels: (N,) numbers or names.
        columns: K columns of scores; None where there are no scores.
        notes: Gets a sentence where the names had to be supposed.

    Raises:
        InputError: The names don't fit the columns or the labels (see the message).
    """
    given = found.class_names
    if given is not None and not _count_columns(names := to_names(given), labels, columns):
        if columns is not None and len(names) != columns:
            raise InputError(
                f"{len(names)} class names for {columns} columns of probabilities; "
                "give one text for each."
            )
        return names, not isinstance(given, dict) and not is_text(to_numpy(given, "class_names"))
    if columns is None:
        seen = [
            to_numpy(values, "predicted classes").ravel()
            for values in (found.predicted, found.top_classes)
            if values is not None
        ]
        return _names_that_occur(labels, seen, notes), True
    if labels.dtype.kind not in "OUS":
        return _names_of_numbers(labels, columns, notes), True
    distinct = classes_in(labels)
    if set(distinct) <= set(numbered(columns)):
        return numbered(columns), True
    if len(distinct) != columns:
        raise InputError(
            f"the labels are the {len(distinct)} names {listed(distinct)}, and there are {columns} "
            "columns of probabilities without names; give class_names, in the columns' order."
        )
    notes.append(
        f"The columns of probabilities have no names: taken in sorted order, {listed(distinct)}, "
        "as scikit-learn and class folders have them."
    )
    return distinct, False


def _count_columns(names: tuple[str, ...], labels: np.ndarray, columns: int | None) -> bool:
    """Whether names are numbers of columns, as of a frame without any, and labels as many texts."""
    if columns is None or names != numbered(columns) or labels.dtype.kind not in "OUS":
        return False
    distinct = classes_in(labels)
    return len(distinct) == columns and set(distinct).isdisjoint(names)


def _names_of_numbers(labels: np.ndarray, classes: int, notes: list[str]) -> tuple[str, ...]:
    """ "0" to "K-1"; or the K numbers that occur, if they are others, in sorted order."""
    distinct: tuple[str, ...] = ()
    if labels.dtype.kind in "iuf" and are_whole(labels):
        distinct = classes_in(labels)
    if len(distinct) != classes or are_numbers(distinct):
        return numbered(classes)
    notes.append(
        f"The labels are the {classes} numbers {listed(distinct)}: the columns of probabilities "
        "are taken for theirs in sorted order, as scikit-learn has them."
    )
    return distinct


def _names_that_occur(
    labels: np.ndarray, predicted: Sequence[np.ndarray], notes: list[str]
) -> tuple[str, ...]:
    """Return the names of all classes: of numbers from 0 on, else what occurs, in sorted order.

    Args:
        labels: (N,) numbers or names.
        predicted: Predicted classes, likewise, one array or more.
        notes: Gets a sentence where one side's names had to be matched with the other's.

    Raises:
        InputError: One class alone occurs, or the two sides name none alike.
    """
    seen = [labels, *predicted]
    if all(values.dtype.kind in "biuf" for values in seen):
        values = np.concatenate([values.astype(np.float64) for values in seen])
        if len(values) and are_whole(values):
            low, high = int(values.min()), int(values.max())
            if low >= 0 and high < max(2 * len(np.unique(values)), 10):
                _note_shift(labels, predicted, notes)
                return numbered(max(high + 1, 2))
    ours, theirs = classes_in(labels), classes_in(_joined(predicted))
    _refuse_absent(ours, theirs)
    names = _united(ours, theirs, notes)
    if len(names) < 2:
        raise InputError(
            f"labels and predictions know one class alone, {listed(names)}; give two at least."
        )
    return names


def _joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([values.astype(object) for values in arrays] or [np.array([], object)])


def _united(ours: tuple[str, ...], theirs: tuple[str, ...], notes: list[str]) -> tuple[str, ...]:
    """The classes of both sides: by name, whatever the case; or numbers as places among names."""
    if not ours or not theirs:
        return ours or theirs
    folded = {name.casefold() for name in ours}
    more = [name for name in theirs if name.casefold() not in folded]
    if not folded.isdisjoint(name.casefold() for name in theirs):
        if len(folded) < len(ours) or len(set(map(str.casefold, theirs))) < len(theirs):
            more = [name for name in theirs if name not in ours]  # Their case tells some apart.
        return classes_in(np.array([*ours, *more], object))
    for named, numbers, which in ((ours, theirs, "predicted classes"), (theirs, ours, "labels")):
        places = as_numbers(numbers)
        if places is not None and as_numbers(named) is None and max(places) < len(named):
            notes.append(
                f"The {which} are numbers: taken as places among the names of the others in "
                f"sorted order, {listed(named)}, as scikit-learn and class folders have them."
            )
            return named
    raise InputError(
        f"the labels are {listed(ours)} and the predicted classes {listed(theirs)}: no class is "
        "named on both sides; name them alike, or give class_names in the order of the numbers."
    )


def _refuse_absent(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """Refuse texts for nothing, where one side alone has them: they are no class there."""
    for these, others, what in ((ours, theirs, "labels"), (theirs, ours, "predicted classes")):
        for name in these:
            if name not in others and name.casefold() in ABSENT:
                raise InputError(
                    f"some {what} are {name!r}, which the other side never names; give every "
                    "image a class, or leave those images out."
                )


def _note_shift(labels: np.ndarray, predicted: Sequence[np.ndarray], notes: list[str]) -> None:
    """Say so where one side's numbers seem to count from 1 and the other's from 0."""
    flat = np.concatenate(predicted) if predicted else labels
    spans = [(int(values.min()), int(values.max())) for values in (labels, flat)]
    low, high = min(spans), max(spans)
    if low[0] == 0 and high == (1, low[1] + 1):
        ones, zeros = "labels", "predicted classes"
        if spans[0] == low:
            ones, zeros = zeros, ones
        notes.append(
            f"The {ones} run from 1 to {high[1]} and the {zeros} from 0 to {low[1]}: if the {ones} "
            "count from 1, subtract 1."
        )
