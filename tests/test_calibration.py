import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from conftest import make_predictions
from hardpairs.analysis import calibration as calibration_module
from hardpairs.analysis.calibration import (
    Bin,
    calibrate,
    calibration_error,
    fit_temperature,
    scaled_confidence,
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


@pytest.mark.parametrize("images", [300, 3_000])
def test_the_interval_holds_the_error_of_calibrated_probabilities(images):
    """As a plain bootstrap of absolute values doesn't: in two of three samples of such."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        confidence = 1 - 0.9 * rng.beta(0.6, 4, images)
        error = calibration_error(rng.random(images) < confidence, confidence)
        low, high = error.interval
        assert low <= error.value <= high
        held += low == 0
    assert held >= 90


@pytest.mark.parametrize("images", [10, 30, 100])
def test_the_interval_holds_the_error_of_few_and_sure_predictions(images):
    """All are right by chance in most samples, which shows the bootstrap no spread."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        confidence = np.full(images, 0.99)
        error = calibration_error(rng.random(images) < 0.96, confidence)
        low, high = error.interval
        assert 0 <= low <= error.value <= high <= 1
        held += low <= 0.03 <= high
    assert held >= 90


def test_nothing_is_fitted_without_validation():
    calibration = calibrate(make_predictions(), None)
    assert (calibration.temperature, calibration.after, calibration.fitted_on) == (None, None, 0)


def test_error_by_hand():
    labels = np.array([0, 0, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    # Bin of 0.9: both right, gap 0.1. Bin of 0.6: half right, gap 0.1.
    error = calibration_error(probabilities.argmax(axis=1) == labels, probabilities.max(axis=1))
    assert error.value == pytest.approx(0.1)
    bins = [(each.images, each.confidence, each.accuracy) for each in error.bins]
    np.testing.assert_allclose(bins, [[2, 0.6, 0.5], [2, 0.9, 1]])


def test_certainty_falls_into_the_last_bin():
    error = calibration_error(np.array([True, True]), np.ones(2))
    assert error.bins == (Bin(2, 1.0, 1.0),)
    assert error.value == 0


@given(st.floats(0.5, 3), st.integers(0, 100))
def test_scaling_is_a_softmax_of_the_logits_over_the_temperature(temperature, seed):
    probabilities = make_predictions(images=20, seed=seed).probabilities
    powers = probabilities.astype(np.float64) ** (1 / temperature)
    expected = (powers / powers.sum(axis=1, keepdims=True)).max(axis=1)
    np.testing.assert_allclose(scaled_confidence(probabilities, temperature), expected, atol=1e-5)


@pytest.mark.parametrize("shift", [0, 1], ids=["all right", "all wrong"])
def test_a_temperature_at_the_bound_is_not_told_as_fitted(shift):
    labels = np.arange(200) % 3
    certain = Predictions(labels, np.eye(3)[(labels + shift) % 3], tuple("abc"))
    assert fit_temperature(certain) is None
    calibration = calibrate(make_predictions(), certain)
    assert (calibration.temperature, calibration.after) == (None, None)
    assert "beyond 0.05 to 20" in calibration.reason


def test_many_images_give_the_interval_of_few(monkeypatch):
    predictions = overconfident(19_000, 1.5)
    correct = predictions.predicted == predictions.labels
    confidence = predictions.probabilities.max(axis=1)
    exact = calibration_error(correct, confidence).interval
    monkeypatch.setattr(calibration_module, "MANY_IMAGES", 0)
    assert calibration_error(correct, confidence).interval == pytest.approx(exact, abs=1e-3)


def test_the_interval_holds_the_error_of_a_net_whose_confidences_lie_in_one_bin():
    rng, held = np.random.default_rng(0), 0
    for _ in range(100):
        confidence = rng.uniform(0.87, 0.93, 300)
        low, high = calibration_error(rng.random(300) < 0.88, confidence).interval
        held += low <= 0.02 <= high
    assert held >= 90  # The bootstrap alone, never above twice the estimate, held it in 72.


def test_an_error_of_nought_by_chance_is_not_told_as_certain():
    correct = np.arange(60) % 2 == 0
    error = calibration_error(correct, np.full(60, 0.5))
    assert error.value == 0
    assert error.interval == (0, pytest.approx(0.1226, abs=1e-4))
