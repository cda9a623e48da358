"""Predictions in a table: a column for each class, the k most probable, or the classes alone."""

import re

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.labels import clean_label
from hardpairs.predictions.cells import SAMPLE, is_number
from hardpairs.predictions.columns import Table, first_named, plain
from hardpairs.predictions.found import Found
from hardpairs.predictions.probabilities import ROUNDING
from hardpairs.predictions.top import find_top, split_pairs

# Usual names, compared without case, blanks and signs; the first that is there counts.
PREDICTED = (
    *("predicted", "prediction", "predictions", "pred", "preds", "ypred", "predictedlabel"),
    *("predictedclass", "predlabel", "predclass", "predictionlabel", "predictedname", "top1"),
    *("labelpred", "argmax", "yhat"),
)
INDICES = ("index", "classid", "classindex", "labelindex", "class", "predictedindex", "top1index")
CONFIDENCE = (
    *("confidence", "conf", "score", "prob", "probability", "proba", "maxprob", "predprob"),
    *("predictionprobability", "predictionconfidence", "predictionscore", "top1prob"),
    *("predictedprobability", "top1conf", "maxprobability"),
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


def find_ludwig(left: Table) -> Found | None:
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


def find_scores(left: Table, labels: np.ndarray | None, *, is_true: bool) -> Found:
    """Probabilities of every class, the k most probable, or the predicted classes."""
    given = _whole_vectors(left)
    if given is not None:
        return given
    name = first_named(left, PREDICTED, set())
    predicted = left.pop(name) if name is not None and _is_classes(left[name]) else None
    columns, names, notes = _class_columns(left, labels)
    if len(columns) >= 2:
        scores = _stacked(left, columns)
        return Found(scores=scores, class_names=names, predicted=predicted, notes=notes)
    confidence = confidence_of(left)
    index = first_named(left, INDICES, set())
    if predicted is None and labels is None and confidence is not None and index is not None:
        predicted = left.pop(index)
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
        if plain(name) in VECTORS and values.ndim == 2 and values.dtype.kind in "biuf":
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
        name
        for name, values in left.items()
        if values.ndim == 1 and values.dtype.kind in "biuf" and plain(name) not in CONFIDENCE
    ]
    prefixed = [name for name in numbers if PREFIXES.match(name)]
    if len(prefixed) >= 2:
        chosen = prefixed
    else:
        extra = _extra_numbers(left, numbers)
        chosen = [name for name in numbers if name not in extra]
    left_out = [name for name in left if name not in chosen and plain(name) not in CONFIDENCE]
    if chosen:
        _check_texts({name: left[name] for name in left_out if is_text(left[name])}, labels)
    notes: tuple[str, ...] = ()
    if left_out and len(chosen) >= 2:
        notes = (f"Not used: {', '.join(repr(name[:40]) for name in left_out[:8])}.",)
    return chosen, _names_of(chosen, labels), notes


def _check_texts(texts: Table, labels: np.ndarray | None) -> None:
    """Refuse a column of texts that is named as a label is, or half of which are numbers."""
    named = set() if labels is None else {clean_label(value) for value in set(labels.tolist())}
    for name, values in texts.items():
        bad = [cell for cell in values[:SAMPLE].tolist() if not is_number(cell)]
        if name.strip() in named or len(bad) <= len(values[:SAMPLE]) / 2:
            raise InputError(
                f"the column {name[:40]!r} stands where a class should and holds "
                f"{(bad or [''])[0][:40]!r}, which is no number; mend it."
            )


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


def _extra_numbers(left: Table, numbers: list[str]) -> set[str]:
    """Columns of whole numbers that stand beside probabilities: a width, a fold, an epoch."""
    large = {name for name in numbers if np.abs(left[name]).max(initial=0) > 1 + ROUNDING}
    if len(numbers) - len(large) < 2:
        return set()
    return {name for name in large if (left[name] == np.rint(left[name])).all()}


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
