"""Classes that a table tells twice, by number and by name: ``label_id``, ``label``."""

from dataclasses import replace
from typing import Any

import numpy as np

from hardpairs.arrays import are_whole, is_text, to_numpy, to_objects
from hardpairs.labels import NUMBERED, clean_label, to_names
from hardpairs.predictions.cells import SAMPLE
from hardpairs.predictions.columns import Table
from hardpairs.predictions.found import Found


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
    called = _names_in(found)
    for values in left.values():
        names = names_by_number(labels, values) if called and is_text(values) else None
        if names is not None and not called.isdisjoint(names.values()):
            return values, found
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
    predicted = found.predicted
    if predicted is not None and not is_text(predicted):
        known = set(map(clean_label, set(labels.tolist())))
        for values in left.values():
            names = names_by_number(predicted, values) if is_text(values) else None
            if names is not None and not known.isdisjoint(names.values()):
                found = replace(found, predicted=values)
                break
    numbered = [names_by_number(values, labels) for values in left.values() if not is_text(values)]
    for names in filter(None, numbered):
        if found.scores is not None and found.scores.ndim == 2:
            columns = found.class_names
            columns = range(found.scores.shape[1]) if columns is None else columns
            if all(isinstance(each, int) for each in columns) and set(names) <= set(columns):
                return replace(found, class_names=[names.get(each, str(each)) for each in columns])
            continue
        predicted = found.predicted
        is_numbered = predicted is not None and not is_text(predicted)
        if is_numbered and set(names) >= set(predicted.tolist()):
            called = to_objects([names[each] for each in predicted.tolist()])
            return replace(found, predicted=called)
    return found


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
