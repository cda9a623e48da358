"""Confusion matrices in the place of predictions: rows that count images, or stand for classes."""

from typing import Any

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.predictions.columns import Table, plain
from hardpairs.predictions.found import Found

COUNTS = {"freq", "frequency", "count", "counts", "n", "images", "mistakes", "number", "total"}
FEWEST_CLASSES = 3


def check_counts(labels: Any, found: Found, left: Table) -> None:
    """Refuse a matrix in long form: each pair of classes once, and how often it occurs.

    R's ``as.data.frame(table(...))`` and pandas' ``groupby(...).size()`` make it.

    Raises:
        InputError: It is that.
    """
    counts = [name for name in left if plain(name) in COUNTS]
    if not counts or found.predicted is None or found.scores is not None:
        return
    others = [values for values in left.values() if is_text(values)]
    rows = list(zip(labels.tolist(), found.predicted.tolist(), *others, strict=True))
    if len(set(rows)) == len(rows) > 1:
        raise InputError(
            f"holds how often each class was taken for which (the column {counts[0][:40]!r}), not "
            "a row for each image; give the predictions that were counted."
        )


def note_of_classes(labels: Any, found: Found) -> tuple[str, ...]:
    """A sentence where there is one row for each class, in the order of the columns."""
    names = found.class_names
    if found.scores is None or not isinstance(names, list) or len(names) < FEWEST_CLASSES:
        return ()
    if len(labels) != len(names) or list(map(str, np.asarray(labels).tolist())) != names:
        return ()
    return (
        "There is one row for each class, in the order of the columns, as in a confusion matrix; "
        "that would be no predictions, which have a row for each image.",
    )
