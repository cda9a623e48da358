"""Columns of a table, from whatever file or frame: which is the label, the id, the prediction?"""

from dataclasses import replace

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.labels import classes_in, is_one_hot, to_vector
from hardpairs.predictions.cells import SAMPLE, is_number
from hardpairs.predictions.class_columns import WRAPPED
from hardpairs.predictions.classes import names_by_number, of_one_kind
from hardpairs.predictions.columns import (
    CONFIDENCE,
    IDS,
    IMAGE_NAME,
    LABEL,
    PREDICTED,
    TRUE_LABEL,
    VECTORS,
    Table,
    first_named,
    holds_texts,
    listing,
    plain,
    tells_apart,
    texts_of,
)
from hardpairs.predictions.faults import check_cells
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.instead import (
    check_counts,
    note_of_classes,
    only_labels,
    without_verdicts,
)
from hardpairs.predictions.score_columns import are_shares, confidence_of, find_scores


def find_columns(table: Table, hints: Hints) -> Found:
    """Tell the columns of a table apart.

    Args:
        table: Columns by name: numbers (N,) or (N, K), texts (N,), or objects (N,).
        hints: What the user says of them.

    Raises:
        InputError: What is needed can't be found; the message lists the columns.
    """
    table = without_verdicts(_squeezed(table))
    left = _without_row_numbers(table)
    if not all(map(len, table.values())):
        raise InputError(f"has no images (0 rows); give at least one; {listing(table)}.")
    mentioned = texts_of(left)
    label = _label_column(left, hints, mentioned)
    labels = _single(left.pop(label), label, {*left, *texts_of(left)}) if label else None
    identifier = _id_column(left, hints, mentioned)
    _check_needed({name: left[name] for name in left if name != identifier}, labels)
    ids = left.pop(identifier) if identifier else left.pop("", None)
    found = find_scores(left, labels, is_true=label is not None and plain(label) in TRUE_LABEL)
    if hints.has_truth and found is not None and found.predicted is None and labels is not None:
        found = _labelled(found, labels)
    if labels is not None and found is None:
        if not hints.has_truth:
            raise InputError(only_labels(table, label, mentioned))
        found, labels = _predicted_by(labels, left), None
    if found is None:
        raise InputError(
            "has no column of predictions: neither one for each class, nor one named as "
            f"'prediction'; {listing(table)}."
        )
    if labels is None and not hints.has_truth:
        raise InputError(
            "has no column of true labels; call it 'label', name it with --label-column, or give "
            f"the labels beside the predictions, with --labels; {listing(table)}."
        )
    if labels is None:
        found = replace(found, numbers=_numbers_beside(found, left))
    if labels is not None:
        if ids is None or not is_text(ids):
            check_counts(labels, found, left)
            found = replace(found, notes=(*found.notes, *note_of_classes(labels, found)))
        labels, found = of_one_kind(labels, found, left)
    return replace(found, labels=labels, ids=ids)


def _labelled(found: Found, labels: np.ndarray) -> Found:
    """Scores beside which a label is what they predict, as it always is the highest one's."""
    scores = found.scores
    if scores is None or scores.ndim != 2 or not is_text(labels):
        return found
    is_told = names_by_number(scores.argmax(axis=1), labels) is not None
    return replace(found, predicted=labels) if is_told else found


def _numbers_beside(found: Found, left: Table) -> dict[float, str]:
    """The names of the most probable classes by a column of their numbers, as timm's ``index``."""
    top = found.predicted if found.top_classes is None else found.top_classes
    texts = np.asarray([] if top is None else top)
    if not texts.size or not is_text(texts):
        return {}
    first = texts if texts.ndim == 1 else texts[:, 0]
    told = (
        names_by_number(values.ravel(), texts.ravel() if values.shape == texts.shape else first)
        for values in left.values()
        if values.ndim == 1 or values.shape == texts.shape
    )
    return next(filter(None, told), {})


def _predicted_by(labels: np.ndarray, left: Table) -> Found:
    """A label and its score alone: the tools that write such files mean the prediction."""
    if are_shares(labels):
        return Found(scores=labels)
    return Found(predicted=labels, top_scores=confidence_of(left))


def _squeezed(table: Table) -> Table:
    """The table with columns of lists of one, (N, 1), as (N,)."""
    return {
        name: values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
        for name, values in table.items()
    }


def _single(labels: np.ndarray, name: str, classes: set[str]) -> np.ndarray:
    """Labels (N,): indices of one-hot rows. The classes are what the other columns know.

    Raises:
        InputError: They are lists of something else, or most are numbers and one isn't.
    """
    check_cells(labels, name, classes)
    if labels.ndim == 2:
        return to_vector(labels, f"the column {name[:40]!r}")
    row = next(
        (
            row
            for row, value in enumerate(labels.tolist())
            if isinstance(value, list | tuple | dict | np.ndarray)
        ),
        None,
    )
    if row is not None:
        raise InputError(
            f"image {row + 1:,} of {len(labels):,} has {str(labels[row])[:40]!r} in the column "
            f"{name[:40]!r}, where one label should be; give every image one."
        )
    return labels


def _check_needed(left: Table, labels: np.ndarray | None) -> None:
    """Check the columns that are named as classes, as their scores or as predictions are."""
    mentioned = set() if labels is None else set(classes_in(labels))
    for name, values in left.items():
        if plain(name) in PREDICTED:
            check_cells(values, name, mentioned)
        elif (
            plain(name) in (*CONFIDENCE, *VECTORS)
            or name.strip() in mentioned
            or any(pattern.match(name) for pattern in WRAPPED)
        ):
            check_cells(values, name)


def find_truth(
    table: Table, hints: Hints
) -> tuple[np.ndarray, np.ndarray | None, list[str] | None]:
    """True labels in a table of nothing else, the ids or None, and the classes' names or None.

    The labels are one column, or one of 0 and 1 for each class, which names it.

    Raises:
        InputError: It can't be told which column holds the labels.
    """
    table = without_verdicts(_squeezed(table))
    left = _without_row_numbers(table)
    label = _label_column(left, hints, set()) or first_named(left, PREDICTED, set())
    # Predictions may name their ids otherwise.
    identifier = hints.id_column if hints.id_column in left else None
    identifier = identifier or _id_column(left, Hints(), set())
    others = [name for name in left if name not in (identifier, "")]
    if label is None and (hot := _one_hot({name: left[name] for name in others})) is not None:
        return hot[0], left.get(identifier or ""), hot[1]
    if label is None:
        texts = [name for name in others if holds_texts(left[name])]
        one = texts if len(texts) == 1 else others
        if len(one) != 1:
            raise InputError(
                "can't tell which column holds the labels; call it 'label', or name it with "
                f"--label-column; {listing(table)}."
            )
        label = one[0]
    ids = None if label == "" else left.get("" if identifier in (None, label) else identifier)
    labels = _single(left[label], label, set())
    return labels, ids, _names_beside(labels, left)


def _names_beside(labels: np.ndarray, left: Table) -> list[str] | None:
    """The names of labels that are places, from another column that tells the same classes."""
    for name, values in left.items():
        if plain(name) in (*TRUE_LABEL, *LABEL, "name") and is_text(values):
            names = names_by_number(labels, values)
            if names is not None and sorted(names) == list(range(len(names))):
                return [names[place] for place in range(len(names))]
    return None


def _one_hot(table: Table) -> tuple[np.ndarray, list[str]] | None:
    """Labels as places among the columns of 0 and 1 that hold one 1 a row, and these."""
    names = [
        name
        for name, values in table.items()
        if values.ndim == 1 and values.dtype.kind in "biuf" and np.isin(values, (0, 1)).all()
    ]
    if len(names) < 2 or any(is_text(values) for values in table.values()):
        return None
    rows = np.stack([table[name] for name in names], axis=1)
    return (rows.argmax(axis=1), names) if is_one_hot(rows) else None


def _without_row_numbers(table: Table) -> Table:
    """Leave out a column that only counts the rows, as pandas writes its index.

    Another index, of numbers or of file names, gets the name "".
    """
    left: Table = {}
    for name, values in table.items():
        is_index = name in ("", "__index_level_0__") or name.startswith("Unnamed: ")
        counts = values.ndim == 1 and values.dtype.kind in "iuf"
        if is_index and counts and np.array_equal(values, np.arange(len(values))):
            continue
        left["" if is_index and "" not in left else name] = values
    return left


def _label_column(table: Table, hints: Hints, mentioned: set[str]) -> str | None:
    if hints.label_column:
        return _given(table, hints.label_column, "--label-column")
    # Lists of names are the most probable classes.
    single = {name: each for name, each in table.items() if each.ndim == 1 or not is_text(each)}
    label = first_named(single, (*TRUE_LABEL, *LABEL), mentioned)
    named = first_named(single, ("name",), mentioned)
    if label is None or named is None or plain(label) != "class" or is_text(table[label]):
        return label
    # The class's name may stand beside its index.
    return named if is_text(table[named]) and not tells_apart(table[named]) else label


def _id_column(table: Table, hints: Hints, mentioned: set[str]) -> str | None:
    if hints.id_column:
        return _given(table, hints.id_column, "--id-column")
    for name in IDS:
        column = first_named(table, (name,), mentioned)
        if column is not None and tells_apart(table[column]):
            return column
        if column is not None:
            _refuse_repeated(table, column)
    if "" in table and not tells_apart(table[""]):
        table.pop("")
    if "" not in table:  # A text of its own in every row, as file names are.
        for column, values in table.items():
            is_name = is_text(values) and tells_apart(values) and plain(column) not in PREDICTED
            if is_name and column not in mentioned and not any(map(is_number, values[:SAMPLE])):
                return column
    return None


def _refuse_repeated(table: Table, column: str) -> None:
    """Refuse file names of which a few come twice with all that stands beside them.

    Others may be of pictures in several folders, which only their order tells apart.
    """
    values = table[column]
    if not holds_texts(values) or not all(map(IMAGE_NAME.search, values[:SAMPLE].tolist())):
        return
    first: dict[str, int] = {}
    pairs = [(row, first.setdefault(name, row)) for row, name in enumerate(values.tolist())]
    repeated = [(row, before) for row, before in pairs if row != before]
    if not repeated or 10 * len(repeated) > len(values):
        return
    row, before = repeated[0]
    others = (each for name, each in table.items() if name not in ("", column))
    if all(np.array_equal(each[row], each[before]) for each in others):
        raise InputError(
            f"has {values[row][-60:]!r} twice in the column {column[:40]!r}, with the same beside "
            "it; leave one row for each image."
        )


def _given(table: Table, column: str, option: str) -> str:
    if column in table:
        return column
    alike = [name for name in table if name.strip().casefold() == column.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    raise InputError(f"has no column {column!r}, as {option} says; {listing(table)}.")
