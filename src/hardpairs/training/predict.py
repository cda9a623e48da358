"""What a net says of images, and what it sees in them."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from hardpairs.training.backend import keras
from hardpairs.training.graphs import kept_graph
from hardpairs.training.nets import SideBySide, hidden_part

PREDICT_BATCH_SIZE = 250


def predict(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    """Return float32 probabilities (N, K) for uint8 images (N, H, W, C)."""
    return _in_batches(_function_of(model), images)


def hidden_layer(model: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """Return what the last layer is given, as a function of images, of which none is mirrored.

    Returns:
        A function of uint8 images (N, H, W, C) that returns float32 (N, D). D may be thousands, so
        whoever asks for many images does so by parts.
    """
    hidden = _function_of(hidden_part(model))

    def activations(images: np.ndarray) -> np.ndarray:
        found = _in_batches(hidden, images)
        return found.astype(np.float32, copy=False).reshape(len(images), -1)

    return activations


def _in_batches(function: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """What `keras.Model.predict` returns, without the pipeline of data that each call builds."""
    starts = range(0, len(images), PREDICT_BATCH_SIZE)
    return np.concatenate(
        [function(images[start : start + PREDICT_BATCH_SIZE]) for start in starts]
    )


def _function_of(net: "keras.Model") -> Callable[[np.ndarray], np.ndarray]:
    """What a net returns for a batch of images."""
    asked = SideBySide(net)
    if keras.backend.backend() != "tensorflow":
        return asked.predict_on_batch
    import tensorflow as tf

    # Keras numbers the layers of a process, so the same net may have other names in it.
    names: dict[str, str] = {}
    config = re.sub(
        r'"\w+?_\d+"',
        lambda found: names.setdefault(found[0], f'"layer {len(names)}"'),
        net.to_json(),
    )

    def ask(images: Any) -> list[Any]:
        return [asked(images, training=False)]

    images = tf.TensorSpec((None, *net.input_shape[1:]), tf.uint8)
    graph = kept_graph(ask, [images], net.variables, {"net": config})
    return lambda images: graph(tf.constant(images))[0].numpy()
