import numpy as np
import pytest
from scipy import special, stats

from hardpairs.analysis.changes import class_changes
from hardpairs.analysis.moderation import _inverse_trigamma, _usual_ratio, moderate
from hardpairs.analysis.significance import CrossedError, holm


def errors(variances, freedom: int, least: float = 1e-7) -> list[CrossedError]:
    return [
        CrossedError(2, 3.0, float(each), 0.0, freedom, least_seed_variance=least)
        for each in variances
    ]


def test_trigamma_is_inverted():
    for value in (1e-4, 0.1, 1.0, 30.0):
        assert special.polygamma(1, _inverse_trigamma(value)) == pytest.approx(value)


def test_the_prior_is_found_again():
    # Smyth 2004, section 3: true variances are scaled inverse chi-square around the usual one.
    rng = np.random.default_rng(0)
    true = 3.0 * 8 / rng.chisquare(8, 50_000)
    usual, freedom = _usual_ratio(true * rng.chisquare(4, 50_000) / 4, 4)
    assert usual == pytest.approx(3, rel=0.03)
    assert freedom == pytest.approx(8, rel=0.1)
    assert _usual_ratio(np.full(10, 2.0), 4)[1] == np.inf


def test_where_all_vary_alike_all_seeds_count_together():
    moderated = moderate(errors(np.full(10, 4e-6), 4), [1000] * 10)
    assert {each.seed_freedom for each in moderated} == {40}
    few = moderate(errors([4e-6, 1e-9], 4), [1000] * 2)
    assert [each.seed_variance for each in few] == [4e-6, 1e-7]  # No less than chance makes.
    assert {each.seed_freedom for each in few} == {4}
    silent = moderate(errors(np.zeros(10), 4, least=0.0), [1000] * 10)
    assert {(each.seed_variance, each.seed_freedom) for each in silent} == {(0.0, 4.0)}


@pytest.mark.parametrize("freedom", [2, 4])
def test_families_of_equal_classes_rarely_name_one(freedom):
    """Ten classes, some at the border more than others, equally good on both sides."""
    rng = np.random.default_rng(freedom)
    least = np.geomspace(2e-7, 8e-6, 10)
    true = least + 2e4 * least**2 * 1e2
    named, families = 0, 600
    for _ in range(families):
        seen = true * rng.chisquare(freedom, 10) / freedom
        mine = [
            CrossedError(2, 3.0, float(v), 0.0, freedom, least_seed_variance=float(u))
            for v, u in zip(seen, least, strict=True)
        ]
        gains = rng.normal(0, np.sqrt(true / 3))
        pairs = zip(moderate(mine, [1000] * 10), gains, strict=True)
        p_values = np.array([error.p_value(gain) for error, gain in pairs])
        named += bool((holm(p_values) < 0.05).any())
    # At exactly 5%, more than this is seen in 0.1% of repetitions.
    assert named <= stats.binom.ppf(0.999, families, 0.05)


def test_one_run_beside_several_tests_no_class():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 50)
    before, after = (
        np.where(rng.random((runs, 500)) < share, labels, (labels + 1) % 10)
        for runs, share in ((3, 0.9), (1, 0.2))
    )
    for change in class_changes(labels, before, after).values():
        assert (change.interval, change.p_value, change.adjusted_p) == (None, None, None)
        assert not change.significant
    two = np.concatenate([after, after])
    assert all(change.significant for change in class_changes(labels, before, two).values())
