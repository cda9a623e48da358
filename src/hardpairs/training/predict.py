"""What a net says of images, and what it sees in them."""

from collections.abc import Callable

import numpy as np

from hardpairs.training.backend import keras
from hardpairs.training.nets import SideBySide

PREDICT_BATCH_SIZE = 500


def predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 probabilities (N, K) for uint8 images (N, H, W, C)."""
    return SideBySide(model).predict(images, batch_size=PREDICT_BATCH_SIZE, verbose=0)


def hidden_layer(model: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Return what the last layer is given, as a function of images.

    Returns:
        A function of uint8 images (N, H, W, C) that returns float32 (N, D). D may be thousands, so
        whoever asks for many images does so by parts.
    """
    hidden = SideBySide(keras.Model(model.inputs, model.layers[-1].input))

    def activations(images: np.ndarray) -> np.ndarray:
        found = hidden.predict(images, batch_size=PREDICT_BATCH_SIZE, verbose=0)
        return found.astype(np.float32, copy=False).reshape(len(images), -1)

    return activations
