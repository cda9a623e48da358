"""Verdicts: what one mistake looks like, and why."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What one mistake looks like, and why.

    Attributes:
        row: Row of the predictions.
        verdict: "label suspect", "ambiguous" or "model's own".
        evidence: Value by column name.
    """

    row: int
    verdict: str
    evidence: dict[str, float | int | str | None]
