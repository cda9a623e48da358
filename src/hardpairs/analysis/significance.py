"""Tests, and intervals over seeds: which method and why. SciPy does the arithmetic."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from hardpairs.analysis.intervals import CONFIDENCE

POWER = 0.8
MOST_SEEDS = 1000
RESAMPLES = 1000


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """95% t interval of the mean of at least 2 values (n,), such as accuracies over seeds."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return mean - reach, mean + reach


def mcnemar(fixed: int, broken: int) -> float:
    """Two-sided exact p-value that two fitted models are equally often right.

    Args:
        fixed, broken: Images that only the second model gets right, and only the first. The
            others say nothing about a difference (McNemar 1947; exact: binomial with 1/2).

    >>> round(mcnemar(12, 5), 4)
    0.1435
    """
    if fixed + broken == 0:
        return 1.0
    return float(stats.binomtest(fixed, fixed + broken).pvalue)


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


def paired_bootstrap(differences: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% percentile interval of a mean difference over seeds and images, both resampled.

    Seeds and images are crossed and drawn independently of each other (the pigeonhole bootstrap,
    Owen 2007). With a handful of seeds it is somewhat too narrow, as every bootstrap is then.

    Args:
        differences: (S, N), right minus right: -1, 0 or 1.
        seed: Of the resampling.
    """
    seeds, images = differences.shape
    rng = np.random.default_rng(seed)
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
    images at once. Variances are pooled over the recipes of a block; with two recipes whose
    differences vary over images by chance alone, it is the paired t-test over seeds.

    Attributes:
        recipes, seeds: How many.
        seed_variance: Of a difference between two recipes' accuracies under one seed.
        image_variance: What no number of seeds removes, as there are only so many images.
    """

    recipes: int
    seeds: int
    seed_variance: float
    image_variance: float

    def standard_error(self, seeds: int | np.ndarray) -> np.ndarray:
        """Of a difference between two recipes' means over so many seeds."""
        return np.sqrt(self.seed_variance / np.asarray(seeds) + self.image_variance)

    def freedom(self, seeds: int | np.ndarray) -> np.ndarray:
        """Degrees of freedom of that standard error (Hillis 2007, equation 7)."""
        seeds = np.asarray(seeds)
        share = max(self.seed_variance, 1e-300) / seeds
        return (1 + self.image_variance / share) ** 2 * (self.recipes - 1) * (seeds - 1)

    def p_value(self, difference: float) -> float:
        """Two-sided, that two recipes whose means differ so much are equally good."""
        if difference == 0:
            return 1.0
        error = max(float(self.standard_error(self.seeds)), 1e-300)
        return float(2 * stats.t.sf(abs(difference) / error, self.freedom(self.seeds)))

    def interval(self, difference: float) -> tuple[float, float]:
        """95% interval of a difference between two recipes' means."""
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, self.freedom(self.seeds))
        reach = float(quantile * self.standard_error(self.seeds))
        return difference - reach, difference + reach

    def seeds_needed(self, difference: float, comparisons: int) -> int | None:
        """Fewest seeds that tell a true difference of this size in 80% of studies.

        Args:
            difference: Of two accuracies.
            comparisons: How many tests share the 5%, as for the smallest p-value under Holm.

        Returns:
            None where 1,000 seeds don't do it: the images are too few.
        """
        seeds = np.arange(2, MOST_SEEDS + 1)
        freedom = self.freedom(seeds)
        critical = stats.t.isf((1 - CONFIDENCE) / 2 / comparisons, freedom)
        size = abs(difference) / np.maximum(self.standard_error(seeds), 1e-300)
        enough = np.flatnonzero(stats.nct.sf(critical, freedom, size) >= POWER)
        return int(seeds[enough[0]]) if len(enough) else None


def crossed_error(correct: np.ndarray) -> CrossedError:
    """Estimate the error from who was right: bool or 0/1, (recipes, seeds, images), 2 of each."""
    recipes, seeds, images = correct.shape
    # Effects that all recipes share don't matter to differences: take them out at once.
    right = correct.astype(np.float32)
    right -= right.mean(axis=0)
    recipe = right.mean(axis=(1, 2), dtype=np.float64)[:, None, None]
    by_seed = right.mean(axis=2, dtype=np.float64)[:, :, None] - recipe
    by_image = right.mean(axis=1, dtype=np.float64)[:, None, :] - recipe
    of_seeds = images * (by_seed**2).sum() / ((recipes - 1) * (seeds - 1))
    of_images = seeds * (by_image**2).sum() / ((recipes - 1) * (images - 1))
    rest = ((right - recipe - by_seed - by_image) ** 2).sum()
    residual = rest / ((recipes - 1) * (seeds - 1) * (images - 1))
    return CrossedError(
        recipes=recipes,
        seeds=seeds,
        seed_variance=float(2 * of_seeds / images),
        image_variance=float(2 * max(of_images - residual, 0) / (seeds * images)),
    )
