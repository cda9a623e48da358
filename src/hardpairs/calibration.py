"""Calibration: do images predicted with 80% turn out right 80% of the time?"""

import numpy as np

BINS = 15  # As in Guo, Pleiss, Sun, Weinberger, ICML 2017.


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Sort images into 15 bins of equal width by the probability of their predicted class.

    Returns:
        float64 (15, 3): images, mean probability and accuracy of each bin; NaN in an empty bin.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    # Bins are open below and closed above, as in the paper: a probability of 1 is in the last.
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(bins, weights=confidence, minlength=BINS) / images
        accuracy = np.bincount(bins, weights=correct, minlength=BINS) / images
    return np.column_stack([images, mean_confidence, accuracy])
