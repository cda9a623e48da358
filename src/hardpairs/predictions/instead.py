"""What is given in the place of predictions: this package's own files, counts, labels alone."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.labels import classes_in
from hardpairs.predictions.columns import Table, holds_texts, listing, plain, tells_apart
from hardpairs.predictions.faults import check_cells
from hardpairs.predictions.found import Found

OF_MISTAKES = ("index", "true", "predicted", "probability", "verdict", "verdict_probability")
OF_CORRECTIONS = {"split", "id", "label", "mark", "correction"}
OF_METRICS = {"accuracy", "accuracy_interval", "hard_pairs", "confusion", "cells"}
OF_A_RUN = (
    *("mistakes.csv", "metrics.json", "history.csv", "neighbours.npz", "hidden.npy"),
    *("filters.npy", "config.toml", "environment.json", "report.html", "answers.md"),
    *("fashion.md", "model.keras", "model.onnx", "model.json", "nearest.npz", "corrections.csv"),
)
COUNTS = {"freq", "frequency", "count", "counts", "n", "images", "mistakes", "number", "total"}
FEWEST_CLASSES = 3


def check_run_file(path: Path) -> None:
    """Refuse a file of a run's folder that isn't its predictions.

    Raises:
        InputError: It says which folder to give.
    """
    is_ours = path.name in OF_A_RUN or path.suffix == ".png"
    if is_ours and path.is_file() and (path.parent / "predictions.npz").is_file():
        raise InputError(
            f"{path}: is a file of a run, not its predictions; give the run's folder, "
            f"{path.parent}."
        )


def without_verdicts(table: Table) -> Table:
    """A table of images as this package writes it, without the columns that judge them.

    Raises:
        InputError: It holds mistakes alone, of which every prediction is wrong; or corrections.
    """
    if set(table) == OF_CORRECTIONS:
        raise InputError(
            "holds corrections, not predictions or all labels; give it with --corrections, beside "
            "the predictions."
        )
    if not set(OF_MISTAKES) <= set(table):
        return table
    if not np.any(table["true"] == table["predicted"]):
        raise InputError(
            "is a list of mistakes, as hardpairs writes it, without the images that are right; "
            "give the predictions that it was made from."
        )
    return {name: table[name] for name in OF_MISTAKES[:4]}


def check_metrics(content: Any) -> None:
    """Refuse metrics.json, which holds what was counted of predictions.

    Raises:
        InputError: It is that.
    """
    if isinstance(content, dict) and len(OF_METRICS & set(content)) == len(OF_METRICS) - 1:
        raise InputError(
            "holds what hardpairs counted, not predictions; give the predictions that it was made "
            "from."
        )


def check_counts(labels: Any, found: Found, left: Table) -> None:
    """Refuse a matrix in long form: each pair of classes once, and how often it occurs.

    R's ``as.data.frame(table(...))`` and pandas' ``groupby(...).size()`` make it.

    Raises:
        InputError: It is that.
    """
    counts = [name for name in left if plain(name) in COUNTS]
    if not counts or found.predicted is None or found.scores is not None:
        return
    others = [values for values in left.values() if holds_texts(values)]
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


def only_labels(table: Table, label: str | None, mentioned: set[str]) -> str:
    """What is wrong with a table of one column of classes, ``label``, and nothing else.

    Args:
        table: All its columns.
        label: That column's name, or None.
        mentioned: What its columns of texts hold.

    Raises:
        BadCell: A column of scores has a cell that is no number.
    """
    a_class = any(name in mentioned and not is_text(values) for name, values in table.items())
    for name, values in table.items():
        if (a_class or name in mentioned) and name != label and holds_texts(values):
            check_cells(values, name)
            bad = next((text for text in values.tolist() if text.strip()), "")
            return (
                f"the column {name[:40]!r} stands where a class should and holds no numbers "
                f"({bad[:40]!r}); mend it; {listing(table)}."
            )
    known = set(classes_in(table[label])) if label is not None else set()
    for name, values in table.items():
        is_like = name != label and holds_texts(values) and not tells_apart(values)
        classes = set(classes_in(values)) if is_like else set()
        if classes and known >= classes:
            if _is_long({each: table[each] for each in table if each != name}, len(classes)):
                return (
                    "seems to have a row for each image and class; give a row for each image and a "
                    "column for each class, as pandas' pivot makes them."
                )
            return (
                f"the columns {label!r} and {name[:40]!r} hold the same classes; call that of the "
                "predictions 'prediction'."
            )
    return (
        f"the column {label!r} holds predictions without true labels, or true labels with nothing "
        "predicted; give the true labels with --labels, or a column for each class or of "
        f"predictions; {listing(table)}."
    )


def _is_long(others: Table, classes: int) -> bool:
    """Whether some text stands in as many rows as there are classes, and so does each of them."""
    counts = [Counter(values.tolist()) for values in others.values() if holds_texts(values)]
    return any(set(each.values()) == {classes} for each in counts)
