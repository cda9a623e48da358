"""The interval of a proportion: all the statistics that one run's evaluation needs.

Apart from `hardpairs.analysis.significance`, because SciPy takes longer to import than an
evaluation takes to compute.
"""

import math

CONFIDENCE = 0.95
QUANTILE = 1.959963984540054  # The standard normal distribution's at 97.5%.


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95% confidence interval of a proportion by Wilson's score method (JASA 22, 1927).

    It keeps its coverage near 0 and 1, where class accuracies lie and the textbook interval
    (accuracy plus or minus 1.96 standard errors) doesn't (Brown, Cai, DasGupta 2001).

    >>> [round(bound, 4) for bound in wilson_interval(9150, 10000)]
    [0.9094, 0.9203]
    """
    z = QUANTILE
    share, shrink = successes / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / shrink
    reach = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / shrink
    # Rounding must not push an interval off its own end.
    low = 0.0 if successes == 0 else middle - reach
    high = 1.0 if successes == trials else middle + reach
    return low, high
