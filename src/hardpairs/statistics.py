"""Intervals and tests. SciPy does the arithmetic; this module says which method and why."""

from scipy import stats

CONFIDENCE = 0.95


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95% interval of a proportion by Wilson's score method (JASA 22, 1927).

    It keeps its coverage near 0 and 1, where class accuracies lie and the textbook interval
    (accuracy plus or minus 1.96 standard errors) doesn't (Brown, Cai, DasGupta 2001).

    >>> [round(bound, 4) for bound in wilson_interval(9150, 10000)]
    [0.9094, 0.9203]
    """
    interval = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
