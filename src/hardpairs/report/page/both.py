"""Each image as both sides see it, all runs of a side together."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hardpairs.analysis.difference import Difference
from hardpairs.predictions.predictions import Predictions

KINDS = ("fixed", "broken", "elsewhere")


@dataclass(frozen=True, eq=False)
class Both:
    """What A and B make of N images.

    Attributes:
        labels: int64 (N,).
        ids: (N,).
        runs: How many A has, and B.
        right: int64 (N,) of A and of B: how many of their runs are right.
        predicted: int64 (N,) of each: what most of its runs predict, the first of them where as
            many predict another class.
        probabilities: float (N, K) of each, means over its runs; None where one has none.
    """

    labels: np.ndarray
    ids: np.ndarray
    runs: tuple[int, int]
    right: tuple[np.ndarray, np.ndarray]
    predicted: tuple[np.ndarray, np.ndarray]
    probabilities: tuple[np.ndarray | None, np.ndarray | None]

    @cached_property
    def gap(self) -> np.ndarray:
        """float64 (N,), B's share of runs that are right less A's."""
        return self.right[1] / self.runs[1] - self.right[0] / self.runs[0]

    @cached_property
    def kinds(self) -> np.ndarray:
        """int64 (N,): the image's place in `KINDS`, -1 where nothing changed.

        It is fixed where a larger share of B's runs is right, broken where a smaller one is,
        wrong elsewhere where none is on either side and they mistake it for different classes.
        """
        wrong = (self.right[0] == 0) & (self.right[1] == 0)
        elsewhere = wrong & (self.predicted[0] != self.predicted[1])
        return np.select([self.gap > 0, self.gap < 0, elsewhere], [0, 1, 2], -1)

    def count(self) -> dict[str, int]:
        """How many images there are of each kind."""
        return {kind: int((self.kinds == place).sum()) for place, kind in enumerate(KINDS)}


def see_both(difference: Difference) -> Both:
    """Gather what the two sides make of their images."""
    (a, b), first = difference.runs, difference.runs[0][0]
    return Both(
        labels=first.labels,
        ids=first.ids,
        runs=(len(a), len(b)),
        right=(_right(a), _right(b)),
        predicted=(_most_predicted(a), _most_predicted(b)),
        probabilities=(_mean_probabilities(a), _mean_probabilities(b)),
    )


def mixed_up(difference: Difference, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    """bool (N,) and (N,): images of a pair no longer mixed up, and newly mixed up.

    That is, those that a smaller share of B's runs than of A's takes for the other class of the
    pair, and those that a larger share does.
    """
    labels = difference.runs[0][0].labels
    other = np.where(labels == first, second, np.where(labels == second, first, -1))
    a, b = (np.mean([run.predicted == other for run in side], axis=0) for side in difference.runs)
    return a > b, a < b


def _right(side: tuple[Predictions, ...]) -> np.ndarray:
    return np.sum([run.predicted == run.labels for run in side], axis=0)


def _most_predicted(side: tuple[Predictions, ...]) -> np.ndarray:
    predicted = np.array([run.predicted for run in side])
    agree = [(predicted == run.predicted).sum(axis=0) for run in side]
    return predicted[np.argmax(agree, axis=0), np.arange(predicted.shape[1])]


def _mean_probabilities(side: tuple[Predictions, ...]) -> np.ndarray | None:
    if len(side) == 1:
        return side[0].probabilities
    if any(run.probabilities is None for run in side):
        return None
    total = side[0].known_probabilities().astype(np.float32)
    for run in side[1:]:
        total += run.known_probabilities()
    return total / len(side)
