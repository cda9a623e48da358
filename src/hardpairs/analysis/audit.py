"""The audit of a dataset: duplicates, suspect labels, class balance, and what they cost.

Needs predictions of both splits by nets that haven't seen the image, and so no Keras itself.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hardpairs.analysis.causes import MOST_SCORES
from hardpairs.analysis.duplicates import Duplicates, find_duplicates
from hardpairs.analysis.evidence import Evidence, gather_evidence
from hardpairs.analysis.gradients import edge_neighbours
from hardpairs.analysis.intervals import wilson_interval
from hardpairs.analysis.verdicts import suspect_labels
from hardpairs.data.split import Dataset
from hardpairs.predictions.predictions import Predictions

FEW_IMAGES = 3_000
# Measured, see docs/verdicts.md, "Few images".
FEW_TRAINED_ON = (
    "Nets that were trained on so few images blunder, and some of their blunders are suspects: "
    "expect right labels among them."
)


@dataclass(frozen=True)
class Accuracy:
    """Accuracy on part of the test images, with its 95% Wilson interval."""

    on: str
    images: int
    accuracy: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Audit:
    """What was found in a dataset of N training and M test images.

    Attributes:
        train, test: Predictions by nets that haven't seen the image.
        train_evidence, test_evidence: Of the same, and of the nearest training images by edges.
        train_suspects, test_suspects: int64, rows of suspect labels, the most suspect first.
        duplicates: Pairs of rows; rows from N on are test images.
        train_counts, test_counts: int64 (K,), images per class.
        accuracies: On all test images, then without those that were found fault with.
        notes: Of which split no label was judged, and why; what few images lead to. Sentences.
    """

    train: Predictions
    test: Predictions
    train_evidence: Evidence
    test_evidence: Evidence
    train_suspects: np.ndarray
    test_suspects: np.ndarray
    duplicates: Duplicates
    train_counts: np.ndarray
    test_counts: np.ndarray
    accuracies: tuple[Accuracy, ...]
    notes: tuple[str, ...] = ()

    def expected_wrong(self) -> dict[str, float]:
        """How many labels of each split are wrong by their own probabilities, an estimate.

        A split whose labels weren't judged isn't among them.
        """
        return {
            predictions.split: float(
                evidence.label_error_probability[predictions.predicted != predictions.labels].sum()
            )
            for predictions, evidence in (
                (self.train, self.train_evidence),
                (self.test, self.test_evidence),
            )
            if evidence.label_error_probability is not None
        }

    def kind_counts(self) -> dict[str, dict[str, int]]:
        """How many exact and near pairs there are within and between the splits."""
        counts = {
            place: {"exact": 0, "near": 0}
            for place in ("within train", "within test", "between train and test")
        }
        for pair, distance in zip(self.duplicates.pairs, self.duplicates.distances, strict=True):
            counts[self.place(pair)]["exact" if distance == 0 else "near"] += 1
        return counts

    def place(self, pair: np.ndarray) -> str:
        """Which splits a pair of rows lies in."""
        in_test = int((pair >= len(self.train.labels)).sum())
        return ("within train", "between train and test", "within test")[in_test]


def audit_dataset(dataset: Dataset, train: Predictions, test: Predictions) -> Audit:
    """Find duplicates and suspect labels.

    Args:
        dataset: What is audited.
        train, test: Predictions of its two splits by nets that haven't seen the image, see
            `hardpairs.training.cross_validation.cross_validate`.
    """
    train_evidence, test_evidence = (
        gather_evidence([predictions], neighbours=near)
        for predictions, near in zip(
            (train, test), edge_neighbours(dataset.train, dataset.test), strict=True
        )
    )
    test_suspects = _ranked(test, test_evidence)
    train_suspects = _ranked(train, train_evidence)
    doubts = len(train) <= FEW_IMAGES and len(train_suspects) + len(test_suspects) > 0
    duplicates = find_duplicates(dataset.train.images, dataset.test.images)
    # The later image of a pair is the one too many: a test image that was trained on or counted.
    repeated = duplicates.pairs[:, 1] - len(dataset.train)
    classes = len(dataset.class_names)
    return Audit(
        train=train,
        test=test,
        train_evidence=train_evidence,
        test_evidence=test_evidence,
        train_suspects=train_suspects,
        test_suspects=test_suspects,
        duplicates=duplicates,
        train_counts=np.bincount(dataset.train.labels, minlength=classes),
        test_counts=np.bincount(dataset.test.labels, minlength=classes),
        accuracies=_accuracies(test, test_suspects, np.unique(repeated[repeated >= 0])),
        notes=tuple(
            f"The {predictions.split} labels aren't judged: {len(predictions):,} images times "
            f"{classes:,} classes are more than {MOST_SCORES:,}."
            for predictions in (train, test)
            if len(predictions) * classes > MOST_SCORES
        )
        + ((FEW_TRAINED_ON,) if doubts else ()),
    )


def audit_dict(audit: Audit) -> dict[str, Any]:
    """What audit.json holds: every count."""
    return {
        "class_names": audit.train.class_names,
        "train_counts": audit.train_counts.tolist(),
        "test_counts": audit.test_counts.tolist(),
        "duplicates": audit.kind_counts(),
        "duplicate_threshold": audit.duplicates.threshold,
        "train_suspects": len(audit.train_suspects),
        "test_suspects": len(audit.test_suspects),
        "expected_wrong": audit.expected_wrong(),
        "ranked_by": "label_suspicion",
        "accuracies": [asdict(accuracy) for accuracy in audit.accuracies],
    }


def _ranked(predictions: Predictions, evidence: Evidence) -> np.ndarray:
    """int64: the nets' mistakes whose label is suspect, the most suspect first."""
    suspicion = evidence.label_suspicion
    if suspicion is None:
        return np.empty(0, np.int64)
    wrong = predictions.predicted != predictions.labels
    suspects = np.flatnonzero(suspect_labels(evidence) & wrong)
    return suspects[np.argsort(-suspicion[suspects], kind="stable")]


def _accuracies(
    test: Predictions, suspects: np.ndarray, repeated: np.ndarray
) -> tuple[Accuracy, ...]:
    right = test.predicted == test.labels
    none = np.empty(0, np.int64)
    parts = {
        "all test images": none,
        "without suspect labels": suspects,
        "without duplicates": repeated,
        "without either": np.union1d(suspects, repeated),
    }
    accuracies = []
    for name, left_out in parts.items():
        kept = np.delete(right, left_out)
        if len(kept):
            correct = int(kept.sum())
            accuracies.append(
                Accuracy(name, len(kept), correct / len(kept), wilson_interval(correct, len(kept)))
            )
    return tuple(accuracies)
