"""The gate of a difference: what is worse by more than is allowed."""

from hardpairs.analysis.changes import ROUNDING, interval_text
from hardpairs.analysis.difference import Difference
from hardpairs.analysis.sides import lone_side
from hardpairs.errors import InputError
from hardpairs.foreign import one_line
from hardpairs.wording import plainly


def find_worse(
    difference: Difference, allowed: float, *, strict: bool = False, per_class: bool = False
) -> tuple[str, ...]:
    """Name what is worse in B by more than is allowed, in a sentence each.

    Args:
        difference: Of B against A.
        allowed: Points of accuracy, and of each class's recall.
        strict: Whether the difference itself decides, not the upper end of its interval and the
            test. Equal models then fail half of the time where nothing is allowed.
        per_class: Whether every class is looked at as well.

    Raises:
        InputError: Classes weren't tested, see `Change`, and the test is to decide.
    """
    lone = lone_side(*difference.runs)
    if per_class and not strict and lone:
        raise InputError(
            f"--per-class: {lone} has one run and the other side several, "
            "so classes can't be tested; give each side one run, or each two or more."
        )
    named = [("accuracy", difference.accuracy)]
    if per_class:
        named += [(f"recall of {one_line(c.name)}", c.change) for c in difference.classes]
    sentences = []
    for name, change in named:
        if not strict and not change.significant:
            continue  # Where nothing is allowed, the exact test errs in 2.5% at most.
        end = change.difference if strict or change.interval is None else change.interval[1]
        if 100 * end < -allowed - ROUNDING:
            loss = plainly(-100 * change.difference, 2, apart_from=[allowed])
            sentences.append(
                f"{name} is worse by {loss} points (95% confidence interval of the difference "
                f"{interval_text(change)}), more than the {allowed:g} allowed"
            )
    return tuple(sentences)


def nothing_worse(allowed: float, *, strict: bool = False, per_class: bool = False) -> str:
    """What was found where `find_worse` names nothing, in a sentence; arguments as there."""
    looked_at = "Neither accuracy nor the recall of any class is" if per_class else "Accuracy is"
    short_of = "" if strict else "significantly "
    if not per_class:
        short_of = f"not {short_of}"
    return f"{looked_at} {short_of}worse by more than the {allowed:g} points allowed."
