from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from difference_calibration import two_models
from hardpairs.analysis.difference import diff
from hardpairs.analysis.gate import find_worse
from hardpairs.errors import InputError
from model_runs import runs


def test_what_counts_as_worse():
    better, worse = runs(0.85, 1)[0], runs(0.8, 1)[0]
    difference = diff(better, worse)
    change = difference.accuracy
    upper = -100 * change.interval[1]
    assert find_worse(difference, upper - 0.01)
    assert not find_worse(difference, upper + 0.01)
    exactly = -100 * change.difference
    assert find_worse(difference, exactly - 0.001, strict=True)
    assert not find_worse(difference, exactly, strict=True)
    assert not find_worse(diff(worse, better), 0, strict=True)
    hurt = replace(worse, predicted=np.where(worse.labels == 2, 3, better.predicted))
    one = diff(better, hurt)
    told = find_worse(one, 30, per_class=True)
    assert [line.split(" is ")[0] for line in told] == ["recall of c"]
    assert not find_worse(one, 30)
    several = diff([better, better], hurt)
    with pytest.raises(InputError, match="--per-class: B has one run"):
        find_worse(several, 30, per_class=True)
    assert find_worse(several, 30, per_class=True, strict=True)


def test_equal_models_rarely_fail_and_a_planted_loss_is_found():
    equal = two_models("equal", 20_000, 10_000, 0.0)
    # At exactly 2.5%, 20,000 pairs show more than 557 in 0.5% of repetitions.
    assert equal.failed <= stats.binom.ppf(0.995, 20_000, 0.025)
    assert abs(equal.covered / 20_000 - 0.95) < 0.01
    loss = two_models("loss", 20_000, 10_000, 0.005)
    assert loss.failed > 0.6 * 20_000
    assert abs(loss.covered / 20_000 - 0.95) < 0.01
