"""Scores of any kind as probabilities: logits, percentages, rounded rows, one column of two."""

import numpy as np

from hardpairs.arrays import describe, unpooled
from hardpairs.errors import InputError
from hardpairs.predictions.predictions import SUM_TOLERANCE, check_finite, no_probabilities

ROUNDING = 0.02  # Two decimals of a few classes miss 1 by as much.
MOST_ROUNDING = 0.1  # Of very many classes, where rows may miss by any amount.
HALF_PRECISION = 0.05  # So far from a multiple may float16 have put one.
JUST_LESS = 1e-6  # So much that float32 tells it.


def to_probabilities(
    scores: np.ndarray, *, logits: bool = False
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Recognise what the scores are and make them probabilities.

    Args:
        scores: (N, K) of all classes, or (N,) or (N, 1) of the second of two.
        logits: Whether they are logits, where that isn't to be guessed.

    Returns:
        Probabilities, float (N, K); the predicted classes, int64 (N,), found in the precision of
        the scores; and a sentence for each conversion.

    Raises:
        InputError: They are neither probabilities, nor percentages, nor logits.
    """
    scores = as_floats(scores)
    notes: list[str] = []
    if scores.shape[1] == 1:
        scores, logits = _two_columns(scores[:, 0], logits, notes)
    predicted = scores.argmax(axis=1)
    sums = scores.sum(axis=1, dtype=np.float64)
    least = scores.min()
    if logits:
        if least >= 0 and _within(sums, 1, SUM_TOLERANCE):
            raise InputError(
                "the scores are probabilities already: each row sums to 1; leave out --logits."
            )
        return softmax(scores), predicted, tuple(notes)
    if least >= -SUM_TOLERANCE and _within(sums, 1, SUM_TOLERANCE):
        return scores, predicted, tuple(notes)
    if least >= -SUM_TOLERANCE and _within(sums, 1, rounding(scores)):
        off = np.abs(sums - 1).max()
        notes.append(f"Rows missed a sum of 1 by up to {off:.2g}, as rounded ones do: scaled to 1.")
    elif least >= -100 * SUM_TOLERANCE and _within(sums, 100, 100 * rounding(scores / 100)):
        notes.append("The scores are percentages: each row sums to 100.")
    elif least < -SUM_TOLERANCE and np.mean(np.abs(sums - 1) > ROUNDING) >= 0.5:
        notes.append("The scores are logits (some are below 0): softmax was applied.")
        return softmax(scores), predicted, tuple(notes)
    else:
        cause = "apply softmax to logits first, or say --logits"
        if least >= 0 and scores.max() <= 1:
            cause = "outputs of separate sigmoids are no probabilities of one class among others"
        raise no_probabilities(scores, ROUNDING, cause)
    scaled = np.maximum(scores.astype(np.float64), 0)
    return scaled / scaled.sum(axis=1, keepdims=True), predicted, tuple(notes)


def rounding(scores: np.ndarray) -> float:
    """By how much the sum of a row (N, K) may miss 1 for its scores being rounded.

    Of K numbers with d decimals each one misses by up to half of the last.
    """
    coarse = next((unit for unit in (0.1, 0.01, 0.001) if _are_multiples(scores, unit)), 0)
    return min(max(ROUNDING, coarse * scores.shape[1] / 2), MOST_ROUNDING) + SUM_TOLERANCE


def _are_multiples(scores: np.ndarray, unit: float) -> bool:
    parts = scores.astype(np.float64) / unit
    with np.errstate(invalid="ignore"):  # Infinities, which are refused behind this.
        return bool((np.abs(parts - np.rint(parts)) < HALF_PRECISION).all())


def softmax(logits: np.ndarray) -> np.ndarray:
    """float64 (N, K). SciPy's own takes longer to import than an evaluation takes to compute."""
    weights = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def spread_top(
    columns: np.ndarray, scores: np.ndarray, classes: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Spread what the k most probable classes leave over evenly over the other classes.

    None of the others gets more than the least probable of the k, which it would be among; a row
    that so doesn't reach 1 is scaled.

    Args:
        columns: int64 (N, k), indices of classes, the most probable first.
        scores: float (N, k), their probabilities, or percentages.
        classes: K.

    Returns:
        Probabilities, float64 (N, K), and sentences.

    Raises:
        InputError: The scores aren't probabilities.
    """
    scores = as_floats(scores).astype(np.float64)
    notes = []
    if scores.min() >= 0 and 1 + ROUNDING < scores.max() <= 100 * (1 + ROUNDING):
        scores = scores / 100
        notes.append("The scores are percentages.")
    known = scores.sum(axis=1, keepdims=True)
    if scores.min() < 0 or known.max() > 1 + ROUNDING * scores.shape[1]:
        raise InputError(
            f"the scores of the {scores.shape[1]} most probable classes run from "
            f"{scores.min():.4g} to {scores.max():.4g}; give probabilities, since logits of some "
            "classes alone can't be made any."
        )
    others = classes - scores.shape[1]
    rest = np.maximum(1 - known, 0) / max(others, 1) if others else np.zeros_like(known)
    most = scores.min(axis=1, keepdims=True)
    too_little = int((rest > most * (1 + ROUNDING)).sum())
    probabilities = np.repeat(np.minimum(rest, most * (1 - JUST_LESS)), classes, axis=1)
    np.put_along_axis(probabilities, columns, scores, axis=1)
    total = probabilities.sum(axis=1, keepdims=True)
    if total.min() == 0:
        raise InputError("a row of scores is all 0; give probabilities.")
    if others:
        notes.append(
            f"Only the {scores.shape[1]} most probable of {classes} classes are known of each "
            "image; what they leave over is spread evenly over the others."
        )
    if too_little:
        notes.append(
            f"The scores of {too_little:,} images are too small to be the largest of {classes} "
            "that sum to 1; they are scaled."
        )
    return probabilities / total, tuple(notes)


def as_floats(scores: np.ndarray) -> np.ndarray:
    """Make scores finite floats of shape (N, K); of one column (N, 1).

    Raises:
        InputError: They are no numbers, of another shape, or not all finite.
    """
    scores = unpooled(scores)
    while scores.ndim > 2 and scores.shape[1] == 1:  # Batches of one, each perhaps in a list.
        scores = scores[:, 0]
    if scores.ndim == 1:
        scores = scores[:, None]
    if scores.dtype.kind in "OUS":
        try:
            scores = scores.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"probabilities are {describe(scores)}; give numbers.") from error
    if scores.ndim != 2 or 0 in scores.shape or scores.dtype.kind not in "biuf":
        raise InputError(
            f"probabilities are {describe(scores)}, expected numbers of shape (images, classes)"
            f"{'; average over the first axis' if scores.ndim == 3 else ''}."
        )
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    check_finite(scores)
    return scores


def _two_columns(second: np.ndarray, logits: bool, notes: list[str]) -> tuple[np.ndarray, bool]:
    """One column is the second class's score; return both columns, and whether they are logits."""
    if not logits and second.min() >= 0 and second.max() <= 1:
        notes.append("One column of probabilities: taken as the second class's, of two.")
        return np.stack([1 - second, second], axis=1), False
    if not logits and second.min() >= 0 and second.max() <= 100:
        notes.append("One column of percentages: taken as the second class's, of two.")
        return np.stack([100 - second, second], axis=1), False
    if not logits:
        where = "below 0" if second.min() < 0 else "above 100"
        notes.append(f"One column of logits (some are {where}): taken as the second class's.")
    return np.stack([np.zeros_like(second), second], axis=1), True


def _within(sums: np.ndarray, target: float, tolerance: float) -> bool:
    return bool(np.abs(sums - target).max() <= tolerance)
