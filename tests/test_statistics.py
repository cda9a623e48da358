import pytest
from statsmodels.stats.proportion import proportion_confint

from hardpairs.statistics import wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials"), [(9216, 10_000), (0, 7), (7, 7), (1, 2), (81, 263)]
)
def test_wilson_against_statsmodels(successes, trials):
    expected = proportion_confint(successes, trials, 0.05, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx(expected, abs=1e-12)


def test_wilson_against_newcombes_worked_example():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
