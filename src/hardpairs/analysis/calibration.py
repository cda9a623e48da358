"""Calibration: do images predicted with 80% turn out right 80% of the time?

Temperature scaling and the expected calibration error follow Guo, Pleiss, Sun, Weinberger, "On
Calibration of Modern Neural Networks", ICML 2017, sections 2 and 4.2.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hardpairs.analysis.causes import SMALLEST
from hardpairs.analysis.intervals import CONFIDENCE, wilson_interval
from hardpairs.analysis.samples import row_blocks
from hardpairs.predictions.predictions import Predictions
from hardpairs.predictions.probabilities import softmax
from hardpairs.wording import counted, plainly

BINS = 15  # As in Guo et al.
RESAMPLES = 500
CALIBRATED_DRAWS = 5_000
# From here on the resampled sums are drawn from their normal limit: 500 times a million images
# would take as long as all the rest.
MANY_IMAGES = 20_000
COLDEST, HOTTEST = 0.05, 20.0
NOTHING_HELD_OUT = (
    "No temperature was fitted: no validation images were held out, and fitting it on the images "
    "that are reported on would flatter itself."
)


@dataclass(frozen=True)
class Bin:
    """Images of similar confidence: how many, their mean confidence, the share that is right."""

    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error with its 95% bootstrap interval (sampling of images).

    Attributes:
        value, interval: Mean difference of confidence and accuracy over images, by bins.
        bins: Those of the 15 that hold images, by confidence.
    """

    value: float
    interval: tuple[float, float]
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, without the bins."""
        return {"value": self.value, "interval": self.interval}


@dataclass(frozen=True)
class Calibration:
    """How well confidence matches accuracy.

    Attributes:
        before: Of the probabilities as they are.
        temperature: What the logits are divided by; None where none was fitted.
        fitted_on: Validation images that the temperature was fitted on, 0 without.
        after: Of the scaled probabilities; None where no temperature was fitted.
        reason: Why no temperature was fitted, in a sentence; "" where one was.
    """

    before: CalibrationError
    temperature: float | None = None
    fitted_on: int = 0
    after: CalibrationError | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for metrics.json; the bins stand there by themselves."""
        return {
            "before": self.before.to_dict(),
            "temperature": self.temperature,
            "fitted_on": self.fitted_on,
            "after": self.after and self.after.to_dict(),
            "reason": self.reason,
        }

    def bins_dict(self) -> list[dict[str, float]]:
        """The ``reliability`` part of metrics.json: the bins before scaling."""
        return [asdict(each) for each in self.before.bins]


def calibrate(predictions: Predictions, validation: Predictions | None) -> Calibration:
    """Measure the calibration error, before and after a temperature fitted on validation.

    Args:
        predictions: Of the images that are reported on.
        validation: Of images the net was neither trained nor is reported on; None where the
            recipe held out none. A temperature fitted on the test set would flatter itself.

    Raises:
        InputError: The predictions are classes alone.
    """
    probabilities = predictions.known_probabilities()
    correct = predictions.predicted == predictions.labels
    before = calibration_error(correct, probabilities.max(axis=1))
    if validation is None or not validation.has_probabilities:
        return Calibration(before, reason=NOTHING_HELD_OUT)
    temperature = fit_temperature(validation)
    if temperature is None:
        return Calibration(
            before,
            reason="No temperature was fitted: on the "
            f"{counted(len(validation), 'validation image')} the best one lies beyond "
            f"{COLDEST:g} to {HOTTEST:g}, as where all of them are right or the probabilities "
            "are 0 and 1.",
        )
    after = calibration_error(correct, scaled_confidence(probabilities, temperature))
    return Calibration(before, temperature, len(validation), after)


def fit_temperature(predictions: Predictions) -> float | None:
    """Return the temperature that minimises the negative log-likelihood.

    The logits are taken as the logarithms of the probabilities: they differ by a constant per
    image, which softmax removes. The loss is convex in the inverse temperature, so its slope has
    one zero, or none within the bounds, and then there is no temperature.

    Returns:
        The temperature, or None where the best lies outside 0.05 to 20.

    Raises:
        InputError: The predictions are classes alone.
    """
    from scipy import optimize  # Slow to import, and most runs hold nothing out.

    probabilities, labels = predictions.known_probabilities(), predictions.labels

    def slope(inverse: float) -> float:
        total = 0.0
        for block in row_blocks(*probabilities.shape):
            logits = _logits(probabilities[block])
            expected = (softmax(logits * inverse) * logits).sum(axis=1)
            total += float((expected - logits[np.arange(len(logits)), labels[block]]).sum())
        return total / len(labels)

    if slope(1 / HOTTEST) >= 0 or slope(1 / COLDEST) <= 0:
        return None
    return 1 / float(optimize.brentq(slope, 1 / HOTTEST, 1 / COLDEST, xtol=1e-5))


def scaled_confidence(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """float64 (N,): the largest of each row (N, K), its logits divided by the temperature."""
    confidence = np.empty(len(probabilities))
    for block in row_blocks(*probabilities.shape):
        confidence[block] = softmax(_logits(probabilities[block]) / temperature).max(axis=1)
    return confidence


def calibration_error(correct: np.ndarray, confidence: np.ndarray) -> CalibrationError:
    """Expected calibration error: the bins' distance from the diagonal, weighted by images.

    The interval is the basic bootstrap's (Davison, Hinkley 1997, section 5.2). Resampling adds
    noise to every bin and so only ever raises the error; the percentile interval would lie above
    the estimate, the basic one turns that excess round. Near 0 no bootstrap of absolute values
    holds (Andrews, Econometrica 68, 2000), so the lower end is no higher than the estimate less
    what chance alone gives in 95% of samples of calibrated probabilities: by the triangle
    inequality the true error is no further below it. The bootstrap's upper end is never above twice
    the estimate, too near where the images of a bin happened to match their confidence. So the
    interval reaches at least as far as Wilson's of the accuracy lets accuracy and mean confidence
    differ, which is by no more than the error. How often it holds the true error is simulated by
    benchmarks/calibration_coverage.py.

    Args:
        correct: bool (N,).
        confidence: float (N,), probability of the predicted class.
    """
    confidence = confidence.astype(np.float64)
    # Bins are open below and closed above, as in the paper: a probability of 1 is in the last.
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    excess = correct - confidence
    value = np.abs(np.bincount(bins, excess, BINS)).sum() / len(correct)
    resampled = np.abs(_resampled_sums(bins, excess)).sum(axis=1) / len(correct)
    tail = (1 - CONFIDENCE) / 2
    low, high = 2 * value - np.quantile(resampled, [1 - tail, tail])
    low = min(low, value - np.quantile(_calibrated_errors(bins, confidence), CONFIDENCE))
    accuracy = wilson_interval(int(correct.sum()), len(correct))
    high = max(high, value, *(abs(end - confidence.mean()) for end in accuracy))
    return CalibrationError(
        value=float(value),
        interval=(max(float(low), 0.0), min(float(high), 1.0)),
        bins=_filled_bins(bins, confidence, correct),
    )


def _filled_bins(bins: np.ndarray, confidence: np.ndarray, correct: np.ndarray) -> tuple[Bin, ...]:
    images, sums = np.bincount(bins, minlength=BINS), np.bincount(bins, confidence, BINS)
    right = np.bincount(bins, correct, BINS)
    return tuple(
        Bin(int(images[one]), float(sums[one] / images[one]), float(right[one] / images[one]))
        for one in np.flatnonzero(images)
    )


def _resampled_sums(bins: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """float64 (500, 15): the sum of ``excess`` in each bin, of images drawn with replacement."""
    rng = np.random.default_rng(0)
    images = len(bins)
    if images <= MANY_IMAGES:
        drawn = (rng.integers(0, images, images) for _ in range(RESAMPLES))
        return np.array([np.bincount(bins[rows], excess[rows], BINS) for rows in drawn])
    sums, squares = np.bincount(bins, excess, BINS), np.bincount(bins, excess**2, BINS)
    covariance = np.diag(squares) - np.outer(sums, sums) / images
    return rng.multivariate_normal(sums, covariance, RESAMPLES, method="eigh")


def _calibrated_errors(bins: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """float64 (5,000,): errors of calibrated probabilities, the bins' sums in their normal limit.

    Images are right as often as their confidence says (Vaicenavicius et al., AISTATS 2019).
    """
    spread = np.sqrt(np.bincount(bins, confidence * (1 - confidence), BINS))
    draws = np.random.default_rng(0).normal(size=(CALIBRATED_DRAWS, BINS))
    return np.abs(draws * spread).sum(axis=1) / len(bins)


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities.astype(np.float64), SMALLEST))


def plain_points(value: float) -> str:
    """A share in points, which has no sign: a calibration error."""
    return plainly(100 * value, 1, apart_from=[0])
