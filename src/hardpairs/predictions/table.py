"""Columns of a table, from whatever file or frame: which is the label, the id, the prediction?"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.labels import clean_label
from hardpairs.predictions.found import Found, Hints
from hardpairs.predictions.top import find_top, split_pairs

# Usual names, compared without case, blanks and signs; the first that is there counts.
TRUE = (
    *("truelabel", "trueclass", "groundtruth", "groundtruthlabel", "ytrue", "truth", "true", "gt"),
    *("target", "targets", "actual", "expected", "labelids", "labelid", "ytest", "givenlabel"),
    *("correctlabel", "reference", "targs"),
)
LABEL = ("label", "labels", "class", "category", "y", "classname", "labelname", "classlabel")
PREDICTED = (
    *("predicted", "prediction", "predictions", "pred", "preds", "ypred", "predictedlabel"),
    *("predictedclass", "predlabel", "predclass", "predictionlabel", "predictedname", "top1"),
    *("labelpred", "argmax", "yhat"),
)
CONFIDENCE = (
    *("confidence", "conf", "score", "prob", "probability", "proba", "maxprob", "predprob"),
    *("predictionprobability", "predictionconfidence", "predictionscore", "top1prob"),
    *("predictedprobability", "top1conf", "maxprobability"),
)
IDS = (
    *("id", "imageid", "filename", "filepath", "file", "path", "imagepath", "imagename"),
    *("imgpath", "img", "image", "images", "filenames", "ids", "uuid", "sampleid", "key"),
    *("index", "name"),
)
VECTORS = (
    *("probabilities", "probs", "proba", "prob", "probability", "scores", "score", "logits"),
    *("logit", "predictions", "preds", "softmax", "outputs", "output", "predprobs", "yprob"),
    *("yscore", "ypred", "yproba"),
)
PREFIXES = re.compile(
    r"^(prob|probs|proba|probability|probabilities|p|score|scores|logit|logits|conf|confidence|"
    r"pred|prediction|output|softmax)[_\-. :]+",
    re.IGNORECASE,
)
# Ludwig's columns of an output feature, and one for each class.
LUDWIG = re.compile(r"^(?P<feature>.+)_(predictions|probabilities|probability)$")
MOST_TEXTS = 10_000
Table = dict[str, np.ndarray]


def find_columns(table: Table, hints: Hints) -> Found:
    """Tell the columns of a table apart.

    Args:
        table: Columns by name: numbers (N,) or (N, K), texts (N,), or objects (N,).
        hints: What the user says of them.

    Raises:
        InputError: What is needed can't be found; the message lists the columns.
    """
    left = _without_row_numbers(table)
    if not all(map(len, table.values())):
        raise InputError(f"has no images (0 rows); give at least one; {listing(table)}.")
    mentioned = _texts_of(left)
    label = _label_column(left, hints, mentioned)
    labels = left.pop(label) if label else None
    found = _find_ludwig(left)
    identifier = _id_column(left, hints, mentioned)
    ids = left.pop(identifier) if identifier else left.pop("", None)
    if found is None:
        found = _find_scores(left, labels, is_true=label is not None and _plain(label) in TRUE)
    if labels is not None and _nothing_predicted(found):
        # A label and its score alone: the tools that write such files mean the prediction.
        found = Found(predicted=labels, top_scores=_confidence(left), notes=found.notes)
        labels = None
        if not hints.has_truth:
            raise InputError(_only_labels(table, label, mentioned))
    if _nothing_predicted(found):
        raise InputError(
            "has no column of predictions: neither one for each class, nor one named as "
            f"'prediction'; {listing(table)}."
        )
    if labels is None and not hints.has_truth:
        raise InputError(
            "has no column of true labels, as 'label'; name it with --label-column, or give the "
            f"labels with --labels; {listing(table)}."
        )
    found = _with_confidence(found)
    return Found(
        labels=labels,
        scores=found.scores,
        top_classes=found.top_classes,
        top_scores=found.top_scores,
        predicted=found.predicted,
        class_names=found.class_names,
        ids=ids,
        notes=found.notes,
    )


def _only_labels(table: Table, label: str | None, mentioned: set[str]) -> str:
    a_class = any(name in mentioned and not is_text(values) for name, values in table.items())
    for name, values in table.items():
        if (a_class or name in mentioned) and name != label and is_text(values):
            bad = next((text for text in values.tolist() if text.strip()), "")
            return (
                f"the column {name[:40]!r} stands where a class should and holds no numbers "
                f"({bad[:40]!r}); mend it; {listing(table)}."
            )
    return (
        f"the column {label!r} holds predictions without true labels, or true labels with nothing "
        "predicted; give the true labels with --labels, or a column for each class or of "
        f"predictions; {listing(table)}."
    )


def find_truth(table: Table, hints: Hints) -> tuple[np.ndarray, np.ndarray | None]:
    """The column of true labels in a table of nothing else, and that of ids, or None.

    Raises:
        InputError: It can't be told which column holds the labels.
    """
    left = _without_row_numbers(table)
    label = _label_column(left, hints, set()) or _first_named(left, PREDICTED, set())
    # Predictions may name their ids otherwise.
    identifier = hints.id_column if hints.id_column in left else None
    identifier = identifier or _id_column(left, Hints(), set())
    others = [name for name in left if name not in (identifier, "")]
    if label is None:
        texts = [name for name in others if left[name].ndim == 1 and is_text(left[name])]
        one = texts if len(texts) == 1 else others
        if len(one) != 1:
            raise InputError(
                f"can't tell which column holds the labels; name it with --label-column; "
                f"{listing(table)}."
            )
        label = one[0]
    identifier = identifier if identifier != label else None
    ids = left[identifier] if identifier is not None else left.get("")
    return left[label], ids if label != "" else None


def listing(table: Table, most: int = 10) -> str:
    """The columns for a message: "found the columns 'a' (numbers), 'b' (text)"."""
    shown = [f"{name[:40]!r} ({_kind(values)})" for name, values in table.items()][:most]
    more = f" and {len(table) - most} more" if len(table) > most else ""
    return f"found the columns {', '.join(shown)}{more}"


def _kind(values: np.ndarray) -> str:
    if values.ndim > 1:
        return f"lists of {values.shape[1]} numbers"
    if is_text(values):
        return "text"
    return {"f": "numbers", "i": "numbers", "u": "numbers", "b": "true or false"}.get(
        values.dtype.kind, "mixed"
    )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _without_row_numbers(table: Table) -> Table:
    """Leave out a column that only counts the rows, as pandas writes its index."""
    return {
        name: values
        for name, values in table.items()
        if not (
            (name == "" or name.startswith("Unnamed: ") or name == "__index_level_0__")
            and values.ndim == 1
            and values.dtype.kind in "iuf"
            and np.array_equal(values, np.arange(len(values)))
        )
    }


def _texts_of(table: Table) -> set[str]:
    """Texts that some column holds: a column of numbers named as one of them is a class."""
    texts: set[str] = set()
    for values in table.values():
        if values.ndim == 1 and is_text(values):
            distinct = set(values.tolist())
            if len(distinct) <= MOST_TEXTS:
                texts |= {text for text in map(clean_label, distinct) if text is not None}
    return texts


def _first_named(table: Table, usual: Iterable[str], mentioned: set[str]) -> str | None:
    """The first column that has a usual name and isn't a class."""
    by_plain: dict[str, str] = {}
    for name, values in table.items():
        if not (name in mentioned and not is_text(values)):
            by_plain.setdefault(_plain(name), name)
    return next((by_plain[each] for each in usual if each in by_plain), None)


def _label_column(table: Table, hints: Hints, mentioned: set[str]) -> str | None:
    if hints.label_column:
        return _given(table, hints.label_column, "--label-column")
    return _first_named(table, (*TRUE, *LABEL), mentioned)


def _id_column(table: Table, hints: Hints, mentioned: set[str]) -> str | None:
    if hints.id_column:
        return _given(table, hints.id_column, "--id-column")
    for name in IDS:
        column = _first_named(table, (name,), mentioned)
        if column is not None and _tells_apart(table[column]):
            return column
    if "" in table and not _tells_apart(table[""]):
        table.pop("")
    if "" not in table:  # A text of its own in every row, as file names are.
        for column, values in table.items():
            if is_text(values) and _tells_apart(values) and _plain(column) not in PREDICTED:
                return column
    return None


def _given(table: Table, column: str, option: str) -> str:
    if column in table:
        return column
    plain = [name for name in table if name.strip().casefold() == column.strip().casefold()]
    if len(plain) == 1:
        return plain[0]
    raise InputError(f"has no column {column!r}, as {option} says; {listing(table)}.")


def _tells_apart(values: np.ndarray) -> bool:
    if values.ndim != 1 or (values.dtype.kind == "f" and (values != np.rint(values)).any()):
        return False
    if values.dtype.kind == "O" and not is_text(values):
        return False
    return len(set(values.tolist())) == len(values)


def _find_ludwig(left: Table) -> Found | None:
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


def _find_scores(left: Table, labels: np.ndarray | None, *, is_true: bool) -> Found:
    """Probabilities of every class, the k most probable, or the predicted classes."""
    given = _whole_vectors(left)
    if given is not None:
        return given
    name = _first_named(left, PREDICTED, set())
    predicted = left.pop(name) if name is not None and _is_classes(left[name]) else None
    columns, names, notes = _class_columns(left, labels)
    if len(columns) >= 2:
        scores = _stacked(left, columns)
        return Found(scores=scores, class_names=names, predicted=predicted, notes=notes)
    confidence = _confidence(left)
    if predicted is not None:
        return Found(predicted=predicted, top_scores=confidence)
    if confidence is not None and labels is not None and _is_second(confidence, labels, is_true):
        return Found(scores=confidence)
    return Found()


def _whole_vectors(left: Table) -> Found | None:
    """Scores that stand in one column of lists or dicts, or the most probable classes."""
    top = find_top(left)
    if top is not None:
        return top
    for name, values in left.items():
        if _plain(name) in VECTORS and values.ndim == 2 and values.dtype.kind in "biuf":
            return Found(scores=values)
    return next(filter(None, map(split_pairs, left.values())), None)


def _is_classes(values: np.ndarray) -> bool:
    """Whether a column named as a prediction holds classes, not scores of one."""
    whole = values.dtype.kind in "iub" or (
        values.dtype.kind == "f" and bool((values == np.rint(values)).all())
    )
    return values.ndim == 1 and (whole or values.dtype.kind in "OUS")


def _is_second(confidence: np.ndarray, labels: np.ndarray, is_true: bool) -> bool:
    """Whether one score beside a label is the second class's, and not the prediction's own."""
    distinct = set(labels.tolist())
    return len(distinct) <= 2 and (is_true or float(np.min(confidence)) < 0.5)


def _class_columns(
    left: Table, labels: np.ndarray | None
) -> tuple[list[str], list[str], tuple[str, ...]]:
    """The columns of probabilities, the names of their classes, and what was left out."""
    numbers = [
        name for name, values in left.items() if values.ndim == 1 and values.dtype.kind in "biuf"
    ]
    prefixed = [name for name in numbers if PREFIXES.match(name)]
    if len(prefixed) >= 2:
        chosen = prefixed
    else:
        chosen = [name for name in numbers if not _is_no_score(left[name], left, numbers)]
    left_out = [name for name in left if name not in chosen and _plain(name) not in CONFIDENCE]
    notes: tuple[str, ...] = ()
    if left_out and len(chosen) >= 2:
        notes = (f"Not used: {', '.join(repr(name[:40]) for name in left_out[:8])}.",)
    return chosen, _names_of(chosen, labels), notes


def _names_of(columns: list[str], labels: np.ndarray | None) -> list[str]:
    """Class names of the columns: without "prob_" before them, unless the labels have it too."""
    stripped = [PREFIXES.sub("", name).strip() for name in columns]
    plain = [name.strip() for name in columns]
    if not all(stripped) or len(set(stripped)) < len(stripped):
        return plain
    if labels is not None and labels.dtype.kind in "OUS":
        distinct = {clean_label(value) for value in set(labels.ravel().tolist())}
        if distinct <= set(plain):
            return plain
    return stripped if all(PREFIXES.match(name) for name in columns) else plain


def _is_no_score(values: np.ndarray, left: Table, numbers: list[str]) -> bool:
    """Whether a column of whole numbers stands beside fractions: a width, a fold, an epoch."""

    def whole(column: np.ndarray) -> bool:
        return bool((column == np.rint(column)).all()) and bool(np.abs(column).max(initial=0) > 1)

    fractions = sum(not whole(left[name]) for name in numbers)
    return whole(values) and fractions >= 2


def _stacked(left: Table, columns: list[str]) -> np.ndarray:
    for name in columns:
        missing = np.flatnonzero(~np.isfinite(left[name]))
        if len(missing):
            raise InputError(
                f"image {missing[0] + 1} of {len(left[name])} has no finite number in the column "
                f"{name[:40]!r}; fill it in, or predict again."
            )
    return np.stack([left[name] for name in columns], axis=1)


def _confidence(left: Table) -> np.ndarray | None:
    name = _first_named(left, CONFIDENCE, set())
    if name is None or left[name].ndim != 1 or left[name].dtype.kind not in "iuf":
        return None
    return left[name]


def _nothing_predicted(found: Found) -> bool:
    return found.scores is None and found.predicted is None and found.top_classes is None


def _with_confidence(found: Found) -> Found:
    """One class and its score: the most probable one of all is known."""
    if found.predicted is None or found.top_scores is None or found.scores is not None:
        return found
    as_column: Any = np.asarray(found.predicted)
    return Found(
        top_classes=as_column.reshape(-1, 1),
        top_scores=found.top_scores.reshape(-1, 1),
        notes=found.notes,
    )
