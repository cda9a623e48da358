"""Evaluation: every figure that follows from predictions, computed once, here."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from hardpairs.analysis.intervals import wilson_interval
from hardpairs.predictions.memory import check_options, make_predictions
from hardpairs.showing import as_frame, as_html, chosen_columns
from hardpairs.wording import counted, percent

SCHEMA_VERSION = 1
KEPT_PAIRS = 10
MOST_CLASSES_IN_FULL = 100  # Above it metrics.json lists the cells that aren't empty.


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


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What predictions amount to.

    Attributes:
        images, correct: Counts.
        accuracy: correct / images.
        accuracy_interval: 95% Wilson interval (sampling of test images), for this one fitted
            model; it doesn't hold the spread between seeds.
        class_names: K names.
        cells: int64 (M, 3), true class, predicted class and images of every cell of the confusion
            matrix that isn't empty, by true class and then by predicted class.
        classes: One `ClassScore` per class.
        hardest, easiest: Indices of the lowest and highest F1 among classes that occur, the first
            of them where several share it; see `marks`.
        hard_pairs: The most confused unordered pairs, most mistakes first, at most 10.
    """

    images: int
    correct: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    class_names: tuple[str, ...]
    cells: np.ndarray
    classes: tuple[ClassScore, ...]
    hardest: int
    easiest: int
    hard_pairs: tuple[HardPair, ...]

    __hash__ = None  # type: ignore[assignment]  # Equal by content, and arrays can't be hashed.

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Evaluation):
            return NotImplemented
        return (
            np.array_equal(self.cells, other.cells)
            and self.class_names == other.class_names
            and self.images == other.images
        )

    def __repr__(self) -> str:
        low, high = self.accuracy_interval
        return (
            f"Evaluation({counted(self.images, 'image')}, {len(self.class_names):,} classes, "
            f"accuracy {percent(self.accuracy, 2)}, 95% {percent(low, 2)} to {percent(high, 2)})"
        )

    def _repr_html_(self) -> str:
        return as_html(self)

    @cached_property
    def confusion(self) -> np.ndarray:
        """int64 (K, K), rows true, columns predicted, as in scikit-learn: of few classes only.

        Of 20,000 classes it takes 3.2 GB; `cells` and `row` never do.
        """
        confusion = np.zeros((len(self.class_names),) * 2, np.int64)
        confusion[self.cells[:, 0], self.cells[:, 1]] = self.cells[:, 2]
        return confusion

    @cached_property
    def marks(self) -> dict[int, str]:
        """Indices of all classes with the lowest F1, "hardest", and with the highest, "easiest".

        Empty where all that occur have the same: none is the hardest then.
        """
        lowest, highest = (self.classes[index].f1 for index in (self.hardest, self.easiest))
        if lowest == highest:
            return {}
        words = {lowest: "hardest", highest: "easiest"}
        return {
            index: words[score.f1]
            for index, score in enumerate(self.classes)
            if score.support and score.f1 in words
        }

    @property
    def row_shares(self) -> np.ndarray:
        """float64 (K, K): `confusion`, each cell as a share of its true class."""
        return self.confusion / np.maximum(self.confusion.sum(axis=1, keepdims=True), 1)

    def row(self, true: int) -> np.ndarray:
        """int64 (K,): what the images of one class were predicted as."""
        first, end = np.searchsorted(self.cells[:, 0], (true, true + 1))
        counts = np.zeros(len(self.class_names), np.int64)
        counts[self.cells[first:end, 1]] = self.cells[first:end, 2]
        return counts

    def to_dict(self) -> dict[str, Any]:
        """The schema of metrics.json, docs/metrics.md: plain numbers, lists and texts."""
        names = self.class_names
        in_full = len(names) <= MOST_CLASSES_IN_FULL
        return {
            "schema_version": SCHEMA_VERSION,
            "images": self.images,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "accuracy_interval": self.accuracy_interval,
            "class_names": names,
            **(
                {"confusion": self.confusion.tolist()}
                if in_full
                else {"confusion": None, "cells": self.cells.tolist()}
            ),
            "classes": [vars(score) for score in self.classes],
            "hardest": names[self.hardest] if self.marks else None,
            "easiest": names[self.easiest] if self.marks else None,
            "hard_pairs": [
                {**asdict(pair), "first": names[pair.first], "second": names[pair.second]}
                for pair in self.hard_pairs
            ],
        }

    def to_frame(self, what: str = "classes") -> Any:
        """A DataFrame, its columns named as in metrics.json.

        Args:
            what: "classes", a row for each; "pairs", a row for each of the hardest; "matrix", a
                row for each cell that isn't empty.

        Raises:
            InputError: There is no such table, or neither pandas nor Polars is installed.
        """
        return as_frame(chosen_columns(self.tables(), what)())

    def tables(self) -> dict[str, Callable[[], dict[str, list[Any]]]]:
        """What makes the columns of each table of `to_frame`."""
        names = self.class_names
        return {
            "classes": lambda: {
                field.name: [getattr(score, field.name) for score in self.classes]
                for field in fields(ClassScore)
            },
            "pairs": lambda: {
                "first": [names[pair.first] for pair in self.hard_pairs],
                "second": [names[pair.second] for pair in self.hard_pairs],
                **{
                    field.name: [getattr(pair, field.name) for pair in self.hard_pairs]
                    for field in fields(HardPair)[2:]
                },
            },
            "matrix": lambda: {
                "true": [names[true] for true in self.cells[:, 0].tolist()],
                "predicted": [names[predicted] for predicted in self.cells[:, 1].tolist()],
                "images": self.cells[:, 2].tolist(),
            },
        }


def evaluate(labels: Any, probabilities: Any = None, **more: Any) -> Evaluation:
    """Compute accuracy, the per-class report, the confusion matrix and the hard pairs.

    Args:
        labels, probabilities, more: See `hardpairs.predictions.memory.make_predictions`; in place
            of both also `Predictions`, a frame, or a predictions file's path.

    Raises:
        InputError: They don't fit together.

    >>> evaluate(["cat", "dog", "dog"], ["cat", "dog", "cat"]).correct
    2
    """
    check_options("evaluate", more)
    predictions = make_predictions(labels, probabilities, **more)
    labels, predicted = predictions.labels, predictions.predicted
    count = len(predictions.class_names)
    support = np.bincount(labels, minlength=count)
    taken_for = np.bincount(predicted, minlength=count)
    right = np.bincount(labels[labels == predicted], minlength=count)
    cells = count_cells(labels, predicted)
    precision, recall = right / np.maximum(taken_for, 1), right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(support + taken_for, 1)
    occurring = np.flatnonzero(support)
    correct = int(right.sum())
    return Evaluation(
        images=len(labels),
        correct=correct,
        accuracy=correct / len(labels),
        accuracy_interval=wilson_interval(correct, len(labels)),
        class_names=predictions.class_names,
        cells=cells,
        classes=tuple(
            ClassScore(name, float(p), float(r), float(f), int(s))
            for name, p, r, f, s in zip(
                predictions.class_names, precision, recall, f1, support, strict=True
            )
        ),
        hardest=int(occurring[f1[occurring].argmin()]),
        easiest=int(occurring[f1[occurring].argmax()]),
        hard_pairs=find_hard_pairs(cells, KEPT_PAIRS),
    )


def count_cells(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Count the cells of the confusion matrix that aren't empty.

    Args:
        labels, predicted: int64 (N,), class indices.

    Returns:
        int64 (M, 3): true class, predicted class, images; by true, then by predicted class.
    """
    classes = int(predicted.max(initial=0)) + 1
    cells, images = np.unique(labels * classes + predicted, return_counts=True)
    return np.column_stack([cells // classes, cells % classes, images])


def find_hard_pairs(cells: np.ndarray, most: int) -> tuple[HardPair, ...]:
    """Rank unordered pairs of classes by mistakes in both directions.

    Args:
        cells: int (M, 3), see `count_cells`.
        most: How many pairs to return; pairs without a mistake are left out.

    >>> pairs = find_hard_pairs(np.array([[0, 0, 5], [0, 1, 1], [1, 0, 3], [1, 1, 9]]), most=3)
    >>> [(pair.first, pair.second, pair.mistakes) for pair in pairs]
    [(1, 0, 4)]
    """
    classes = int(cells[:, :2].max(initial=0)) + 1
    support = np.bincount(cells[:, 0], weights=cells[:, 2], minlength=classes)
    true, taken_for, images = cells[cells[:, 0] != cells[:, 1]].T
    keys = np.minimum(true, taken_for) * classes + np.maximum(true, taken_for)
    unordered, place = np.unique(keys, return_inverse=True)
    upwards = np.bincount(place, images * (true < taken_for), len(unordered)).astype(np.int64)
    both = np.bincount(place, images, len(unordered)).astype(np.int64)
    pairs = []
    for index in np.argsort(-both, kind="stable")[:most]:
        first, second = (int(part) for part in divmod(unordered[index], classes))
        counts = int(upwards[index]), int(both[index] - upwards[index])
        if counts[1] > counts[0]:
            first, second, counts = second, first, counts[::-1]
        pairs.append(
            HardPair(
                first=first,
                second=second,
                first_as_second=counts[0],
                second_as_first=counts[1],
                first_share=float(counts[0] / max(support[first], 1)),
                second_share=float(counts[1] / max(support[second], 1)),
            )
        )
    return tuple(pairs)
