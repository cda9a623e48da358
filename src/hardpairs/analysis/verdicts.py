"""Verdicts: is a mistake's label suspect, is the picture ambiguous, or is it a model error?

Misclassified isn't mislabelled: a verdict says where to look, never what is true. The rule, its
sources and what it was measured to be worth: docs/verdicts.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from hardpairs.analysis.evidence import Evidence
from hardpairs.analysis.intervals import QUANTILE
from hardpairs.foreign import csv_text
from hardpairs.predictions.predictions import Predictions
from hardpairs.showing import as_frame, as_html

SUSPECT, AMBIGUOUS, MODEL_ERROR = "label suspect", "ambiguous", "model error"
VERDICTS = (SUSPECT, AMBIGUOUS, MODEL_ERROR)
# Finds 9 of 10 errors planted at random, 4 of 5 found are planted: benchmarks/planted_errors.py.
LABEL_IMPLAUSIBLE = 0.02
NEIGHBOURS_IMPLAUSIBLE = 0.05  # One of 20 may be wrong itself.
AMBIGUOUS_FROM = 0.15  # From here up, people leave more labels than they keep, see the docs.

# Where the rule's numbers mean nothing. It was measured with 10 classes and calibrated nets.
FEWEST_IMAGES = 100
FEWEST_IMAGES = 20
MOST_CLASSES = 30
MOST_OFF = 0.05  # Of confidence and accuracy, on average.
MOST_UNFORESEEN = 0.5  # Of the mistakes: those that confidence leaves no room for.
LEAST_TELLING = 0.6  # Area under the ROC curve: does confidence tell right from wrong?
CERTAIN = 1 - 1e-6


@dataclass(frozen=True)
class Verdict:
    """What one mistake looks like, and why.

    Attributes:
        row: Row of the predictions.
        verdict: "label suspect", "ambiguous" or "model error".
        evidence: Value by column name, see `hardpairs.analysis.evidence.Evidence`.
    """

    row: int
    verdict: str
    evidence: dict[str, float | int | str | None]


@dataclass(frozen=True, eq=False, repr=False)
class Verdicts(Sequence[Verdict]):
    """The verdicts on all mistakes, in the order of their rows, or why there are none.

    Attributes:
        rows: int64 (M,), the mistakes' rows; empty where there is a reason.
        kinds: int64 (M,), indices into `VERDICTS`.
        evidence: Of all N images.
        reason: Why no verdicts are given, in a sentence; "" where they are.
    """

    rows: np.ndarray
    kinds: np.ndarray
    evidence: Evidence
    reason: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> "Verdicts": ...
    def __getitem__(self, index: int | slice) -> "Verdict | Verdicts":
        if isinstance(index, slice):
            return self.where(index)
        row = int(self.rows[index])
        return Verdict(row, VERDICTS[self.kinds[index]], self.evidence.of_row(row))

    def where(self, wanted: np.ndarray | slice) -> "Verdicts":
        """Some of the mistakes: a bool (M,), places or a slice."""
        return Verdicts(self.rows[wanted], self.kinds[wanted], self.evidence, self.reason)

    def of_rows(self, rows: Iterable[int]) -> list[Verdict | None]:
        """The verdict on each of some images, None on those without one."""
        places = {int(row): place for place, row in enumerate(self.rows)}
        return [self[places[row]] if row in places else None for row in map(int, rows)]

    def to_frame(self) -> Any:
        """A DataFrame, a row for each mistake: row of the predictions, verdict, evidence."""
        return as_frame(
            {
                "row": self.rows,
                "verdict": [VERDICTS[kind] for kind in self.kinds],
                **{name: column[self.rows] for name, column in self.evidence.columns().items()},
            }
        )

    def __repr__(self) -> str:
        return f"Verdicts({headline(self)})"

    def _repr_html_(self) -> str:
        return as_html(self)


def suspect_labels(evidence: Evidence) -> np.ndarray:
    """bool (N,): labels that every witness at hand leaves.

    The nets give the label less than 2%; of the nearest training images no more than 5% carry it;
    of the people, fewer chose it than another class. A low out-of-sample probability of
    the given label is the signal of confident learning (Northcutt et al., JAIR 70, 2021).

    Raises:
        ValueError: The evidence has no probabilities.
    """
    if evidence.label_probability is None:
        raise ValueError("suspects are told by probabilities, and the evidence has none")
    suspect = evidence.label_probability < LABEL_IMPLAUSIBLE
    if evidence.neighbours_for_label is not None:
        suspect &= evidence.neighbours_for_label <= NEIGHBOURS_IMPLAUSIBLE
    if evidence.people_leave_label is not None:
        suspect &= evidence.people_leave_label
    return suspect


def judge_mistakes(predictions: Predictions, evidence: Evidence) -> Verdicts:
    """Give every mistake of the judged run its verdict, or say why none can be given.

    A label that isn't suspect leaves a mistake either ambiguous or a model error. Where people
    were asked, they decide: ambiguous where more of them chose another class than the label.
    Elsewhere the ambiguity score decides.
    """
    mistakes = np.flatnonzero(predictions.predicted != predictions.labels)
    reason = why_no_verdicts(predictions, evidence)
    if reason:
        none = np.empty(0, np.int64)
        return Verdicts(none, none, evidence, reason)
    return Verdicts(mistakes, judge_images(evidence)[mistakes], evidence)


def judge_images(evidence: Evidence) -> np.ndarray:
    """int64 (N,), indices into `VERDICTS`: what each image would be, were it mistaken.

    Raises:
        ValueError: The evidence has no probabilities.
    """
    if evidence.ambiguity is None:
        raise ValueError("verdicts are told by probabilities, and the evidence has none")
    ambiguous = evidence.people_leave_label
    if ambiguous is None:
        ambiguous = evidence.ambiguity >= AMBIGUOUS_FROM
    return np.where(suspect_labels(evidence), 0, np.where(ambiguous, 1, 2))


def why_no_verdicts(predictions: Predictions, evidence: Evidence) -> str:
    """Say in a sentence why the rule doesn't hold for these predictions; "" where it does."""
    confidence = evidence.prediction_probability
    classes = len(predictions.class_names)
    if confidence is None:
        return "No verdicts are given: only the predicted classes are known, no probabilities."
    if confidence_is_given_away(confidence):
        return "No verdicts are given: the probabilities are 0 and 1 and so tell no doubt."
    if len(confidence) < FEWEST_IMAGES:
        return (
            f"No verdicts are given: {len(confidence)} images are too few to know how hard their "
            "classes are."
        )
    return why_too_many_classes(classes) or _why_not_trusted(
        confidence, predictions.predicted == predictions.labels
    )


def why_too_many_classes(classes: int) -> str:
    """Say in a sentence that the rule wasn't made for so many classes; "" where it was."""
    if classes <= MOST_CLASSES:
        return ""
    return f"No verdicts are given: their rule was measured with 10 classes, not with {classes:,}."


def _why_not_trusted(confidence: np.ndarray, right: np.ndarray) -> str:
    """Only what can't be by chance counts: what remains beyond the 95% confidence interval."""
    images, wrong = len(right), int((~right).sum())
    if not wrong:
        return ""
    excess = confidence - right
    off, chance = float(excess.mean()), QUANTILE * float(excess.std()) / images**0.5
    if abs(off) - chance > MOST_OFF or off - chance > MOST_UNFORESEEN * wrong / images:
        return (
            f"No verdicts are given: the mean confidence is {confidence.mean():.1%} and "
            f"{right.mean():.1%} are right, so confidence doesn't match accuracy; "
            "calibrate them first, by temperature scaling for instance."
        )
    if right.any():
        chance = QUANTILE * ((images + 1) / (12 * wrong * (images - wrong))) ** 0.5
        if _area(confidence, right) + chance < LEAST_TELLING:
            return (
                "No verdicts are given: mistakes are predicted with as much confidence as the rest."
            )
    return ""


def confidence_is_given_away(confidence: np.ndarray) -> bool:
    """Whether nearly all probabilities of the predicted class, float (N,), are 1."""
    return bool((confidence >= CERTAIN).mean() >= 0.99)


def _area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve by ranks (Hanley, McNeil 1982); ties count half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    rank = (last - (counts - 1) / 2)[places]
    positives = int(positive.sum())
    above = rank[positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(scores) - positives)))


def count_verdicts(verdicts: Verdicts) -> dict[str, int]:
    """How many mistakes got each verdict, all three named."""
    counts = np.bincount(verdicts.kinds, minlength=len(VERDICTS))
    return dict(zip(VERDICTS, counts.tolist(), strict=True))


def headline(verdicts: Verdicts) -> str:
    """Say in a sentence what the mistakes look like."""
    if verdicts.reason:
        return verdicts.reason
    if not len(verdicts):
        return "There are no mistakes to judge."
    suspect, ambiguous, error = whole_percents([*count_verdicts(verdicts).values()])
    return (
        f"Of {len(verdicts):,} mistakes {suspect}% look mislabelled, "
        f"{ambiguous}% are ambiguous, {error}% are model errors."
    )


def whole_percents(counts: Sequence[int]) -> list[int]:
    """Shares in whole percents that sum to 100: the largest remainders are rounded up.

    >>> whole_percents([1, 1, 1])
    [34, 33, 33]
    """
    exact = 100 * np.asarray(counts, np.float64) / sum(counts)
    percents = np.floor(exact).astype(np.int64)
    short = 100 - int(percents.sum())
    percents[np.argsort(percents - exact, kind="stable")[:short]] += 1
    return [int(each) for each in percents]


def verdicts_dict(predictions: Predictions, verdicts: Verdicts, runs: int) -> dict[str, Any]:
    """The ``verdicts`` part of metrics.json: counts, in all and for each direction of a pair."""
    names, evidence = predictions.class_names, verdicts.evidence
    true, taken_for = predictions.labels[verdicts.rows], predictions.predicted[verdicts.rows]
    keys, places = np.unique(true * len(names) + taken_for, return_inverse=True)
    counts = np.zeros((len(keys), len(VERDICTS)), np.int64)
    np.add.at(counts, (places, verdicts.kinds), 1)
    return {
        "headline": headline(verdicts),
        "reason": verdicts.reason,
        "counts": count_verdicts(verdicts),
        "runs": runs,
        "sources": [
            name
            for name, column in (
                ("runs", evidence.label_probability),
                ("neighbours", evidence.neighbours_for_label),
                ("people", evidence.people),
            )
            if column is not None
        ],
        "directions": [
            {
                "true": names[key // len(names)],
                "predicted": names[key % len(names)],
                **dict(zip(VERDICTS, row, strict=True)),
            }
            for key, row in zip(keys.tolist(), counts.tolist(), strict=True)
        ],
    }


def verdict_columns(predictions: Predictions, verdicts: Verdicts) -> dict[str, list[Any]]:
    """How many mistakes of each direction got each verdict, long: a row for each of the three."""
    rows = [
        (each["true"], each["predicted"], name, each[name])
        for each in verdicts_dict(predictions, verdicts, 1)["directions"]
        for name in VERDICTS
    ]
    names = ("true", "predicted", "verdict", "mistakes")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def mistakes_csv(predictions: Predictions, verdicts: Verdicts) -> str:
    """One line per mistake: index, true, predicted, probability, verdict, every evidence."""
    mistakes = np.flatnonzero(predictions.predicted != predictions.labels)
    columns = image_columns(predictions, verdicts, mistakes)
    lines = zip(*map(_texts, columns.values()), strict=True)
    return csv_text([list(columns), *lines])


def image_columns(
    predictions: Predictions, verdicts: Verdicts, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns of some images: index, true, predicted, probability, verdict, every evidence.

    Args:
        predictions: Of N images.
        verdicts: On their mistakes; None where an image is right or no verdicts are given.
        rows: int64 (M,).
    """
    names = np.array([*predictions.class_names, None], object)[:-1]
    predicted = predictions.predicted[rows]
    verdict = np.full(len(predictions), None, object)
    verdict[verdicts.rows] = np.array(VERDICTS, object)[verdicts.kinds]
    confidence = np.full(len(rows), np.nan)
    if predictions.probabilities is not None:
        confidence = predictions.probabilities[rows, predicted]
    return {
        "index": predictions.ids[rows],
        "true": names[predictions.labels[rows]],
        "predicted": names[predicted],
        "probability": confidence,
        "verdict": verdict[rows],
        **{name: column[rows] for name, column in verdicts.evidence.columns().items()},
    }


def _texts(column: np.ndarray) -> list[Any]:
    if column.dtype.kind == "f":
        return ["" if np.isnan(value) else f"{value:.4g}" for value in column.tolist()]
    return ["" if value is None else value for value in column.tolist()]
