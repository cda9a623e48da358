"""Tests and intervals of differences: which method and why.

scipy.special does the arithmetic: scipy.stats has the same distributions, and takes a second to
import. tests/test_statistics.py holds the two against each other.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from hardpairs.analysis.intervals import CONFIDENCE, QUANTILE, wilson_bounds

SIGNIFICANCE = 0.05
POWER = 0.8
MOST_SEEDS = 1000
RESAMPLES = 1000
SMALLEST_VARIANCE = 1e-300
MOST_FREEDOM = 1e6  # Its square is a normal distribution's.


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """95% t interval of the mean of at least 2 values (n,), such as accuracies over seeds."""
    count, mean = len(values), float(np.mean(values))
    error = float(np.std(values, ddof=1)) / np.sqrt(count)
    reach = float(special.stdtrit(count - 1, (1 + CONFIDENCE) / 2) * error)
    return mean - reach, mean + reach


def mcnemar(fixed: np.ndarray | int, broken: np.ndarray | int) -> np.ndarray:
    """Two-sided exact p-value that two fitted models are equally often right.

    Args:
        fixed, broken: Images that only the second model gets right, and only the first; numbers
            or arrays of one shape. The others say nothing about a difference (McNemar 1947; exact:
            binomial with 1/2).

    >>> round(float(mcnemar(12, 5)), 4)
    0.1435
    """
    fewer, discordant = np.minimum(fixed, broken), np.add(fixed, broken)
    return np.minimum(2 * special.bdtr(fewer, discordant, 0.5), 1.0)


def mcnemar_mid_p(fixed: np.ndarray | int, broken: np.ndarray | int) -> np.ndarray:
    """The same, counting half of the probability of what was seen (mid-p).

    Closer to 5% errors than the exact test, which makes fewer, and nowhere far above them
    (Fagerland, Lydersen, Laake, BMC Medical Research Methodology 13, 2013).
    """
    fewer, discordant = np.minimum(fixed, broken), np.add(fixed, broken)
    below = np.where(fewer > 0, special.bdtr(np.maximum(fewer - 1, 0), discordant, 0.5), 0.0)
    seen = special.bdtr(fewer, discordant, 0.5) - below
    unequal = 2 * below + seen
    return np.where(np.equal(fixed, broken), 1 - np.where(discordant > 0, seen, 0) / 2, unequal)


def newcombe_bounds(
    both: np.ndarray | int,
    fixed: np.ndarray | int,
    broken: np.ndarray | int,
    neither: np.ndarray | int,
    confidence: float = CONFIDENCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence interval of the difference of two paired proportions: second minus first.

    Method 10 of Newcombe (Statistics in Medicine 17, 1998, 2635-2650): the Wilson intervals of the
    two proportions, squared and added, less what their correlation takes away; the correlation
    is corrected for continuity. It never leaves -1 to 1 and has a closed form.

    Args:
        both, fixed, broken, neither: Images that both models get right, only the second, only the
            first, none; numbers or arrays of one shape, at least one image each.
        confidence: Of the interval, which is two-sided.

    Returns:
        Low and high ends, float64.

    >>> low, high = newcombe_bounds(59, 16, 6, 80)  # Cavo et al. 2012, in Fagerland et al. 2014
    >>> round(float(low), 4), round(float(high), 4)
    (0.0046, 0.1186)
    """
    table = (np.asarray(part, np.float64) for part in (both, fixed, broken, neither))
    a, f, b, d = table
    images = a + f + b + d
    first, second = (a + b) / images, (a + f) / images
    quantile = float(special.ndtri((1 + confidence) / 2))
    first_low, first_high = wilson_bounds(a + b, images, quantile)
    second_low, second_high = wilson_bounds(a + f, images, quantile)
    association = a * d - f * b
    corrected = np.where(association > 0, np.maximum(association - images / 2, 0), association)
    margins = np.sqrt((a + b) * (f + d) * (a + f) * (b + d))
    phi = np.where(margins > 0, corrected / np.where(margins > 0, margins, 1), 0.0)
    down = _square_and_add(second - second_low, first_high - first, phi)
    up = _square_and_add(second_high - second, first - first_low, phi)
    return second - first - down, second - first + up


def _square_and_add(one: np.ndarray, other: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(one**2 - 2 * phi * one * other + other**2, 0))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values (m,) so that all of them together err in 5% of cases (Holm 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    adjusted = np.maximum.accumulate((len(p_values) - np.arange(len(p_values))) * p_values[order])
    result = np.empty(len(p_values))
    result[order] = np.minimum(adjusted, 1)
    return result


def paired_bootstrap(differences: np.ndarray) -> tuple[float, float]:
    """95% percentile interval of a mean difference over seeds and images, both resampled.

    Seeds and images are crossed and drawn independently of each other (the pigeonhole bootstrap,
    Owen 2007). With a handful of seeds it is somewhat too narrow, as every bootstrap is then.

    Args:
        differences: (S, N), right minus right: -1, 0 or 1.
    """
    seeds, images = differences.shape
    rng = np.random.default_rng(0)
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
    by_image = (weights @ differences.astype(np.float32)) / seeds
    means = [row[rng.integers(0, images, images)].mean() for row in by_image]
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class CrossedError:
    """How far apart two recipes' mean accuracies land by chance, from seeds crossed with images.

    The analysis of variance that radiology uses for readers crossed with cases, seeds taking the
    readers' place: Dorfman, Berbaum, Metz (Investigative Radiology 27, 1992) with the degrees of
    freedom of Hillis (Statistics in Medicine 26, 2007). It speaks about other seeds and other
    images at once. Variances are pooled over the recipes.

    Attributes:
        recipes: How many.
        seeds: Of each recipe; where two have different numbers, the harmonic mean.
        seed_variance: Of a difference between two recipes' accuracies under one seed.
        image_variance: What no number of seeds removes, as there are only so many images.
        seed_freedom: Degrees of freedom that ``seed_variance`` was estimated with.
        least_seed_variance: What of ``seed_variance`` chance makes image by image, even where no
            seed is luckier than another; estimated with many degrees of freedom.
    """

    recipes: int
    seeds: float
    seed_variance: float
    image_variance: float
    seed_freedom: float
    least_seed_variance: float = 0.0

    def standard_error(self, seeds: float | np.ndarray) -> np.ndarray:
        """Of a difference between two recipes' means over so many seeds."""
        return np.sqrt(self.seed_variance / np.asarray(seeds) + self.image_variance)

    def freedom(
        self, seeds: float | np.ndarray, seed_freedom: float | np.ndarray
    ) -> float | np.ndarray:
        """Degrees of freedom of that standard error (Hillis 2007, equation 7)."""
        share = max(self.seed_variance, SMALLEST_VARIANCE) / np.asarray(seeds)
        return np.minimum(1 + self.image_variance / share, MOST_FREEDOM) ** 2 * seed_freedom

    def p_value(self, difference: float) -> float:
        """Two-sided, that two recipes whose means differ so much are equally good."""
        if difference == 0:
            return 1.0
        error = max(float(self.standard_error(self.seeds)), SMALLEST_VARIANCE)
        freedom = self.freedom(self.seeds, self.seed_freedom)
        return float(2 * special.stdtr(freedom, -abs(difference) / error))

    def interval(self, difference: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Confidence interval of a difference between two recipes' means, within -1 and 1."""
        freedom = self.freedom(self.seeds, self.seed_freedom)
        quantile = special.stdtrit(freedom, (1 + confidence) / 2)
        reach = float(quantile * self.standard_error(self.seeds))
        return max(difference - reach, -1.0), min(difference + reach, 1.0)

    def seeds_needed(self, difference: float, comparisons: int) -> int | None:
        """Fewest seeds that show a true difference of this size in 80% of studies.

        Args:
            difference: Of two accuracies.
            comparisons: How many tests share the 5%, as for the smallest p-value under Holm.

        Returns:
            None where 1,000 seeds don't do it: the images are too few.
        """
        seeds = np.arange(2, MOST_SEEDS + 1)
        freedom = self.freedom(seeds, (self.recipes - 1) * (seeds - 1))
        critical = -special.stdtrit(freedom, (1 - CONFIDENCE) / 2 / comparisons)
        size = abs(difference) / np.maximum(self.standard_error(seeds), SMALLEST_VARIANCE)
        enough = np.flatnonzero(1 - special.nctdtr(freedom, size, critical) >= POWER)
        return int(seeds[enough[0]]) if len(enough) else None


def crossed_error(correct: np.ndarray) -> CrossedError:
    """Estimate the error where all recipes have the same seeds.

    What all recipes have in common under one seed is taken out: with two recipes whose differences
    vary over images by chance alone, it is the paired t-test over seeds.

    Args:
        correct: bool or 0/1, (recipes, seeds, images), 2 of each.
    """
    recipes, seeds, images = correct.shape
    # Effects that all recipes share don't matter to differences: take them out at once.
    right = correct.astype(np.float32)
    right -= right.mean(axis=0)
    recipe = right.mean(axis=(1, 2), dtype=np.float64)[:, None, None]
    by_seed = right.mean(axis=2, dtype=np.float64)[:, :, None] - recipe
    by_image = right.mean(axis=1, dtype=np.float64)[:, None, :] - recipe
    of_seeds = images * (by_seed**2).sum() / ((recipes - 1) * (seeds - 1))
    of_images = seeds * (by_image**2).sum() / ((recipes - 1) * max(images - 1, 1))
    rest = ((right - recipe - by_seed - by_image) ** 2).sum()
    residual = rest / ((recipes - 1) * (seeds - 1) * max(images - 1, 1))
    if (correct == correct[:1]).all():
        of_image = _unseen_variance(images)
    else:
        of_image = float(2 * max(of_images - residual, 0) / (seeds * images))
    return CrossedError(
        recipes=recipes,
        seeds=seeds,
        seed_variance=float(2 * of_seeds / images),
        image_variance=of_image,
        seed_freedom=(recipes - 1) * (seeds - 1),
        least_seed_variance=float(2 * residual / images),
    )


def _unseen_variance(images: int) -> float:
    """What no image that differs leaves open: an interval of 3 / N (the rule of three).

    Hanley and Lippman-Hand, JAMA 249, 1983: what wasn't seen in N cases happens in at most 3 / N
    of all, with 95% confidence.
    """
    return (3 / images / QUANTILE) ** 2


def unmatched_error(first: np.ndarray, second: np.ndarray) -> CrossedError:
    """Estimate the error of two recipes whose seeds are others, or unequal in number.

    Each seed then belongs to one recipe (Hillis, Statistics in Medicine 33, 2014: readers nested
    within tests). With differences that vary over images by chance alone, it is the
    t-test of two independent samples.

    Args:
        first, second: bool or 0/1, (seeds, images), of the same images; 3 seeds together.
    """
    sides = [side.astype(np.float32) for side in (first, second)]
    images, counts = first.shape[1], [len(side) for side in sides]
    freedom = sum(counts) - 2
    of_seeds = residual = 0.0
    for side in sides:
        by_seed = side.mean(axis=1, dtype=np.float64)[:, None]
        by_image = side.mean(axis=0, dtype=np.float64)
        of_seeds += float(((by_seed - by_seed.mean()) ** 2).sum()) / freedom
        rest = side - by_seed - by_image + by_seed.mean()
        residual += float((rest**2).sum()) / (freedom * max(images - 1, 1))
    thinned = 1 / counts[0] + 1 / counts[1]
    difference = sides[1].mean(axis=0, dtype=np.float64) - sides[0].mean(axis=0, dtype=np.float64)
    of_images = float(difference.var(ddof=1)) if images > 1 else 0.0
    if (np.concatenate([first, second]) == first[:1]).all():
        of_image = _unseen_variance(images)
    else:
        of_image = max(of_images - residual * thinned, 0) / images
    return CrossedError(
        recipes=2,
        seeds=2 / thinned,
        seed_variance=2 * of_seeds,
        image_variance=of_image,
        seed_freedom=freedom,
        least_seed_variance=2 * residual / images,
    )
