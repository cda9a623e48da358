"""Verdicts: is a mistake's label suspect, is the picture ambiguous, or is it the model's own?

Misclassified isn't mislabelled: a verdict says where to look, never what is true. The rule, its
sources and what it was measured to be worth: docs/verdicts.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hardpairs.analysis.evidence import Evidence
from hardpairs.foreign import csv_text
from hardpairs.predictions.predictions import Predictions

SUSPECT, AMBIGUOUS, OWN = "label suspect", "ambiguous", "model's own"
VERDICTS = (SUSPECT, AMBIGUOUS, OWN)
# Finds 9 of 10 errors planted at random, 4 of 5 found are planted: benchmarks/planted_errors.py.
LABEL_IMPLAUSIBLE = 0.02
NEIGHBOURS_IMPLAUSIBLE = 0.05  # One of 20 may be wrong itself.
AMBIGUOUS_FROM = 0.15  # From here up, people leave more labels than they keep, see the docs.


@dataclass(frozen=True)
class Verdict:
    """What one mistake looks like, and why.

    Attributes:
        row: Row of the predictions.
        verdict: "label suspect", "ambiguous" or "model's own".
        evidence: Value by column name, see `hardpairs.analysis.evidence.Evidence`.
    """

    row: int
    verdict: str
    evidence: dict[str, float | int | str | None]


def suspect_labels(evidence: Evidence) -> np.ndarray:
    """bool (N,): labels that every witness at hand leaves.

    The nets give the label less than 2%; of the nearest training images no more than 5% carry it;
    of the people, fewer chose it than another class. A low out-of-sample probability of
    the given label is the signal of confident learning (Northcutt et al., JAIR 70, 2021).
    """
    suspect = evidence.label_probability < LABEL_IMPLAUSIBLE
    if evidence.neighbours_for_label is not None:
        suspect &= evidence.neighbours_for_label <= NEIGHBOURS_IMPLAUSIBLE
    if evidence.people_leave_label is not None:
        suspect &= evidence.people_leave_label
    return suspect


def judge_mistakes(predictions: Predictions, evidence: Evidence) -> tuple[Verdict, ...]:
    """Give every mistake of the judged run its verdict, in the order of the rows.

    A label that isn't suspect leaves a mistake either ambiguous or the model's own. Where people
    were asked, they decide: ambiguous where more of them chose another class than the label.
    Elsewhere the ambiguity score decides.
    """
    suspect = suspect_labels(evidence)
    ambiguous = evidence.people_leave_label
    if ambiguous is None:
        ambiguous = evidence.ambiguity >= AMBIGUOUS_FROM
    columns = evidence.columns()
    return tuple(
        Verdict(
            row=int(row),
            verdict=SUSPECT if suspect[row] else AMBIGUOUS if ambiguous[row] else OWN,
            evidence={name: column[row].item() for name, column in columns.items()},
        )
        for row in np.flatnonzero(predictions.predicted != predictions.labels)
    )


def count_verdicts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many mistakes got each verdict, all three named."""
    counts = Counter(verdict.verdict for verdict in verdicts)
    return {name: counts[name] for name in VERDICTS}


def headline(verdicts: Sequence[Verdict]) -> str:
    """Say in a sentence what the mistakes look like."""
    if not verdicts:
        return "There are no mistakes to judge."
    shares = {name: count / len(verdicts) for name, count in count_verdicts(verdicts).items()}
    return (
        f"Of {len(verdicts):,} mistakes {shares[SUSPECT]:.0%} look mislabelled, "
        f"{shares[AMBIGUOUS]:.0%} are ambiguous, {shares[OWN]:.0%} are the model's own."
    )


def verdicts_dict(
    predictions: Predictions, evidence: Evidence, verdicts: Sequence[Verdict], runs: int
) -> dict[str, Any]:
    """The ``verdicts`` part of metrics.json: counts, in all and for each direction of a pair."""
    names = predictions.class_names
    directions = Counter(
        (int(predictions.labels[v.row]), int(predictions.predicted[v.row]), v.verdict)
        for v in verdicts
    )
    pairs = sorted({key[:2] for key in directions})
    return {
        "headline": headline(verdicts),
        "counts": count_verdicts(verdicts),
        "runs": runs,
        "sources": [
            name
            for name, column in (
                ("runs", evidence.label_probability),
                ("neighbours", evidence.neighbours_for_label),
                ("people", evidence.people),
                ("cleanlab", evidence.label_quality),
            )
            if column is not None
        ],
        "directions": [
            {
                "true": names[true],
                "predicted": names[taken_for],
                **{name: directions[true, taken_for, name] for name in VERDICTS},
            }
            for true, taken_for in pairs
        ],
    }


def mistakes_csv(predictions: Predictions, verdicts: Sequence[Verdict]) -> str:
    """One line per mistake: index, true, predicted, probability, verdict, every evidence."""
    evidence_names = list(verdicts[0].evidence) if verdicts else []
    names, predicted = predictions.class_names, predictions.predicted
    rows: list[list[Any]] = [
        ["index", "true", "predicted", "probability", "verdict", *evidence_names]
    ]
    for verdict in verdicts:
        row = verdict.row
        rows.append(
            [
                predictions.ids[row],
                names[predictions.labels[row]],
                names[predicted[row]],
                f"{predictions.known_probabilities()[row, predicted[row]]:.4g}",
                verdict.verdict,
                *(
                    f"{value:.4g}" if isinstance(value, float) else value
                    for value in verdict.evidence.values()
                ),
            ]
        )
    return csv_text(rows)
