"""The k most probable classes in a table: one column of lists, or one column for each rank."""

import re
from typing import Any

import numpy as np

from hardpairs.arrays import is_text
from hardpairs.errors import InputError
from hardpairs.labels import numbered_columns
from hardpairs.predictions.columns import Table
from hardpairs.predictions.found import Found

CLASS_RANK = re.compile(
    r"^(?:top)?[_\-]?(?P<before>\d+)[_\-](label|class|pred|name|category)$|"
    r"^(label|class|pred|prediction|name|top|category)[_\-]?(?P<after>\d+)(?:[_\-](?:label|class|name))?$",
    re.IGNORECASE,
)
INDEX_RANK = re.compile(r"^index[_\-]?(?P<after>\d+)$", re.IGNORECASE)
SCORE_RANK = re.compile(
    r"^(?:top)?[_\-]?(?P<before>\d+)[_\-](prob|probability|score|conf|confidence)$|"
    r"^(prob|probability|score|conf|confidence|logit)[_\-]?(?P<after>\d+)$|"
    r"^top[_\-]?(?P<inside>\d+)[_\-]?(prob|probability|score|conf|confidence)$",
    re.IGNORECASE,
)
CLASSES = (
    *("label", "labels", "class", "classes", "index", "indices", "names", "pred", "predictions"),
)
SCORES = ("prob", "probs", "score", "scores", "probabilities", "confidence", "confidences", "logit")
MOST_CLASSES_OF_PAIR = 100_000


def find_top(left: Table) -> Found | None:
    """Find ranks: label_0, prob_0, label_1, ...; or a column of lists of classes and one of scores.

    Returns:
        The classes and scores, (N, k), taken out of ``left``; None where there are none.
    """
    scores = _ranked(left, SCORE_RANK)
    for pattern in (CLASS_RANK, INDEX_RANK):
        classes = _ranked(left, pattern)
        if classes and len(classes) == len(scores):
            return Found(
                top_classes=np.stack([left.pop(name).astype(object) for name in classes], axis=1),
                top_scores=np.stack([left.pop(name) for name in scores], axis=1),
            )
        if len(classes) > 1 and not scores and all(is_text(left[name]) for name in classes):
            return Found(top_classes=np.stack([left.pop(name) for name in classes], axis=1))
    return _lists(left)


def _ranked(left: Table, pattern: re.Pattern) -> list[str]:
    """Columns of consecutive ranks, in their order; none where a rank is missing."""
    by_rank: dict[int, str] = {}
    for name, values in left.items():
        match = pattern.match(name.strip())
        if match and values.ndim == 1:
            rank = next(int(value) for value in match.groupdict().values() if value is not None)
            by_rank.setdefault(rank, name)
    ranks = sorted(by_rank)
    if not ranks or ranks[0] > 1 or ranks != list(range(ranks[0], ranks[0] + len(ranks))):
        return []
    return [by_rank[rank] for rank in ranks]


def _lists(left: Table) -> Found | None:
    """One column of lists of classes, and one of as many scores, as timm's --topk writes."""
    classes = [name for name in CLASSES if name in left and left[name].ndim == 2]
    scores = [name for name in SCORES if name in left and left[name].ndim == 2]
    for name in classes:
        for score in scores:
            if left[name].shape == left[score].shape and left[name].dtype.kind in "iuOU":
                return Found(top_classes=left.pop(name), top_scores=left.pop(score))
    return None


def split_pairs(values: np.ndarray) -> Found | None:
    """A dict of scores by class in every row, or a list of {"label": ..., "score": ...}.

    Returns:
        Scores of all classes where every row has the same ones, else the most probable classes;
        None where the column holds something else.
    """
    if values.ndim != 1 or values.dtype.kind != "O" or len(values) == 0:
        return None
    rows = [_pairs(value) for value in values.tolist()]
    if any(row is None or not row for row in rows):
        return None
    known = [row for row in rows if row is not None]
    in_order = all(list(row) == list(known[0]) for row in known)
    names = list(known[0]) if in_order else sorted(known[0])  # Else the first row's own ranks.
    if all(row.keys() == known[0].keys() for row in known):
        order, class_names = numbered_columns(names)
        scores = np.array([[row[name] for name in names] for row in known], np.float64)
        return Found(scores=scores[:, order], class_names=class_names)
    depth = min(map(len, known))
    if depth != max(map(len, known)):
        raise InputError(
            f"rows name from {depth} to {max(map(len, known))} classes with scores; give as many "
            "in each."
        )
    ranked = [sorted(row.items(), key=lambda pair: -pair[1]) for row in known]
    top_classes = np.empty((len(ranked), depth), object)
    top_classes[:] = [[name for name, _ in row] for row in ranked]
    return Found(
        top_classes=top_classes,
        top_scores=np.array([[score for _, score in row] for row in ranked], np.float64),
    )


def _pairs(value: Any) -> dict[str, float] | None:
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list) and all(isinstance(each, dict) for each in value):
        pairs = [
            (each.get("label", each.get("class")), each.get("score", each.get("confidence")))
            for each in value
        ]
    else:
        return None
    is_score = all(
        isinstance(score, int | float) and not isinstance(score, bool) for _, score in pairs
    )
    named = all(isinstance(name, str | int) for name, _ in pairs)
    if not is_score or not named or len(pairs) > MOST_CLASSES_OF_PAIR:
        return None
    return {str(name): float(score) for name, score in pairs}
