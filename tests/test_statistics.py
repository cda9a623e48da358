import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from hardpairs.analysis.intervals import wilson_bounds, wilson_interval
from hardpairs.analysis.significance import (
    CrossedError,
    crossed_error,
    holm,
    mcnemar,
    mcnemar_mid_p,
    mean_interval,
    newcombe_bounds,
    paired_bootstrap,
    unmatched_error,
)
from study_calibration import repeat


@pytest.mark.parametrize(
    ("successes", "trials"), [(9216, 10_000), (0, 7), (7, 7), (1, 2), (81, 263)]
)
def test_wilson_against_statsmodels(successes, trials):
    expected = proportion_confint(successes, trials, 0.05, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=1e-12)
    both = wilson_bounds(np.array([successes, 1.0]), np.array([trials, 9.0]))
    assert [float(end[0]) for end in both] == pytest.approx(expected, abs=1e-12)


def test_wilson_against_newcombes_worked_example():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_mcnemar_against_statsmodels_and_by_hand():
    for mended, broken in ((12, 5), (0, 7), (3, 3), (500, 420)):
        table = [[100, broken], [mended, 100]]
        expected = statsmodels_mcnemar(table, exact=True).pvalue
        assert mcnemar(mended, broken) == pytest.approx(min(expected, 1), abs=1e-12)
    assert mcnemar(0, 7) == pytest.approx(2 / 2**7)
    assert mcnemar(0, 0) == 1


# Fagerland, Lydersen, Laake 2013 and 2014: airway hyper-responsiveness (Bentur et al. 2009) and
# complete response (Cavo et al. 2012); both, fixed, broken, neither.
BENTUR, CAVO = (1, 7, 1, 12), (59, 16, 6, 80)


def test_mid_p_against_the_published_examples_and_the_definition():
    assert mcnemar(*BENTUR[1:3]) == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar_mid_p(*BENTUR[1:3]) == pytest.approx(0.0391, abs=5e-5)
    assert mcnemar(*CAVO[1:3]) == pytest.approx(0.0525, abs=5e-5)
    assert mcnemar_mid_p(*CAVO[1:3]) == pytest.approx(0.0347, abs=5e-5)
    fixed, broken = np.array([4, 0, 5, 300]), np.array([9, 7, 5, 311])
    law = stats.binom(fixed + broken, 0.5)
    fewer = np.minimum(fixed, broken)
    expected = 2 * law.cdf(fewer) - law.pmf(fewer)
    expected[2] = 1 - law.pmf(fewer)[2] / 2  # Their definition where both are equal.
    np.testing.assert_allclose(mcnemar_mid_p(fixed, broken), expected, atol=1e-12)
    assert mcnemar_mid_p(0, 0) == 1


def test_newcombes_interval_against_the_published_examples():
    # Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014), "Newcombe square-and-add".
    assert newcombe_bounds(*BENTUR) == pytest.approx((0.026, 0.507), abs=5e-4)
    assert newcombe_bounds(*CAVO) == pytest.approx((0.0046, 0.1186), abs=5e-5)
    # Altman, Machin, Bryant, Gardner, Statistics with Confidence (2000), table 6.2.
    assert newcombe_bounds(14, 0, 5, 22) == pytest.approx((-0.226, -0.011), abs=5e-4)


@given(tables=st.lists(st.tuples(*[st.integers(0, 500)] * 4).filter(any), min_size=1, max_size=5))
def test_newcombes_interval_is_sound_whatever_the_counts(tables):
    both, fixed, broken, neither = np.array(tables).T
    low, high = newcombe_bounds(both, fixed, broken, neither)
    difference = (fixed - broken) / np.array(tables).sum(axis=1)
    assert ((low >= -1) & (low <= difference + 1e-12)).all()
    assert ((high <= 1) & (high >= difference - 1e-12)).all()
    turned = newcombe_bounds(both, broken, fixed, neither)
    np.testing.assert_allclose(turned, (-high, -low), atol=1e-12)
    wider = newcombe_bounds(both, fixed, broken, neither, 0.99)
    assert ((wider[0] <= low + 1e-12) & (wider[1] >= high - 1e-12)).all()
    for index, table in enumerate(tables):  # An array is its elements.
        assert newcombe_bounds(*table)[0] == pytest.approx(low[index])


def test_holm_against_statsmodels():
    rng = np.random.default_rng(0)
    for size in (1, 2, 9):
        p_values = rng.random(size) ** 3
        expected = multipletests(p_values, method="holm")[1]
        np.testing.assert_allclose(holm(p_values), expected, atol=1e-12)


def test_mean_interval_against_statsmodels():
    values = np.array([0.921, 0.9195, 0.923, 0.9205, 0.9222])
    assert mean_interval(values) == pytest.approx(DescrStatsW(values).tconfint_mean(), abs=1e-12)


def crossed(recipes=3, seeds=4, images=30, seed=0) -> np.ndarray:
    """Right or not, with luck of seeds and with tastes of recipes in images."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1, (1, 1, images)) + rng.normal(0, 1.5, (recipes, 1, images))
    odds = odds + rng.normal(0, 0.8, (recipes, seeds, 1))
    return rng.random((recipes, seeds, images)) < 1 / (1 + np.exp(-odds))


def test_crossed_error_against_statsmodels_analysis_of_variance():
    correct = crossed()
    recipes, seeds, images = correct.shape
    rows = [
        {"recipe": r, "seed": s, "image": i, "right": float(right)}
        for (r, s, i), right in np.ndenumerate(correct)
    ]
    formula = "right ~ (C(recipe) + C(seed) + C(image)) ** 2"
    table = anova_lm(ols(formula, pd.DataFrame(rows)).fit())
    of_seeds = table.loc["C(recipe):C(seed)", "mean_sq"]
    of_images, rest = (table.loc[name, "mean_sq"] for name in ("C(recipe):C(image)", "Residual"))
    assert of_images > rest  # Or the maximum below would hide the term.
    denominator = of_seeds + max(of_images - rest, 0)
    error = crossed_error(correct)
    # Hillis 2007: F = MS(recipe) / denominator with these degrees of freedom.
    assert error.standard_error(seeds) ** 2 == pytest.approx(2 / (seeds * images) * denominator)
    freedom = denominator**2 / (of_seeds**2 / ((recipes - 1) * (seeds - 1)))
    assert error.freedom(seeds, error.seed_freedom) == pytest.approx(freedom)
    difference = correct[1].mean() - correct[0].mean()
    t = abs(difference) / np.sqrt(2 / (seeds * images) * denominator)
    assert error.p_value(difference) == pytest.approx(2 * stats.t.sf(t, freedom))
    low, high = error.interval(difference)
    assert low < difference < high
    assert (high - low) / 2 == pytest.approx(
        stats.t.ppf(0.975, freedom) * error.standard_error(seeds)
    )


def test_crossed_error_of_two_is_the_paired_t_test_where_images_agree():
    rng = np.random.default_rng(3)
    correct = rng.random((2, 6, 400)) < np.array([0.7, 0.75])[:, None, None]
    error = crossed_error(correct)
    assert error.image_variance == 0
    accuracies = correct.mean(axis=2)
    expected = stats.ttest_rel(accuracies[1], accuracies[0])
    difference = accuracies[1].mean() - accuracies[0].mean()
    assert error.p_value(difference) == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert error.interval(difference) == pytest.approx((interval.low, interval.high))


def test_unmatched_error_against_statsmodels_analysis_of_variance():
    correct = crossed(2)
    _, seeds, images = correct.shape
    rows = [
        {"recipe": r, "seed": s, "image": i, "right": float(right)}
        for (r, s, i), right in np.ndenumerate(correct)
    ]
    formula = "right ~ C(recipe) * C(image) + C(recipe):C(seed)"  # Seeds within a recipe.
    table = anova_lm(ols(formula, pd.DataFrame(rows)).fit())
    assert table.loc["C(recipe):C(seed)", "df"] == 2 * (seeds - 1)
    of_seeds = table.loc["C(recipe):C(seed)", "mean_sq"]
    of_images, rest = (table.loc[name, "mean_sq"] for name in ("C(recipe):C(image)", "Residual"))
    assert of_images > rest
    denominator = of_seeds + of_images - rest
    error = unmatched_error(*correct)
    assert error.standard_error(seeds) ** 2 == pytest.approx(2 / (seeds * images) * denominator)
    freedom = denominator**2 / (of_seeds**2 / (2 * (seeds - 1)))
    assert error.freedom(seeds, error.seed_freedom) == pytest.approx(freedom)


@pytest.mark.parametrize("seeds", [(6, 6), (3, 7), (1, 4)])
def test_unmatched_error_is_the_t_test_where_images_agree(seeds):
    rng = np.random.default_rng(3)
    sides = [
        rng.random((count, 400)) < share for count, share in zip(seeds, (0.7, 0.8), strict=True)
    ]
    error = unmatched_error(*sides)
    if error.image_variance > 0:  # What images add is 0 in theory; its estimate may be above.
        error = replace(error, image_variance=0.0)
    first, second = (side.mean(axis=1) for side in sides)
    expected = stats.ttest_ind(second, first)
    difference = second.mean() - first.mean()
    assert error.p_value(difference) == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert error.interval(difference) == pytest.approx((interval.low, interval.high))


def test_seeds_needed_against_statsmodels():
    error = CrossedError(2, 5, seed_variance=0.002**2, image_variance=0.0, seed_freedom=4)
    for difference, comparisons in ((0.002, 1), (0.001, 1), (0.0015, 9)):
        expected = TTestPower().solve_power(
            difference / 0.002, alpha=0.05 / comparisons, power=0.8, alternative="two-sided"
        )
        assert error.seeds_needed(difference, comparisons) == math.ceil(expected)
    too_few_images = CrossedError(2, 5, seed_variance=1e-6, image_variance=1e-5, seed_freedom=4)
    assert too_few_images.seeds_needed(0.001, 1) is None


def test_paired_bootstrap_has_the_spread_of_seeds_and_images():
    rng = np.random.default_rng(1)
    by_seed = rng.normal(0, 0.05, (20, 1))
    differences = rng.normal(0.1 + by_seed + rng.normal(0, 0.5, (1, 500)), 0.3)
    low, high = paired_bootstrap(differences)
    error = np.sqrt(differences.mean(axis=1).var() / 20 + differences.mean(axis=0).var() / 500)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert low < differences.mean() < high


def test_studies_without_effect_name_none():
    # At a rate of exactly 5%, 60 studies show more than 8 in 0.5% of repetitions.
    most = int(stats.binom.ppf(0.995, 60, 0.05))
    null = repeat("none", 60, 10, 5, 0.0)
    assert null.any_effect <= most
    assert null.winner <= most
    planted = repeat("planted", 20, 10, 10, 0.005)
    # 200 studies found it in 86%; below 60% in one of 1,000 repetitions of 20.
    assert planted.planted_found >= 12


def test_no_difference_of_shares_is_beyond_all_of_them():
    rng = np.random.default_rng(0)
    correct = np.stack([rng.random((2, 40)) < share for share in ([[0.1], [0.9]], [[0.9], [0.2]])])
    assert crossed_error(correct).interval(0.05) == (-1.0, 1.0)


@pytest.mark.parametrize("images", [24, 10_000])
def test_where_no_image_differs_an_interval_is_that_of_the_rule_of_three(images):
    same = np.arange(images) % 7 != 0
    matched = crossed_error(np.broadcast_to(same, (3, 2, images)))
    unmatched = unmatched_error(np.tile(same, (2, 1)), np.tile(same, (3, 1)))
    for error in (matched, unmatched):
        assert error.interval(0.0) == pytest.approx((-3 / images, 3 / images))
        assert error.p_value(0.0) == 1
        assert error.seeds_needed(0.0, 1) is None
