"""Evidence on every image: what the nets, the training images and people say of its label.

Shared by mistakes and correct images, so that the two can be compared. What the evidence amounts
to is `hardpairs.analysis.verdicts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hardpairs.analysis.causes import (
    MOST_SCORES,
    SMALLEST,
    even_pool,
    image_times_class,
    label_errors,
    log_confusions,
    log_probabilities,
    log_shares,
    pool,
)
from hardpairs.analysis.neighbours import Neighbours, label_shares
from hardpairs.analysis.samples import row_blocks
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import Predictions
from hardpairs.showing import as_frame


@dataclass(frozen=True, repr=False)
class Evidence:
    """Columns of N images; a source that isn't at hand leaves its columns None.

    "The prediction" is that of the first run, the one that is judged; "runs" are all that were
    given, and probabilities are means over them.

    Attributes:
        label_probability, prediction_probability: float64, mean over the runs; like the next two
            None where a run knows no probabilities.
        entropy: float64, bits, of the mean probabilities.
        ambiguity: float64, see `neighbour_ambiguity`; without many neighbours `ambiguity_score`.
        disagreement: float64, bits: the entropy of the mean less the mean entropy of the runs, 0
            where all runs say the same (Houlsby et al., arXiv:1112.5745); None of one run.
        runs_for_label: float64, the share of runs that predict the label; None of one run.
        label_quality: float64, low where the label looks wrong, see `label_quality`.
        neighbours_for_label, neighbours_for_prediction: float64, shares of the nearest training
            images; None without neighbours.
        hidden_for_label, edges_for_label: float64, the label's share among many nearest training
            images, in the net's last hidden layer and by edges; None where those are unknown.
        people, people_for_label, people_for_prediction, people_for_favourite: int64, how many
            were asked and chose the label, the prediction, the class most chosen; None without
            votes.
        people_entropy: float64, bits; None without votes.
        label_suspicion: float64, to sort labels by, the most suspect largest.
        label_error_probability, ambiguous_probability, model_error_probability: float64, of the
            causes of a mistake, see `_causes`, which sum to 1. The last two None where there is
            no witness but the run that is judged.
    """

    label_probability: np.ndarray | None = None
    prediction_probability: np.ndarray | None = None
    entropy: np.ndarray | None = None
    ambiguity: np.ndarray | None = None
    disagreement: np.ndarray | None = None
    runs_for_label: np.ndarray | None = None
    label_quality: np.ndarray | None = None
    neighbours_for_label: np.ndarray | None = None
    neighbours_for_prediction: np.ndarray | None = None
    hidden_for_label: np.ndarray | None = None
    edges_for_label: np.ndarray | None = None
    people: np.ndarray | None = None
    people_for_label: np.ndarray | None = None
    people_for_prediction: np.ndarray | None = None
    people_for_favourite: np.ndarray | None = None
    people_entropy: np.ndarray | None = None
    label_suspicion: np.ndarray | None = None
    label_error_probability: np.ndarray | None = None
    ambiguous_probability: np.ndarray | None = None
    model_error_probability: np.ndarray | None = None

    def __repr__(self) -> str:
        columns = self.columns()
        images = len(next(iter(columns.values()), ()))
        return f"Evidence({images:,} images: {', '.join(columns)})"

    def columns(self) -> dict[str, np.ndarray]:
        """The columns at hand, by name, in the order above."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in values.items() if column is not None}

    def of_row(self, row: int) -> dict[str, float | int]:
        """One image's values of `columns`, plain numbers."""
        return {name: column[row].item() for name, column in self.columns().items()}

    def to_frame(self) -> Any:
        """A DataFrame with a row for each image, `columns` as they are."""
        return as_frame(self.columns())


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
    _check_same_images(runs)
    first = runs[0]
    labels, predicted, rows = first.labels, first.predicted, np.arange(len(first.labels))
    columns: dict[str, np.ndarray] = {}
    if all(run.has_probabilities for run in runs):
        columns |= _probability_columns(runs)
    if len(runs) > 1:
        columns["runs_for_label"] = np.mean([run.predicted == labels for run in runs], axis=0)
    if neighbours is not None:
        columns["neighbours_for_label"] = _share(neighbours.labels, labels)
        columns["neighbours_for_prediction"] = _share(neighbours.labels, predicted)
        columns |= _many_neighbours(neighbours, labels)
    if votes is not None:
        columns["people"] = votes.sum(axis=1)
        columns["people_for_label"] = votes[rows, labels]
        columns["people_for_prediction"] = votes[rows, predicted]
        columns["people_for_favourite"] = votes.max(axis=1)
        columns["people_entropy"] = _entropy(votes)
    return Evidence(**columns, **_causes(runs, neighbours, columns))


def _causes(
    runs: Sequence[Predictions], neighbours: Neighbours | None, columns: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """How probable each cause of a mistake is; empty where nothing scores all classes.

    A label is taken for a slip by all that is known of the image, but for people, who can only
    clear it. Whether another label would have been given as well, or only the model is wrong, is
    told by witnesses beside the judged model: people, else its neighbours and further runs.
    """
    first = runs[0]
    labels, rows = first.labels, np.arange(len(first.labels))
    classes = len(first.class_names)
    if not 0 < len(labels) * classes <= MOST_SCORES:
        return {}
    witnesses = _witnesses(runs, neighbours, classes)
    if first.probabilities is not None:
        own = log_probabilities(first.probabilities)
    elif witnesses:
        own = log_confusions(labels, first.predicted, classes)
    else:
        return {}
    scores = pool([own, *witnesses], labels)
    errors = label_errors(scores, labels)
    slip, doubt, both = errors.probability, None, None
    if "people" in columns:
        chose, asked = columns["people_for_label"], columns["people"]
        doubt = both = 1 - chose / np.maximum(asked, 1)
        slip = np.where(chose < columns["people_for_favourite"], slip, 0)
    elif witnesses:
        doubt = 1 - np.exp(pool(witnesses, labels)[rows, labels].astype(np.float64))
        both = np.sqrt(image_times_class(labels, doubt))
    causes = {"label_suspicion": errors.rank, "label_error_probability": slip}
    if doubt is not None and both is not None:
        clear = 1 - np.maximum(doubt, both)
        share = both / np.maximum(both + clear, SMALLEST)  # What is left open is divided alike.
        causes["ambiguous_probability"] = (1 - slip) * share
        causes["model_error_probability"] = (1 - slip) * (1 - share)
    return causes


def _witnesses(
    runs: Sequence[Predictions], neighbours: Neighbours | None, classes: int
) -> list[np.ndarray]:
    """Logarithms, float32 (N, K), by what isn't the judged model's own answer."""
    witnesses = []
    if neighbours is not None:
        nearest = label_shares(neighbours.labels, classes)
        witnesses = [log_shares(each) for each in (*neighbours.shares.values(), nearest)]
    others = [run.known_probabilities() for run in runs[1:] if run.has_probabilities]
    return witnesses + ([log_probabilities(_mean(others))] if others else [])


def _many_neighbours(neighbours: Neighbours, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of the label, and ambiguity from them."""
    shares = neighbours.shares
    if not shares:
        return {}
    rows = np.arange(len(labels))
    columns = {
        f"{name}_for_label": each[rows, labels].astype(np.float64) for name, each in shares.items()
    }
    return columns | {"ambiguity": neighbour_ambiguity(labels, list(shares.values()))}


def _probability_columns(runs: Sequence[Predictions]) -> dict[str, np.ndarray]:
    first, labels = runs[0], runs[0].labels
    rows = np.arange(len(labels))
    each = [run.known_probabilities() for run in runs]

    def mean_of(columns: np.ndarray) -> np.ndarray:
        picked = [probabilities[rows, columns].astype(np.float64) for probabilities in each]
        return np.mean(picked, axis=0)

    entropy, of_runs = np.empty(len(labels)), np.zeros(len(labels))
    for block in row_blocks(*each[0].shape):
        entropy[block] = _entropy(_mean([one[block] for one in each]))
        if len(runs) > 1:
            of_runs[block] = np.mean([_entropy(one[block]) for one in each], axis=0)
    label_probability = mean_of(labels)
    columns = {
        "label_probability": label_probability,
        "prediction_probability": mean_of(first.predicted),
        "entropy": entropy,
        "ambiguity": ambiguity_score(labels, label_probability),
        "label_quality": label_quality(labels, label_probability, each[0].shape[1]),
    }
    if len(runs) > 1:
        columns["disagreement"] = np.maximum(entropy - of_runs, 0)
    return columns


def _mean(tables: Sequence[np.ndarray]) -> np.ndarray:
    return np.asarray(np.mean(tables, axis=0, dtype=np.float64))


def _entropy(weights: np.ndarray) -> np.ndarray:
    """float64 (N,): Shannon entropy in bits of each row of weights (N, K), scaled to sum to 1."""
    shares = weights / weights.sum(axis=1, keepdims=True, dtype=np.float64)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)


def _check_same_images(runs: Sequence[Predictions]) -> None:
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


def ambiguity_score(labels: np.ndarray, label_probability: np.ndarray) -> np.ndarray:
    """How likely two judges are to leave the label, one of this image, one of its class.

    The probability that the nets give to other classes than the label on this image, times the
    mean of the same over all images with that label. A net that is sure of a wrong class says
    nothing of the picture; a class that nets can't hold together at all does. Our own; measured
    against people in docs/verdicts.md.

    Args:
        labels: int64 (N,).
        label_probability: float (N,), of images that weren't trained on.

    Returns:
        float64 (N,), from 0 to 1.
    """
    return image_times_class(labels, 1 - label_probability.astype(np.float64))


def neighbour_ambiguity(labels: np.ndarray, shares: Sequence[np.ndarray]) -> np.ndarray:
    """How far an image lies among other classes', times the mean of the same over its class.

    The better a net, the less its own probability says of a picture; many neighbours judge it in
    representations that haven't collapsed onto the classes. Measured in docs/verdicts.md.

    Args:
        labels: int64 (N,).
        shares: float32 (N, K) each, of the classes among many neighbours; what they say is pooled
            with equal weights.

    Returns:
        float64 (N,), from 0 to 1.
    """
    pooled = even_pool([log_shares(each) for each in shares])
    return ambiguity_score(labels, np.exp(pooled[np.arange(len(labels)), labels]))


def label_quality(labels: np.ndarray, label_probability: np.ndarray, classes: int) -> np.ndarray:
    """Score labels from 0 up, the most suspect lowest.

    The probability of the label after each class's mean of it is taken off, scaled to sum to 1 over
    the classes, so that labels of hard classes aren't suspected for their class alone: adjusted
    self-confidence, as in Northcutt, Jiang, Chuang, "Confident Learning", JAIR 70, 2021, section
    3.2, and in the library cleanlab.

    Args:
        labels: int64 (N,).
        label_probability: float64 (N,), of images that weren't trained on.
        classes: K; those without images change nothing.

    Returns:
        float64 (N,).
    """
    images = np.bincount(labels, minlength=classes)
    usual = np.bincount(labels, label_probability, classes) / np.maximum(images, 1)
    below_surest = np.where(images > 0, usual.max() - usual, 0)
    return (label_probability + below_surest[labels]) / (1 + below_surest.sum())


def _share(neighbour_labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    return (neighbour_labels == classes[:, None]).mean(axis=1)
