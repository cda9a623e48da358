"""The nets. Each function returns a fresh `keras.Model` for images (28, 28, 1).

Inputs are float32 pixels from 0 to 1, outputs float32 probabilities over the classes. The last
layer computes in float32 under every precision policy: a softmax in 8 bits of mantissa makes
probabilities that don't sum to 1.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.fft import dct

from hardpairs.training.backend import keras
from hardpairs.training.fast_layers import with_fast_operations
from hardpairs.training.mirrored_layers import (
    MirroredConv2D,
    add_twins,
    normalise_with_twins,
    swapped_halves,
)

layers, ops = keras.layers, keras.ops
INPUT_SHAPE = (28, 28, 1)


def cnn(classes: int) -> keras.Model:
    """The lesson's net: two convolutions with pooling, one hidden layer, dropout."""
    return keras.Sequential(
        [
            layers.Input(INPUT_SHAPE),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="cnn",
    )


def dense(classes: int) -> keras.Model:
    """The lesson's net without its convolutions: the same hidden layer on bare pixels."""
    return keras.Sequential(
        [
            layers.Input(INPUT_SHAPE),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="dense",
    )


def variant(classes: int, *, third_block: bool, batch_norm: bool) -> keras.Model:
    """The lesson's net with a third convolution, batch norm, or both.

    The third convolution has too small an image left to pool it. Rectifying after pooling
    instead of before is the same function on a quarter of the values. Batch norm goes before
    rectifying, in all layers but the first, where it costs most and did harm, and the last. Its
    moving statistics follow with momentum 0.9: Keras' default of 0.99 lags behind in a training
    of a few hundred steps.
    """
    net = keras.Sequential([layers.Input(INPUT_SHAPE)])

    def rectify() -> None:
        if batch_norm:
            net.add(layers.BatchNormalization(momentum=0.9))
        net.add(layers.ReLU())

    net.add(layers.Conv2D(32, 3, padding="same"))
    net.add(layers.MaxPooling2D())
    net.add(layers.ReLU())
    net.add(layers.Conv2D(64, 3, padding="same", use_bias=not batch_norm))
    net.add(layers.MaxPooling2D())
    rectify()
    if third_block:
        net.add(layers.Conv2D(128, 3, use_bias=not batch_norm))
        rectify()
    net.add(layers.Flatten())
    net.add(layers.Dense(128, use_bias=not batch_norm))
    rectify()
    net.add(layers.Dropout(0.4))
    net.add(layers.Dense(classes, activation="softmax", dtype="float32"))
    return net


def cosine_net(
    classes: int, *, filters: tuple[int, ...], padding: str = "same", pooled: int = 0
) -> keras.Model:
    """The net of the short recipes: fixed cosine filters, then convolutions with batch norm.

    What isn't trained has no backward pass, and at 28 x 28 that pass takes longest. Of the
    convolutions after the fixed one, ``filters`` gives the channels and ``pooled`` says which is
    pooled, counted from 0. The first has ``padding``, "same" or "valid"; the last has none.
    """
    inputs = layers.Input(INPUT_SHAPE)
    outputs = layers.MaxPooling2D()(_fixed_cosines(inputs))
    outputs = layers.ReLU()(outputs)
    for index, count in enumerate(filters):
        unpadded = index == len(filters) - 1 or (index == 0 and padding == "valid")
        outputs = _block(
            outputs, count, padding="valid" if unpadded else "same", pooled=index == pooled
        )
    return keras.Model(inputs, _classified(layers.Flatten()(outputs), classes))


def mirrored_net(classes: int) -> keras.Model:
    """The net of the longest recipe, to which an image and its mirror image are the same.

    After the fixed cosine filters comes a convolution at full size: convolving before anything is
    pooled costs twice as much and gains most. At each smaller size, two convolutions learn what
    to add to what came in (He et al., CVPR 2016).
    """
    inputs = layers.Input(INPUT_SHAPE)
    outputs = layers.ReLU()(_fixed_cosines(inputs))
    outputs = _mirrored_block(outputs, 32, twins=_cosine_twins(), pooled=True)
    outputs = _residual(_mirrored_block(outputs, 64))
    outputs = layers.MaxPooling2D()(outputs)
    outputs = _residual(_mirrored_block(outputs, 128))
    outputs = add_twins(_mirrored_block(outputs, 128, padding="valid"))
    outputs = layers.GlobalAveragePooling2D(dtype="float32")(outputs)
    return keras.Model(inputs, _classified(outputs, classes))


def _fixed_cosines(images: Any) -> Any:
    patterns = cosine_filters()
    fixed = layers.Conv2D(patterns.shape[-1], 3, padding="same", use_bias=False, trainable=False)
    outputs = fixed(images)
    fixed.set_weights([patterns])
    return outputs


def _block(inputs: Any, filters: int, *, padding: str = "same", pooled: bool = False) -> Any:
    outputs = layers.Conv2D(filters, 3, padding=padding, use_bias=False)(inputs)
    if pooled:
        outputs = layers.MaxPooling2D()(outputs)
    outputs = layers.BatchNormalization(momentum=0.9)(outputs)
    return layers.ReLU()(outputs)


def _mirrored_block(
    inputs: Any,
    channels: int,
    *,
    twins: list[int] | None = None,
    padding: str = "same",
    pooled: bool = False,
) -> Any:
    twins = twins or swapped_halves(inputs.shape[-1])
    outputs = MirroredConv2D(channels // 2, 3, twins=twins, padding=padding)(inputs)
    if pooled:
        outputs = layers.MaxPooling2D()(outputs)
    return layers.ReLU()(normalise_with_twins(outputs, momentum=0.9))


def _residual(inputs: Any) -> Any:
    channels = inputs.shape[-1]
    learned = _mirrored_block(_mirrored_block(inputs, channels), channels)
    return layers.Add()([inputs, learned])


def _classified(inputs: Any, classes: int) -> Any:
    return layers.Dense(classes, activation="softmax", dtype="float32")(inputs)


def cosine_filters() -> np.ndarray:
    """Return float32 (3, 3, 1, 18): the nine patterns of the cosine transform, then minus those.

    Those are close to the principal components of small patches (Ahmed, Natarajan, Rao 1974), to
    which cifar10-airbench (Jordan 2024) fixes its first layer, but need no images to be found.
    """
    waves = dct(np.eye(3), axis=0, norm="ortho")
    patterns = np.einsum("ia,jb->abij", waves, waves).reshape(3, 3, 1, 9)
    return np.concatenate([patterns, -patterns], axis=-1).astype(np.float32)


def _cosine_twins() -> list[int]:
    """Return, for each of the cosine filters, the index of its mirror image."""
    filters = np.moveaxis(cosine_filters()[:, :, 0], -1, 0)
    mirrored = filters[:, :, ::-1]
    distances = np.abs(mirrored[:, None] - filters).sum(axis=(2, 3))
    return distances.argmin(axis=1).tolist()


MODELS: dict[str, Callable[[int], keras.Model]] = {
    "cnn": cnn,
    "cnn-third-block": partial(variant, third_block=True, batch_norm=False),
    "cnn-batch-norm": partial(variant, third_block=False, batch_norm=True),
    "cnn-third-block-batch-norm": partial(variant, third_block=True, batch_norm=True),
    "cosine-sprint": partial(cosine_net, filters=(64, 128), padding="valid"),
    "cosine-quick": partial(cosine_net, filters=(64, 128)),
    "cosine-strong": partial(cosine_net, filters=(32, 64, 128, 128), padding="valid", pooled=1),
    "cosine-small": partial(cosine_net, filters=(32, 40, 64, 64), pooled=1),
    "mirrored": mirrored_net,
    "dense": dense,
}


class SideBySide(keras.Model):
    """A net as it is trained and asked: on bytes, and on two halves of each batch at once.

    Each half has a processor core of its own. The weights are those of the net it is given.
    Nothing else changes, but that batch norm takes its statistics over half of a batch.
    """

    def __init__(self, net: keras.Model) -> None:
        super().__init__()
        self.net = with_fast_operations(net)

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Take uint8 (N, 28, 28), return what the net returns for their pixels."""
        pixels = ops.expand_dims(ops.cast(images, "float32") / 255, -1)
        count = ops.shape(pixels)[0]
        half = count // 2
        # Of an odd number both halves see the middle image, so that none is ever empty.
        first = self.net(pixels[: count - half], training=training)
        second = self.net(pixels[half:], training=training)
        return ops.concatenate([first[:half], second])
