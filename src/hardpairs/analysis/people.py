"""People against the net: whom do they agree with, and where do they part?"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from hardpairs.analysis.evaluation import evaluate
from hardpairs.analysis.intervals import wilson_interval
from hardpairs.predictions.predictions import Predictions

AGREEMENT_BOUNDS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
KEPT_DIFFERENCES = 5


@dataclass(frozen=True)
class ClassLeft:
    """How often people leave a class's label, on the net's mistakes and on what it gets right.

    Without the second number the first proves nothing: where people leave the label of correct
    images just as often, they lack knowledge rather than find the mistakes ambiguous.
    """

    name: str
    mistakes: int
    mistakes_left: int
    correct: int
    correct_left: int


@dataclass(frozen=True)
class PairDifference:
    """One direction of confusion: the share of ``true`` images' votes and predictions."""

    true: str
    other: str
    people: float
    net: float


@dataclass(frozen=True)
class Agreement:
    """The net's accuracy on images whose most chosen class got such a share of the votes.

    Attributes:
        low, high: The share, above ``low`` up to ``high``.
        images: How many there are.
        accuracy, interval: The net's, with its 95% Wilson interval.
        people_accuracy: Share of the images whose most chosen class is the label.
    """

    low: float
    high: float
    images: int
    accuracy: float
    interval: tuple[float, float]
    people_accuracy: float


@dataclass(frozen=True)
class PeopleComparison:
    """People beside the net on the same images.

    Attributes:
        classes: One `ClassLeft` per class.
        correlation: Spearman's, of people's and the net's shares over all directions of
            confusion, K (K - 1) of them; None where either never confuses anything.
        differences: The directions where the two shares differ most.
        agreement: By degree of agreement among people; empty degrees are left out.
    """

    classes: tuple[ClassLeft, ...]
    correlation: float | None
    differences: tuple[PairDifference, ...]
    agreement: tuple[Agreement, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for metrics.json."""
        return asdict(self)


def compare_with_people(predictions: Predictions, votes: np.ndarray) -> PeopleComparison:
    """Compare; ``votes`` are int64 (N, K), how many people chose each class."""
    correlation, differences = _pairs(predictions, votes)
    return PeopleComparison(
        _classes(predictions, votes), correlation, differences, _agreement(predictions, votes)
    )


def class_shares(labels: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """The mean shares of votes on each class's images, float64 (K, K); 0 of one without images.

    Args:
        labels: int64 (N,).
        votes: int64 (N, K).
    """
    classes = votes.shape[1]
    sums = np.zeros((classes, classes))
    np.add.at(sums, labels, votes / votes.sum(axis=1, keepdims=True))
    return sums / np.maximum(np.bincount(labels, minlength=classes), 1)[:, None]


def people_leave(labels: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """bool (N,): more people chose some other class than the label."""
    return votes[np.arange(len(labels)), labels] < votes.max(axis=1)


def _classes(predictions: Predictions, votes: np.ndarray) -> tuple[ClassLeft, ...]:
    left = people_leave(predictions.labels, votes)
    wrong = predictions.predicted != predictions.labels
    rows = []
    for index, name in enumerate(predictions.class_names):
        of_class = predictions.labels == index
        mistakes, correct = left[of_class & wrong], left[of_class & ~wrong]
        rows.append(
            ClassLeft(name, len(mistakes), int(mistakes.sum()), len(correct), int(correct.sum()))
        )
    return tuple(rows)


def _pairs(
    predictions: Predictions, votes: np.ndarray
) -> tuple[float | None, tuple[PairDifference, ...]]:
    net, people = evaluate(predictions).row_shares, class_shares(predictions.labels, votes)
    true, other = np.nonzero(~np.eye(len(people), dtype=bool))
    of_people, of_net = people[true, other], net[true, other]
    order = np.argsort(-np.abs(of_people - of_net), kind="stable")[:KEPT_DIFFERENCES]
    names = predictions.class_names
    differences = tuple(
        PairDifference(
            names[true[index]], names[other[index]], float(of_people[index]), float(of_net[index])
        )
        for index in order
    )
    if np.ptp(of_people) == 0 or np.ptp(of_net) == 0:
        return None, differences
    from scipy import stats  # Slow to import, and needed only where votes were given.

    return float(stats.spearmanr(of_people, of_net).statistic), differences


def _agreement(predictions: Predictions, votes: np.ndarray) -> tuple[Agreement, ...]:
    degree = votes.max(axis=1) / votes.sum(axis=1)
    right = predictions.predicted == predictions.labels
    kept = ~people_leave(predictions.labels, votes)
    rows = []
    for low, high in pairwise(AGREEMENT_BOUNDS):
        inside = (degree > low) & (degree <= high)
        images, correct = int(inside.sum()), int(right[inside].sum())
        if images:
            interval = wilson_interval(correct, images)
            accuracy = correct / images
            rows.append(
                Agreement(low, high, images, accuracy, interval, float(kept[inside].mean()))
            )
    return tuple(rows)
