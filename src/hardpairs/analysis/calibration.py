"""Calibration: do images predicted with 80% turn out right 80% of the time?

Temperature scaling and the expected calibration error follow Guo, Pleiss, Sun, Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, sections 2 and 4.2.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from hardpairs.analysis.intervals import CONFIDENCE
from hardpairs.predictions.predictions import Predictions

BINS = 15  # As in Guo et al.
RESAMPLES = 500
SMALLEST_PROBABILITY = 1e-12  # Below it a float32 softmax has rounded to 0.


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error with its 95% bootstrap interval over images."""

    value: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """How far the probabilities can be taken at their word.

    Attributes:
        before: Of the probabilities as they are.
        temperature: What the logits are divided by; None without validation predictions.
        fitted_on: Validation images that the temperature was fitted on, 0 without.
        after: Of the scaled probabilities; None without validation predictions.
    """

    before: CalibrationError
    temperature: float | None = None
    fitted_on: int = 0
    after: CalibrationError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for metrics.json."""
        return asdict(self)


def calibrate(predictions: Predictions, validation: Predictions | None) -> Calibration:
    """Measure the calibration error, before and after a temperature fitted on validation.

    Args:
        predictions: Of the images that are reported on.
        validation: Of images the net was neither trained nor is reported on; None where the
            recipe held out none. A temperature fitted on the test set would flatter itself.
    """
    before = calibration_error(predictions.labels, predictions.known_probabilities())
    if validation is None:
        return Calibration(before)
    temperature = fit_temperature(validation)
    scaled = apply_temperature(predictions.known_probabilities(), temperature)
    after = calibration_error(predictions.labels, scaled)
    return Calibration(before, temperature, len(validation.labels), after)


def fit_temperature(predictions: Predictions) -> float:
    """Return the temperature that minimises the negative log-likelihood.

    The logits are taken as the logarithms of the probabilities: they differ by a constant per
    image, which softmax removes.
    """
    from scipy import optimize  # Slow to import, and most runs hold nothing out.

    logits = _logits(predictions.known_probabilities())
    rows = np.arange(len(logits))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        chosen = scaled[rows, predictions.labels]
        return float((special.logsumexp(scaled, axis=1) - chosen).mean())

    found = optimize.minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return float32 (N, K): probabilities (N, K) with their logits divided by the temperature."""
    return special.softmax(_logits(probabilities) / temperature, axis=1).astype(np.float32)


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Sort images into 15 bins of equal width by the probability of their predicted class.

    Returns:
        float64 (15, 3): images, mean probability and accuracy of each bin; NaN in an empty bin.
    """
    bins, confidence, correct = _binned(labels, probabilities)
    images = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(bins, weights=confidence, minlength=BINS) / images
        accuracy = np.bincount(bins, weights=correct, minlength=BINS) / images
    return np.column_stack([images, mean_confidence, accuracy])


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> CalibrationError:
    """Expected calibration error: the bins' distance from the diagonal, weighted by images.

    The interval is the basic bootstrap's (Davison, Hinkley 1997, section 5.2). Resampling adds
    noise to every bin and so only ever raises the error; the percentile interval would lie above
    the estimate, the basic one turns that excess round.
    """
    bins, confidence, correct = _binned(labels, probabilities)
    excess = correct - confidence
    value = np.abs(np.bincount(bins, weights=excess, minlength=BINS)).sum() / len(labels)
    rng = np.random.default_rng(0)
    resampled = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        chosen = rng.integers(0, len(labels), len(labels))
        sums = np.bincount(bins[chosen], weights=excess[chosen], minlength=BINS)
        resampled[index] = np.abs(sums).sum() / len(labels)
    tail = (1 - CONFIDENCE) / 2
    low, high = 2 * value - np.quantile(resampled, [1 - tail, tail])
    return CalibrationError(float(value), (max(float(low), 0.0), max(float(high), 0.0)))


def _binned(
    labels: np.ndarray, probabilities: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    # Bins are open below and closed above, as in the paper: a probability of 1 is in the last.
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return bins, confidence, correct


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities.astype(np.float64), SMALLEST_PROBABILITY))
