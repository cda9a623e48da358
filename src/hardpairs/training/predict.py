"""What a net says of images, and what it sees in them."""

import numpy as np

from hardpairs.training.backend import keras
from hardpairs.training.nets import SideBySide

PREDICT_BATCH_SIZE = 500


def predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 probabilities (N, K) for uint8 images (N, H, W, C)."""
    return _predict(model, images)


def hidden_activations(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 (N, D): what the last layer is given for uint8 images (N, H, W, C)."""
    hidden = keras.Model(model.inputs, model.layers[-1].input)
    return _predict(hidden, images).astype(np.float32).reshape(len(images), -1)


def _predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    return SideBySide(model).predict(images, batch_size=PREDICT_BATCH_SIZE, verbose=0)
