"""Which images are shown of many: confident and borderline mistakes, right ones to compare."""

import numpy as np

from hardpairs.analysis.evaluation import Evaluation, HardPair
from hardpairs.predictions.predictions import Predictions


def directions(pair: HardPair) -> list[tuple[int, int, int, float]]:
    """Both directions of a pair: (true, taken for, mistakes, share of the true class)."""
    return [
        (pair.first, pair.second, pair.first_as_second, pair.first_share),
        (pair.second, pair.first, pair.second_as_first, pair.second_share),
    ]


def of_pair(predictions: Predictions, pair: HardPair) -> np.ndarray:
    """bool (N,): images labelled and predicted as one of the two classes, rightly or not."""
    classes = (pair.first, pair.second)
    return np.isin(predictions.labels, classes) & np.isin(predictions.predicted, classes)


def confidence(predictions: Predictions) -> np.ndarray:
    """float32 (N,): the probability of the predicted class; 1 where only classes are known."""
    if predictions.probabilities is None:
        return np.ones(len(predictions.labels), np.float32)
    rows = np.arange(len(predictions.labels))
    return predictions.probabilities[rows, predictions.predicted]


def cell_rows(predictions: Predictions, true: int, taken_for: int) -> np.ndarray:
    """int64: rows where ``true`` was predicted as ``taken_for``, most confident first."""
    rows = np.flatnonzero((predictions.labels == true) & (predictions.predicted == taken_for))
    return rows[np.argsort(-confidence(predictions)[rows], kind="stable")]


def confident_and_borderline(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Split: of rows, most confident first, the first ``count`` and the last, least first.

    Where there are fewer than twice as many, each gets half of them, the first one more.
    """
    first = min(count, (len(rows) + 1) // 2)
    last = min(count, len(rows) - first)
    return rows[:first], rows[::-1][:last]


def spread(rows: np.ndarray, count: int) -> np.ndarray:
    """Pick ``count`` of the rows, evenly from the first to the last."""
    if len(rows) <= count:
        return rows
    return rows[np.rint(np.linspace(0, len(rows) - 1, count)).astype(np.int64)]


def typical_mistakes(
    evaluation: Evaluation, predictions: Predictions, true: int, count: int
) -> np.ndarray:
    """Rows of mistakes of a class, spread over what it is taken for and over the confidence.

    The classes that it is most often taken for take turns, the most frequent first, and the picks
    go from a most confident mistake to a borderline one: four of one kind would look alike.
    """
    row = evaluation.row(true)
    row[true] = 0
    frequent = [int(column) for column in np.argsort(-row, kind="stable") if row[column]]
    pools = [cell_rows(predictions, true, column).tolist() for column in frequent[:count]]
    chosen: list[int] = []
    while len(chosen) < count and any(pools):
        pool = pools.pop(0)
        place = len(chosen) / max(count - 1, 1) * (len(pool) - 1)
        chosen.append(pool.pop(round(place)))
        pools += [pool] if pool else []
    return np.array(chosen, np.int64)


def rank_within(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The rank of each value, from 0, among those of its group."""
    order = np.lexsort((values, groups))
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return rank
