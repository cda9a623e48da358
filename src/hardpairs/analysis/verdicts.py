"""Verdicts: is a mistake's label suspect, is the picture ambiguous, or is it a model error?

Misclassified isn't mislabelled: a verdict says where to look, never what is true. The rule, its
sources and what it was measured to be worth: docs/verdicts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np

from hardpairs.analysis.causes import MOST_SCORES
from hardpairs.analysis.evidence import Evidence
from hardpairs.foreign import csv_text
from hardpairs.predictions.predictions import Predictions
from hardpairs.showing import as_frame, as_html
from hardpairs.wording import counted

SUSPECT, AMBIGUOUS, MODEL_ERROR = "label suspect", "ambiguous", "model error"
CANNOT_TELL = "can't tell"
VERDICTS = (SUSPECT, AMBIGUOUS, MODEL_ERROR, CANNOT_TELL)
SUSPECT_FROM = 0.5  # A label is suspect where it is more probably wrong than not.
GIVEN_FROM = 0.6  # Of the other two, between which a mistake at a half can't be told.
FEWEST_IMAGES = 20
CERTAIN = 1 - 1e-6
ONE_WITNESS = (
    "No mistake is called ambiguous or a model error: from a model's own probabilities alone it "
    "can't be told whether the picture or the model is at fault. Further runs tell "
    "(hardpairs evaluate --also), or embeddings beside the probabilities."
)


@dataclass(frozen=True)
class Verdict:
    """What one mistake looks like, and why.

    Attributes:
        row: Row of the predictions.
        verdict: One of `VERDICTS`.
        probability: Of the verdict; of "can't tell", of the most probable cause.
        evidence: Value by column name, see `hardpairs.analysis.evidence.Evidence`.
    """

    row: int
    verdict: str
    probability: float
    evidence: dict[str, float | int]


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
        probability = float(self.probabilities[index])
        return Verdict(row, VERDICTS[self.kinds[index]], probability, self.evidence.of_row(row))

    @cached_property
    def probabilities(self) -> np.ndarray:
        """float64 (M,): how probable each verdict is; of "can't tell" the most probable cause."""
        if not len(self.rows):
            return np.empty(0)
        return _causes(self.evidence)[self.rows].max(axis=1)

    @property
    def alone(self) -> bool:
        """Whether the judged model's own probabilities are all that is known."""
        return self.evidence.ambiguous_probability is None

    @property
    def expected_wrong(self) -> float | None:
        """The share of the verdicts given that are wrong by their own probabilities."""
        given = self.kinds != VERDICTS.index(CANNOT_TELL)
        return float(1 - self.probabilities[given].mean()) if given.any() else None

    def where(self, wanted: np.ndarray | slice) -> "Verdicts":
        """Some of the mistakes: a bool (M,), places or a slice."""
        return Verdicts(self.rows[wanted], self.kinds[wanted], self.evidence, self.reason)

    def to_frame(self) -> Any:
        """A DataFrame, a row for each mistake: row of the predictions, verdict, evidence."""
        return as_frame(
            {
                "row": self.rows,
                "verdict": [VERDICTS[kind] for kind in self.kinds],
                "probability": self.probabilities,
                **{name: column[self.rows] for name, column in self.evidence.columns().items()},
            }
        )

    def __repr__(self) -> str:
        return f"Verdicts({headline(self)})"

    def _repr_html_(self) -> str:
        return as_html(self)


def suspect_labels(evidence: Evidence) -> np.ndarray:
    """bool (N,): labels that are more probably a slip than not.

    Raises:
        ValueError: The evidence has no probabilities.
    """
    if evidence.label_error_probability is None:
        raise ValueError("suspects are told by probabilities, and the evidence has none")
    return evidence.label_error_probability >= SUSPECT_FROM


def judge_mistakes(predictions: Predictions, evidence: Evidence, *, unwanted: str = "") -> Verdicts:
    """Give every mistake of the judged run its verdict, or say why not."""
    mistakes = np.flatnonzero(predictions.predicted != predictions.labels)
    reason = unwanted or why_no_verdicts(predictions, evidence)
    if reason:
        none = np.empty(0, np.int64)
        return Verdicts(none, none, evidence, reason)
    return Verdicts(mistakes, judge_images(evidence)[mistakes], evidence)


def judge_images(evidence: Evidence) -> np.ndarray:
    """int64 (N,), indices into `VERDICTS`: what each image would be, were it mistaken.

    Raises:
        ValueError: The evidence has no probabilities.
    """
    causes = _causes(evidence)
    needed = np.array([SUSPECT_FROM, GIVEN_FROM, GIVEN_FROM])
    told = causes >= needed
    return np.where(told.any(axis=1), told.argmax(axis=1), VERDICTS.index(CANNOT_TELL))


def _causes(evidence: Evidence) -> np.ndarray:
    """float64 (N, 3): the probability of each verdict but "can't tell"."""
    if evidence.label_error_probability is None:
        raise ValueError("verdicts are told by probabilities, and the evidence has none")
    unknown = np.zeros_like(evidence.label_error_probability)
    columns = (
        evidence.label_error_probability,
        evidence.ambiguous_probability,
        evidence.model_error_probability,
    )
    return np.column_stack([unknown if each is None else each for each in columns])


def why_no_verdicts(predictions: Predictions, evidence: Evidence) -> str:
    """Say in a sentence why no verdict can be given; "" where they can."""
    images, classes = len(predictions), len(predictions.class_names)
    if images * classes > MOST_SCORES:
        return (
            f"No verdicts are given: {images:,} images times {classes:,} classes are more than "
            f"{MOST_SCORES:,}."
        )
    if evidence.label_error_probability is None:
        return "No verdicts are given: only the predicted classes are known, no probabilities."
    confidence = evidence.prediction_probability
    alone = evidence.ambiguous_probability is None
    if alone and confidence is not None and confidence_is_given_away(confidence):
        return "No verdicts are given: the probabilities are 0 and 1 and so tell no doubt."
    if images < FEWEST_IMAGES:
        return (
            f"No verdicts are given: {counted(images, 'image')} {'is' if images == 1 else 'are'} "
            "too few to know how hard the classes are."
        )
    return ""


def knows_confidence(predictions: Predictions) -> bool:
    """Whether there is confidence to speak of: not classes alone, or probabilities of 0 and 1."""
    probabilities = predictions.probabilities
    return probabilities is not None and not confidence_is_given_away(probabilities.max(axis=1))


def confidence_is_given_away(confidence: np.ndarray) -> bool:
    """Whether nearly all probabilities of the predicted class, float (N,), are 1."""
    return bool((confidence >= CERTAIN).mean() >= 0.99)


def count_verdicts(verdicts: Verdicts) -> dict[str, int]:
    """How many mistakes got each verdict, all four named."""
    counts = np.bincount(verdicts.kinds, minlength=len(VERDICTS))
    return dict(zip(VERDICTS, counts.tolist(), strict=True))


# What is said of one mistake, and of several.
_LOOKS = {
    SUSPECT: ("looks mislabelled", "look mislabelled"),
    AMBIGUOUS: ("is ambiguous", "are ambiguous"),
    MODEL_ERROR: ("is a model error", "are model errors"),
    CANNOT_TELL: ("can't be told", "can't be told"),
}


def headline(verdicts: Verdicts) -> str:
    """Say in a sentence what the mistakes look like."""
    if verdicts.reason:
        return verdicts.reason
    if not len(verdicts):
        return "There are no mistakes to judge."
    mistakes = len(verdicts)
    counts = {verdict: count for verdict, count in count_verdicts(verdicts).items() if count}
    if counts.keys() == {CANNOT_TELL}:
        no_one, them = f"None of {mistakes:,} mistakes looks", "them"
        if mistakes == 1:
            no_one, them = "The only mistake doesn't look", "it"
        return f"{no_one} mislabelled; what caused {them} can't be told."
    told = {verdict: _LOOKS[verdict][count > 1] for verdict, count in counts.items()}
    if len(told) == 1:
        every = "The only mistake" if mistakes == 1 else f"All {mistakes:,} mistakes"
        return f"{every} {''.join(told.values())}."
    parts = [] if SUSPECT in counts else ["none looks mislabelled"]
    parts += [f"{counts[verdict]:,} {looks}" for verdict, looks in told.items()]
    return f"Of {mistakes:,} mistakes {', '.join(parts)}."


def verdicts_dict(predictions: Predictions, verdicts: Verdicts, runs: int) -> dict[str, Any]:
    """The ``verdicts`` part of metrics.json: counts, in all and for each direction of a pair."""
    evidence = verdicts.evidence
    return {
        "headline": headline(verdicts),
        "reason": verdicts.reason,
        "counts": count_verdicts(verdicts),
        "expected_wrong": verdicts.expected_wrong,
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
        "directions": _directions(predictions, verdicts),
    }


def _directions(predictions: Predictions, verdicts: Verdicts) -> list[dict[str, Any]]:
    """How many mistakes of each direction, one class taken for another, got each verdict."""
    names = predictions.class_names
    true, taken_for = predictions.labels[verdicts.rows], predictions.predicted[verdicts.rows]
    keys, places = np.unique(true * len(names) + taken_for, return_inverse=True)
    counts = np.zeros((len(keys), len(VERDICTS)), np.int64)
    np.add.at(counts, (places, verdicts.kinds), 1)
    return [
        {
            "true": names[key // len(names)],
            "predicted": names[key % len(names)],
            **dict(zip(VERDICTS, row, strict=True)),
        }
        for key, row in zip(keys.tolist(), counts.tolist(), strict=True)
    ]


def verdict_columns(predictions: Predictions, verdicts: Verdicts) -> dict[str, list[Any]]:
    """How many mistakes of each direction got each verdict, long: a row for each of the four."""
    rows = [
        (each["true"], each["predicted"], name, each[name])
        for each in _directions(predictions, verdicts)
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
    probability = np.full(len(predictions), np.nan)
    probability[verdicts.rows] = verdicts.probabilities
    confidence = np.full(len(rows), np.nan)
    if predictions.probabilities is not None:
        confidence = predictions.probabilities[rows, predicted]
    return {
        "index": predictions.ids[rows],
        "true": names[predictions.labels[rows]],
        "predicted": names[predicted],
        "probability": confidence,
        "verdict": verdict[rows],
        "verdict_probability": probability[rows],
        **{name: column[rows] for name, column in verdicts.evidence.columns().items()},
    }


def _texts(column: np.ndarray) -> list[Any]:
    if column.dtype.kind == "f":
        return ["" if np.isnan(value) else f"{value:.4g}" for value in column.tolist()]
    return ["" if value is None else value for value in column.tolist()]
