"""Evidence on every image: what the nets, the training images and people say of its label.

Shared by mistakes and correct images, so that the two can be compared. What the evidence amounts
to is `hardpairs.analysis.verdicts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy import special

from hardpairs.analysis.neighbours import Neighbours
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions


@dataclass(frozen=True)
class Evidence:
    """Columns of N images; a source that isn't at hand leaves its columns None.

    "The prediction" is that of the first run, the one that is judged; "runs" are all that were
    given, and probabilities are means over them.

    Attributes:
        label_probability, prediction_probability: float64, mean over the runs.
        entropy: float64, bits, of the mean probabilities.
        ambiguity: float64, see `ambiguity_score`.
        disagreement: float64, bits: the entropy of the mean less the mean entropy of the runs, 0
            where all runs say the same (Houlsby et al., arXiv:1112.5745); None of one run.
        runs_for_label: float64, the share of runs that predict the label; None of one run.
        label_quality: float64, cleanlab's score of the label, low where it looks wrong
            (Northcutt, Jiang, Chuang, JAIR 70, 2021); None without cleanlab.
        neighbours_for_label, neighbours_for_prediction: float64, shares of the nearest training
            images; None without neighbours.
        people, people_for_label, people_for_prediction, people_for_favourite: int64, how many
            were asked and chose the label, the prediction, the class most chosen; None without
            votes.
        people_entropy: float64, bits; None without votes.
    """

    label_probability: np.ndarray
    prediction_probability: np.ndarray
    entropy: np.ndarray
    ambiguity: np.ndarray
    disagreement: np.ndarray | None = None
    runs_for_label: np.ndarray | None = None
    label_quality: np.ndarray | None = None
    neighbours_for_label: np.ndarray | None = None
    neighbours_for_prediction: np.ndarray | None = None
    people: np.ndarray | None = None
    people_for_label: np.ndarray | None = None
    people_for_prediction: np.ndarray | None = None
    people_for_favourite: np.ndarray | None = None
    people_entropy: np.ndarray | None = None

    @property
    def people_leave_label(self) -> np.ndarray | None:
        """bool (N,): more people chose some other class than the label; None without votes."""
        if self.people_for_label is None or self.people_for_favourite is None:
            return None
        return self.people_for_label < self.people_for_favourite

    def columns(self) -> dict[str, np.ndarray]:
        """The columns at hand, by name, in the order above."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in values.items() if column is not None}


def gather_evidence(
    runs: Sequence[Predictions],
    *,
    votes: np.ndarray | None = None,
    neighbours: Neighbours | None = None,
) -> Evidence:
    """Compute every column that the sources allow.

    Args:
        runs: Predictions of the same images; the first is the one judged.
        votes: int64 (N, K), how many people chose each class, or None.
        neighbours: Of the same N images, or None.

    Raises:
        InputError: The runs aren't of the same images.
    """
    first = runs[0]
    labels, predicted, rows = first.labels, first.predicted, np.arange(len(first.labels))
    probabilities = mean_probabilities(runs)
    entropy = _entropy(probabilities)
    columns = {
        "label_probability": probabilities[rows, labels],
        "prediction_probability": probabilities[rows, predicted],
        "entropy": entropy,
        "ambiguity": ambiguity_score(labels, probabilities),
        "label_quality": label_quality(labels, probabilities),
    }
    if len(runs) > 1:
        each = [_entropy(run.known_probabilities()) for run in runs]
        columns["disagreement"] = np.maximum(entropy - np.mean(each, axis=0), 0)
        columns["runs_for_label"] = np.mean([run.predicted == labels for run in runs], axis=0)
    if neighbours is not None:
        columns["neighbours_for_label"] = _share(neighbours.labels, labels)
        columns["neighbours_for_prediction"] = _share(neighbours.labels, predicted)
    if votes is not None:
        columns["people"] = votes.sum(axis=1)
        columns["people_for_label"] = votes[rows, labels]
        columns["people_for_prediction"] = votes[rows, predicted]
        columns["people_for_favourite"] = votes.max(axis=1)
        columns["people_entropy"] = _entropy(votes)
    return Evidence(**columns)


def _entropy(weights: np.ndarray) -> np.ndarray:
    """float64 (N,): Shannon entropy in bits of each row of weights (N, K), scaled to sum to 1."""
    shares = weights / weights.sum(axis=1, keepdims=True)
    return special.entr(shares).sum(axis=1) / np.log(2)


def mean_probabilities(runs: Sequence[Predictions]) -> np.ndarray:
    """Return float64 (N, K), the mean over runs of the same images.

    Raises:
        InputError: They aren't of the same images, labels and classes.
    """
    first = runs[0]
    for number, run in enumerate(runs[1:], start=2):
        same = (
            run.class_names == first.class_names
            and np.array_equal(run.ids, first.ids)
            and np.array_equal(run.labels, first.labels)
            and (run.fingerprint == first.fingerprint or "" in (run.fingerprint, first.fingerprint))
        )
        if not same:
            raise InputError(
                f"run {number} isn't of the same images, labels and classes as the first; "
                "give runs of one dataset and split."
            )
    return np.stack([run.known_probabilities() for run in runs]).mean(axis=0, dtype=np.float64)


def ambiguity_score(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """How likely two judges are to leave the label, one of this image, one of its class.

    The probability that the nets give to other classes than the label on this image, times the
    mean of the same over all images with that label. A net that is sure of a wrong class says
    nothing of the picture; a class that nets can't hold together at all does. Our own; measured
    against people in docs/verdicts.md.

    Args:
        labels: int64 (N,).
        probabilities: float (N, K), of images that weren't trained on.

    Returns:
        float64 (N,), from 0 to 1.
    """
    doubt = 1 - probabilities[np.arange(len(labels)), labels].astype(np.float64)
    images = np.maximum(np.bincount(labels, minlength=probabilities.shape[1]), 1)
    of_class = np.bincount(labels, weights=doubt, minlength=len(images)) / images
    return doubt * of_class[labels]


def label_quality(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray | None:
    """cleanlab's score, float64 (N,), or None where cleanlab isn't installed.

    The probability of the label after each class's mean self-confidence is taken off, so that
    labels of hard classes aren't suspected for their class alone.
    """
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None
    if len(np.unique(labels)) < probabilities.shape[1]:
        return None  # cleanlab's adjustment divides by images of each class.
    return get_label_quality_scores(labels, probabilities, adjust_pred_probs=True)


def _share(neighbour_labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return (neighbour_labels == classes[:, None]).mean(axis=1)
