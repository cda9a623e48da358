"""The interval of a proportion: all the statistics that one run's evaluation needs.

Apart from `hardpairs.analysis.significance`, because SciPy takes longer to import than an
evaluation takes to compute.
"""

import numpy as np

CONFIDENCE = 0.95
QUANTILE = 1.959963984540054  # The standard normal distribution's at 97.5%.


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95% confidence interval of a proportion by Wilson's score method (JASA 22, 1927).

    It keeps its coverage near 0 and 1, where class accuracies lie and the textbook interval
    (accuracy plus or minus 1.96 standard errors) doesn't (Brown, Cai, DasGupta 2001).

    >>> [round(bound, 4) for bound in wilson_interval(9150, 10000)]
    [0.9094, 0.9203]
    """
    low, high = wilson_bounds(successes, trials)
    return float(low), float(high)


def wilson_bounds(
    successes: np.ndarray | int, trials: np.ndarray | int, quantile: float = QUANTILE
) -> tuple[np.ndarray, np.ndarray]:
    """The same for numbers or arrays of one shape, at another quantile for another confidence."""
    z, share = quantile, np.divide(successes, trials)
    shrink = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    reach = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / shrink
    # Rounding must not push an interval off its own end.
    low = np.where(np.equal(successes, 0), 0.0, middle - reach)
    return low, np.where(np.equal(successes, trials), 1.0, middle + reach)
