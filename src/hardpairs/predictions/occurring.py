"""The classes of predictions without probabilities: those that labels and predictions name."""

from collections.abc import Sequence

import numpy as np

from hardpairs.arrays import are_whole
from hardpairs.errors import InputError
from hardpairs.labels import as_numbers, classes_in, listed, numbered

ABSENT = ("na", "nan", "n/a", "<na>", "null")  # What R and pandas write for nothing.


def names_that_occur(
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
        for name in set(these) - set(others):
            if name.casefold() in ABSENT:
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
