"""Variances between few seeds, steadied by those of other classes or pairs of classes.

Two or three seeds say little about how far a class's recall varies from seed to seed; by chance
some class's variance comes out near nothing, and its difference looks certain. Ten classes together
say more: see `moderate`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import special

from hardpairs.analysis.significance import CrossedError

FEWEST_TO_LEARN_FROM = 5  # Tests of a family; fewer don't show how their variances spread.
SMALLEST_SHARE = 1e-5  # Of the median variance: where seeds agreed by chance, for the logarithm.


def moderate(errors: Sequence[CrossedError], images: Sequence[int]) -> list[CrossedError]:
    """Return the errors of a family of tests with steadier variances between seeds.

    Each variance is compared with what is to be expected of it, see `_expected`, and then drawn
    towards that, the more so the better the family keeps to it: the moderated t of Smyth
    (Statistical Applications in Genetics and Molecular Biology 3, 2004, article 3), with at most
    the degrees of freedom of all tests together. None falls below what chance alone makes, image
    by image. Below five tests only the latter is done.

    Args:
        errors: One for each test, of the same seeds.
        images: How many each test is about.
    """
    least = np.array([error.least_seed_variance for error in errors])
    varied = least > 0  # Else no seed changed anything: there is nothing to steady.
    variances = np.array([error.seed_variance for error in errors])
    own = errors[0].seed_freedom
    freedom = np.full(len(errors), float(own))
    if varied.sum() >= FEWEST_TO_LEARN_FROM:
        expected = _expected(variances[varied], least[varied], np.asarray(images)[varied])
        usual, of_usual = _usual_ratio(variances[varied] / expected, own)
        share = 1.0 if np.isinf(of_usual) else of_usual / (of_usual + own)
        variances[varied] = share * usual * expected + (1 - share) * variances[varied]
        freedom[varied] = min(of_usual + own, own * int(varied.sum()))
    return [
        replace(error, seed_variance=float(max(variance, smallest)), seed_freedom=float(free))
        for error, variance, smallest, free in zip(errors, variances, least, freedom, strict=True)
    ]


def _expected(variances: np.ndarray, least: np.ndarray, images: np.ndarray) -> np.ndarray:
    """What a variance between seeds should be, in view of the whole family.

    Chance alone makes ``least``, in proportion to how many images are at the border. A seed that
    likes a class better moves that border, which turns images in proportion to the same number; so
    the variance it adds grows with the square.
    """
    at_border = (least * images) ** 2
    added = max(float((variances - least).sum() / at_border.sum()), 0.0)
    return least + added * at_border


def _usual_ratio(ratios: np.ndarray, freedom: float) -> tuple[float, float]:
    """Fit what the true ratios are around, and with how many degrees of freedom they keep to it.

    Args:
        ratios: Variances, estimated with ``freedom`` degrees of freedom each, by what they were
            expected to be.

    Returns:
        The usual ratio, and the degrees of freedom of the prior: infinite where the ratios differ
        by no more than chance (Smyth 2004, section 6.2).
    """
    bounded = np.maximum(ratios, SMALLEST_SHARE * max(float(np.median(ratios)), SMALLEST_SHARE))
    logs = np.log(bounded) - special.digamma(freedom / 2) + np.log(freedom / 2)
    spread = float(logs.var(ddof=1)) - float(special.polygamma(1, freedom / 2))
    if spread <= 0:
        return float(np.exp(logs.mean())), np.inf
    prior = 2 * _inverse_trigamma(spread)
    usual = np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2))
    return float(usual), prior


def _inverse_trigamma(value: float) -> float:
    """Newton's method on 1 / trigamma, which is nearly straight (Smyth 2004, appendix)."""
    found = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, found))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, found))
        found += step
        if abs(step) < 1e-10 * found:
            break
    return found
