import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from conftest import make_predictions
from hardpairs.analysis.calibration import (
    BINS,
    apply_temperature,
    calibrate,
    calibration_error,
    fit_temperature,
    reliability,
)
from hardpairs.predictions.predictions import Predictions


def overconfident(images: int, temperature: float, seed: int = 0) -> Predictions:
    """Labels drawn from the true probabilities, whose logits are then multiplied."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=1.5, size=(images, 4))
    true = special.softmax(logits, axis=1)
    labels = (rng.random((images, 1)) > true.cumsum(axis=1)).sum(axis=1).clip(max=3)
    return Predictions(labels, special.softmax(logits * temperature, axis=1), tuple("abcd"))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered(temperature):
    assert fit_temperature(overconfident(20_000, temperature)) == pytest.approx(
        temperature, rel=0.03
    )


def test_scaling_lowers_the_error_of_an_overconfident_net():
    test, validation = overconfident(10_000, 2.5, seed=1), overconfident(10_000, 2.5, seed=2)
    calibration = calibrate(test, validation)
    assert calibration.before.value > 0.1
    assert calibration.after.value < 0.02
    assert calibration.fitted_on == 10_000
    low, high = calibration.before.interval
    assert low < calibration.before.value < high
    assert calibration.after.interval[1] < low


def test_nothing_is_fitted_without_validation():
    calibration = calibrate(make_predictions(), None)
    assert (calibration.temperature, calibration.after, calibration.fitted_on) == (None, None, 0)


def test_error_by_hand():
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    # Bin of 0.9: both right, gap 0.1. Bin of 0.6: half right, gap 0.1.
    assert calibration_error(labels, probabilities).value == pytest.approx(0.1)
    bins = reliability(labels, probabilities)
    assert bins[:, 0].sum() == 4
    np.testing.assert_allclose(bins[bins[:, 0] > 0], [[2, 0.6, 0.5], [2, 0.9, 1]])
    assert np.isnan(bins[0, 1:]).all()


def test_certainty_falls_into_the_last_bin():
    bins = reliability(np.array([0, 1]), np.eye(2))
    assert bins[BINS - 1].tolist() == [2, 1, 1]
    assert calibration_error(np.array([0, 1]), np.eye(2)).value == 0


@given(st.floats(0.5, 3), st.integers(0, 100))
def test_scaling_keeps_the_prediction_and_sums_to_1(temperature, seed):
    probabilities = make_predictions(images=20, seed=seed).probabilities
    scaled = apply_temperature(probabilities, temperature)
    np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(apply_temperature(scaled, 1 / temperature), probabilities, atol=1e-3)
