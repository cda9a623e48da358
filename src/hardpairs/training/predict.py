"""What a net says of images, and what it sees in them."""

from collections.abc import Callable

import numpy as np

from hardpairs.training.backend import keras
from hardpairs.training.nets import SideBySide, hidden_part

PREDICT_BATCH_SIZE = 250


def predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 probabilities (N, K) for uint8 images (N, H, W, C)."""
    return _in_batches(SideBySide(model), images)


def hidden_layer(model: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Return what the last layer is given, as a function of images, of which none is mirrored.

    Returns:
        A function of uint8 images (N, H, W, C) that returns float32 (N, D). D may be thousands, so
        whoever asks for many images does so by parts.
    """
    hidden = SideBySide(hidden_part(model))

    def activations(images: np.ndarray) -> np.ndarray:
        found = _in_batches(hidden, images)
        return found.astype(np.float32, copy=False).reshape(len(images), -1)

    return activations


def _in_batches(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """What `keras.Model.predict` returns, without the pipeline of data that each call builds."""
    starts = range(0, len(images), PREDICT_BATCH_SIZE)
    batches = (images[start : start + PREDICT_BATCH_SIZE] for start in starts)
    return np.concatenate([model.predict_on_batch(batch) for batch in batches])
