"""Evaluation: every figure that follows from predictions, computed once, here."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hardpairs.analysis.intervals import wilson_interval
from hardpairs.predictions.predictions import Predictions

SCHEMA_VERSION = 1
KEPT_PAIRS = 10


@dataclass(frozen=True)
class ClassScore:
    """One class's row of the report; a ratio with nothing under it counts as 0."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class HardPair:
    """Two classes that are taken for each other.

    Attributes:
        first, second: Class indices; more images of ``first`` are taken for ``second`` than the
            other way round (or as many).
        first_as_second, second_as_first: Mistakes in each direction, images.
        first_share, second_share: The same as shares of all images of that true class.
    """

    first: int
    second: int
    first_as_second: int
    second_as_first: int
    first_share: float
    second_share: float

    @property
    def mistakes(self) -> int:
        """Mistakes in both directions, images."""
        return self.first_as_second + self.second_as_first


@dataclass(frozen=True)
class Evaluation:
    """What predictions amount to.

    Attributes:
        images, correct: Counts.
        accuracy: correct / images.
        accuracy_interval: 95% Wilson interval over images, for this one fitted model; it doesn't
            hold the spread between seeds.
        class_names: K names.
        confusion: int64 (K, K), rows true, columns predicted, as in scikit-learn.
        classes: One `ClassScore` per class.
        hardest, easiest: Indices of the lowest and highest F1 among classes that occur.
        hard_pairs: The most confused unordered pairs, most mistakes first, at most 10.
    """

    images: int
    correct: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    class_names: tuple[str, ...]
    confusion: np.ndarray
    classes: tuple[ClassScore, ...]
    hardest: int
    easiest: int
    hard_pairs: tuple[HardPair, ...]

    def to_dict(self) -> dict[str, Any]:
        """The schema of metrics.json: plain numbers, lists and texts."""
        fields = asdict(self)
        fields["confusion"] = self.confusion.tolist()
        fields["hardest"] = self.class_names[self.hardest]
        fields["easiest"] = self.class_names[self.easiest]
        for pair in fields["hard_pairs"]:
            pair["first"] = self.class_names[pair["first"]]
            pair["second"] = self.class_names[pair["second"]]
        return {"schema_version": SCHEMA_VERSION, **fields}


def evaluate(predictions: Predictions) -> Evaluation:
    """Compute accuracy, the per-class report, the confusion matrix and the hard pairs."""
    labels, predicted = predictions.labels, predictions.predicted
    confusion = count_confusion(labels, predicted, len(predictions.class_names))
    support = confusion.sum(axis=1)
    right, taken_for = np.diag(confusion), confusion.sum(axis=0)
    precision, recall = right / np.maximum(taken_for, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + taken_for, 1)
    occurring = np.flatnonzero(support)
    correct = int((labels == predicted).sum())
    return Evaluation(
        images=len(labels),
        correct=correct,
        accuracy=correct / len(labels),
        accuracy_interval=wilson_interval(correct, len(labels)),
        class_names=predictions.class_names,
        confusion=confusion,
        classes=tuple(
            ClassScore(name, float(p), float(r), float(f), int(s))
            for name, p, r, f, s in zip(
                predictions.class_names, precision, recall, f1, support, strict=True
            )
        ),
        hardest=int(occurring[f1[occurring].argmin()]),
        easiest=int(occurring[f1[occurring].argmax()]),
        hard_pairs=find_hard_pairs(confusion, KEPT_PAIRS),
    )


def count_confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return int64 (K, K), rows true, columns predicted, for integers (N,) below K.

    scikit-learn's counts the same; importing it takes longer than all else in an evaluation.
    """
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def find_hard_pairs(confusion: np.ndarray, most: int) -> tuple[HardPair, ...]:
    """Rank unordered pairs of classes by mistakes in both directions.

    Args:
        confusion: int (K, K), rows true, columns predicted.
        most: How many pairs to return; pairs without a mistake are left out.

    >>> pairs = find_hard_pairs(np.array([[5, 1, 0], [3, 9, 0], [0, 0, 4]]), most=3)
    >>> [(pair.first, pair.second, pair.mistakes) for pair in pairs]
    [(1, 0, 4)]
    """
    both = np.triu(confusion + confusion.T, k=1)
    support = np.maximum(confusion.sum(axis=1), 1)
    pairs = []
    for flat in np.argsort(-both, axis=None, kind="stable")[:most]:
        a, b = (int(index) for index in np.unravel_index(flat, both.shape))
        if both[a, b] == 0:
            break
        if confusion[b, a] > confusion[a, b]:
            a, b = b, a
        pairs.append(
            HardPair(
                first=a,
                second=b,
                first_as_second=int(confusion[a, b]),
                second_as_first=int(confusion[b, a]),
                first_share=float(confusion[a, b] / support[a]),
                second_share=float(confusion[b, a] / support[b]),
            )
        )
    return tuple(pairs)
