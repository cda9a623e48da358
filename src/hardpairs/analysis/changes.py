"""What changes from one side to the other: in all, by class and by pair of classes.

A side is one fitted model, or one recipe trained with several seeds. Studies and `hardpairs diff`
both take their numbers from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from hardpairs.analysis.calibration import plain_points
from hardpairs.analysis.evaluation import HardPair, count_cells, find_hard_pairs
from hardpairs.analysis.intervals import CONFIDENCE
from hardpairs.analysis.moderation import moderate
from hardpairs.analysis.significance import (
    SIGNIFICANCE,
    CrossedError,
    crossed_error,
    holm,
    mcnemar,
    mcnemar_mid_p,
    newcombe_bounds,
    unmatched_error,
)
from hardpairs.wording import plainly

ROUNDING = 1e-9  # Points: less is what adding up leaves over.
SMALLEST_P = 0.0001  # Texts say of smaller ones that they are; difference.json has their digits.

STRICTER_TEST = (
    "The exact test is stricter than the interval: where the interval leaves out 0 and p is not "
    "below 0.05, the difference isn't significant."
)
WIDER_INTERVALS = (
    "Bonferroni's intervals are wider than Holm's test asks for, so a class may differ "
    "significantly while its interval still holds 0."
)


@dataclass(frozen=True)
class Change:
    """How many of some images each side gets right, and whether they differ.

    Attributes:
        images: How many there are.
        before, after: Shares that are right, means over a side's runs.
        fixed, broken: Images that only the side after gets right, and only the side before; means
            over all pairs of one run of each.
        interval: Of ``after - before``, 95% for all changes of a family together (Bonferroni).
            Newcombe's method 10 for two models; for several runs that of `CrossedError`, which
            speaks of other seeds as well. None where nothing varied that would tell, or where it
            wasn't tested.
        p_value: Exact McNemar for two models, else from the analysis behind ``interval``; None
            where it wasn't tested: a class or pair, several runs on one side and one on the other.
        mid_p: Mid-p McNemar for two models, else None.
        adjusted_p: ``p_value`` after Holm over the family.
        significant: Whether that is below 5%.
    """

    images: int
    before: float
    after: float
    fixed: float
    broken: float
    interval: tuple[float, float] | None
    p_value: float | None
    mid_p: float | None = None
    adjusted_p: float | None = None
    significant: bool = False

    @property
    def difference(self) -> float:
        """``after - before``."""
        return self.after - self.before

    @property
    def wrong(self) -> tuple[float, float]:
        """Images that aren't right, before and after, means over runs."""
        return (
            round((1 - self.before) * self.images, 6),
            round((1 - self.after) * self.images, 6),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers."""
        return {**asdict(self), "difference": self.difference}


def measure_change(before: np.ndarray, after: np.ndarray, *, matched: bool = False) -> Change:
    """Compare who is right.

    Args:
        before, after: bool (S, N) and (T, N), S and T runs on the same images.
        matched: Whether run s has the same seed on both sides.
    """
    return _corrected(_changes([(before, after)], CONFIDENCE, matched))[0]


def class_changes(
    labels: np.ndarray, before: np.ndarray, after: np.ndarray, *, matched: bool = False
) -> dict[int, Change]:
    """Compare the recall of every class that occurs.

    Args:
        labels: int64 (N,).
        before, after: int64 (S, N) and (T, N), predicted classes.
        matched: As for `measure_change`.

    Returns:
        By class index.
    """
    order = np.argsort(labels, kind="stable")
    present, starts = np.unique(labels[order], return_index=True)
    rows = np.split(order, starts[1:])
    right = before == labels, after == labels
    changes = _family([(right[0][:, each], right[1][:, each]) for each in rows], matched)
    return dict(zip(present.tolist(), changes, strict=True))


def pair_changes(
    labels: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    pairs: Sequence[HardPair],
    *,
    matched: bool = False,
) -> tuple[Change, ...]:
    """Compare the mistakes within pairs of classes, among all images of the two.

    "Right" here is whatever isn't taken for the other class of the pair: ``fixed`` are images no
    longer mixed up, of which the side after may take some for a third class, and ``broken`` images
    newly mixed up.

    Args:
        labels, before, after, matched: As for `class_changes`.
        pairs: See `hardest_pairs`.
    """
    sides = []
    for pair in pairs:
        rows = np.flatnonzero((labels == pair.first) | (labels == pair.second))
        other = np.where(labels[rows] == pair.first, pair.second, pair.first)
        sides.append((before[:, rows] != other, after[:, rows] != other))
    return tuple(_family(sides, matched))


def hardest_pairs(
    labels: np.ndarray, sides: tuple[np.ndarray, ...], most: int
) -> tuple[HardPair, ...]:
    """The pairs with the most mistakes, each side's mean over its runs counting the same.

    Chosen by both sides together, they favour neither.

    Args:
        labels: int64 (N,).
        sides: int64 (S, N) each, predicted classes.
        most: How many pairs.
    """
    runs = [run for side in sides for run in side for _ in range(_weight(side, sides))]
    return find_hard_pairs(count_cells(np.tile(labels, len(runs)), np.concatenate(runs)), most)


def _weight(side: np.ndarray, sides: tuple[np.ndarray, ...]) -> int:
    return int(np.lcm.reduce([len(each) for each in sides])) // len(side)


def _family(sides: list[tuple[np.ndarray, np.ndarray]], matched: bool) -> list[Change]:
    """Compare every class or pair, and correct for their number.

    How far a class's recall varies from seed to seed depends on the recipe, and a side's only run
    doesn't show it: beside several runs of the other side nothing is tested then.
    """
    if not sides:
        return []
    changes = _changes(sides, 1 - (1 - CONFIDENCE) / len(sides), matched)
    runs = [len(side) for side in sides[0]]
    if min(runs) == 1 < max(runs):
        return [replace(change, interval=None, p_value=None) for change in changes]
    return _corrected(changes)


def _changes(
    sides: list[tuple[np.ndarray, np.ndarray]], confidence: float, matched: bool
) -> list[Change]:
    if len(sides[0][0]) + len(sides[0][1]) == 2:
        return _of_models(sides, confidence)
    errors = [_recipes_error(*side, matched=matched) for side in sides]
    errors = moderate(errors, [before.shape[1] for before, _ in sides])
    return [
        _of_recipes(*side, error, confidence) for side, error in zip(sides, errors, strict=True)
    ]


def _corrected(changes: list[Change]) -> list[Change]:
    adjusted = holm(np.array([change.p_value for change in changes]))
    return [
        replace(change, adjusted_p=float(p), significant=bool(p < SIGNIFICANCE))
        for change, p in zip(changes, adjusted, strict=True)
    ]


def _of_models(sides: list[tuple[np.ndarray, np.ndarray]], confidence: float) -> list[Change]:
    counts = [
        (int(a.sum()), int((~a & b).sum()), int((a & ~b).sum()), a.shape[1]) for a, b in sides
    ]
    right, fixed, broken, images = np.array(counts, np.int64).T
    both = right - broken
    low, high = newcombe_bounds(both, fixed, broken, images - both - fixed - broken, confidence)
    exact, mid = mcnemar(fixed, broken), mcnemar_mid_p(fixed, broken)
    return [
        Change(
            images=int(images[i]),
            before=float(right[i] / images[i]),
            after=float((both[i] + fixed[i]) / images[i]),
            fixed=float(fixed[i]),
            broken=float(broken[i]),
            interval=(float(low[i]), float(high[i])),
            p_value=float(exact[i]),
            mid_p=float(mid[i]),
        )
        for i in range(len(counts))
    ]


def _of_recipes(
    before: np.ndarray, after: np.ndarray, error: CrossedError, confidence: float
) -> Change:
    by_image = before.mean(axis=0), after.mean(axis=0)
    shares = float(by_image[0].mean()), float(by_image[1].mean())
    difference = shares[1] - shares[0]
    varied = error.seed_variance + error.image_variance > 0
    return Change(
        images=before.shape[1],
        before=shares[0],
        after=shares[1],
        fixed=float((by_image[1] * (1 - by_image[0])).sum()),
        broken=float((by_image[0] * (1 - by_image[1])).sum()),
        interval=error.interval(difference, confidence) if varied else None,
        p_value=error.p_value(difference) if varied else 1.0,
    )


def _recipes_error(before: np.ndarray, after: np.ndarray, *, matched: bool) -> CrossedError:
    """The error of two recipes' difference; arguments as for `measure_change`."""
    if matched:
        return crossed_error(np.stack([before, after]))
    return unmatched_error(before, after)


def points(value: float) -> str:
    """A difference of shares in points, with its sign; it reads as none only where it is."""
    return signed(100 * value, 2)


def signed(value: float, decimals: int) -> str:
    """A number with its sign, and with so many decimals or as many as tell it from 0."""
    if abs(value) < ROUNDING:
        value = 0.0
    return f"{'-' if value < 0 else '+'}{plainly(abs(value), decimals, apart_from=[0])}"


def interval_text(change: Change) -> str:
    """The interval in points."""
    if change.p_value is None:
        return "not tested"
    if change.interval is None:
        return "nothing varied"
    return " to ".join(points(end) for end in change.interval)


def p_text(p_value: float | None) -> str:
    """A p-value with two digits, that it is tiny, or that there is none.

    More digits where two would read as the 5% that it is compared with.

    >>> p_text(0.031), p_text(0.0496)
    ('0.031', '0.0496')
    """
    if p_value is None:
        return "not tested"
    if p_value < SMALLEST_P:
        return f"< {SMALLEST_P:g}"
    texts = (f"{p_value:.{digits}g}" for digits in range(2, 9))
    return next((each for each in texts if float(each) != SIGNIFICANCE), f"{p_value:.2g}")


def p_is(p_value: float | None) -> str:
    """The same behind a "p": "= 0.031", "< 0.0001", "not tested"."""
    text = p_text(p_value)
    return f"= {text}" if text[0].isdigit() else text


def count_text(images: float) -> str:
    """A number of images, which is a mean over runs: whole, or with one decimal or more."""
    return plainly(images, 1, apart_from=[0]).removesuffix(".0")


def images_text(images: float) -> str:
    """The same with its noun."""
    return f"{count_text(images)} image{'' if images == 1 else 's'}"


def disagree(changes: Iterable[Change]) -> bool:
    """Whether some interval leaves out 0 though the difference isn't significant."""
    return any(
        each.interval is not None
        and not each.significant
        and not each.interval[0] <= 0 <= each.interval[1]
        for each in changes
    )


# The filters of all templates that tell differences.
FORMATS = {
    "points": points,
    "plain_points": plain_points,
    "interval": interval_text,
    "p": p_text,
    "p_is": p_is,
    "count": count_text,
    "images": images_text,
}
