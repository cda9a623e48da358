"""The nets: functions of the images' shape, the number of classes and options.

Each returns a fresh `keras.Model`. Inputs are float32 pixels (N, height, width, channels) from 0
to 1, outputs float32 probabilities over the classes. The last layer computes in float32 under
every precision policy: a softmax in 8 bits of mantissa makes probabilities that don't sum to 1.
Where an image is too small for a pooling or for a convolution without a margin, the net goes
without the one and gives the other a margin.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.fft import dct

from hardpairs.training.backend import has_gpu, keras
from hardpairs.training.fast_layers import with_fast_operations
from hardpairs.training.mirrored_layers import (
    MirroredConv2D,
    add_twins,
    normalise_with_twins,
    swapped_halves,
)

layers, ops = keras.layers, keras.ops
Shape = tuple[int, int, int]  # Height, width, channels.
SMALLEST_SIDE, LARGEST_SIDE = 8, 96  # Pixels, of the images that nets are built for.


def cnn(
    shape: Shape, classes: int, *, third_block: bool = False, batch_norm: bool = False
) -> keras.Model:
    """The lesson's net: two convolutions with pooling, one hidden layer, dropout.

    ``third_block`` adds a convolution and ``batch_norm`` what its name says, see `_extended`.
    """
    if third_block or batch_norm:
        return _extended(shape, classes, third_block=third_block, batch_norm=batch_norm)
    return keras.Sequential(
        [
            layers.Input(shape),
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


def dense(shape: Shape, classes: int) -> keras.Model:
    """The lesson's net without its convolutions: the same hidden layer on bare pixels."""
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.4),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="dense",
    )


def _extended(shape: Shape, classes: int, *, third_block: bool, batch_norm: bool) -> keras.Model:
    """The lesson's net with a third convolution, batch norm, or both.

    The third convolution has too small an image left to pool it. Rectifying after pooling
    instead of before is the same function on a quarter of the values. Batch norm goes before
    rectifying, in all layers but the first, where it costs most and did harm, and the last. Its
    moving statistics follow with momentum 0.9: Keras' default of 0.99 lags behind in a training
    of a few hundred steps.
    """
    net = keras.Sequential([layers.Input(shape)])

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
        padding = _padding("valid", net.output_shape)
        net.add(layers.Conv2D(128, 3, padding=padding, use_bias=not batch_norm))
        rectify()
    net.add(layers.Flatten())
    net.add(layers.Dense(128, use_bias=not batch_norm))
    rectify()
    net.add(layers.Dropout(0.4))
    net.add(layers.Dense(classes, activation="softmax", dtype="float32"))
    return net


def cosine(
    shape: Shape,
    classes: int,
    *,
    filters: Sequence[int],
    padding: str | Sequence[str] = "same",
    pooled: int = 0,
    all_patterns: bool = True,
    mirror_average: bool = False,
) -> keras.Model:
    """The net of the short recipes: fixed cosine filters, then convolutions with batch norm.

    What isn't trained has no backward pass, and at full size that pass takes longest. Of the
    convolutions after the fixed one, ``filters`` gives the channels and ``pooled`` says which is
    pooled, counted from 0. ``padding`` is "same" or "valid" for each of them; or one word, which
    is for the first, the last having none. ``all_patterns``: see `cosine_filters`;
    ``mirror_average``: see `_classifier`.
    """
    if isinstance(padding, str):
        padding = [padding, *["same"] * (len(filters) - 2), "valid"][-len(filters) :]
    inputs = layers.Input(shape)
    outputs = layers.MaxPooling2D()(_fixed_cosines(inputs, all_patterns))
    outputs = layers.ReLU()(outputs)
    for index, (count, own) in enumerate(zip(filters, padding, strict=True)):
        outputs = _block(outputs, count, padding=own, pooled=index == pooled)
    return _classifier(inputs, layers.Flatten()(outputs), classes, mirror_average)


def full_size(
    shape: Shape,
    classes: int,
    *,
    channels: Sequence[int] = (32, 64, 128),
    pairs: int | Sequence[int] = 0,
    all_patterns: bool = True,
    mirror_average: bool = False,
) -> keras.Model:
    """The net of the long recipes: after the fixed cosine filters a convolution at full size.

    Convolving before anything is pooled costs most and gains most. ``channels`` are those at each
    of the three sizes. At each of the two smaller ones follow ``pairs`` of convolutions that learn
    what to add to what came in (He et al., CVPR 2016); three numbers are those of all three sizes.
    The last layer is given averages over positions. ``all_patterns``: see `cosine_filters`;
    ``mirror_average``: see `_classifier`.
    """
    first, second, third = channels
    at_first, at_second, at_third = (0, pairs, pairs) if isinstance(pairs, int) else pairs
    inputs = layers.Input(shape)
    outputs = layers.ReLU()(_fixed_cosines(inputs, all_patterns))
    outputs = _block(outputs, first, pooled=not at_first)
    if at_first:
        outputs = _pool(_residual(outputs, at_first, _block))
    outputs = _block(outputs, second, padding="valid", pooled=not at_second)
    if at_second:
        outputs = _pool(_residual(outputs, at_second, _block))
    outputs = _residual(_block(outputs, third), at_third, _block)
    outputs = _block(outputs, third, padding="valid")
    outputs = layers.GlobalAveragePooling2D(dtype="float32")(outputs)
    return _classifier(inputs, outputs, classes, mirror_average)


def mirrored(shape: Shape, classes: int, *, all_patterns: bool = True) -> keras.Model:
    """The net that `best` had before, kept so that its runs can be read: mirror images are alike.

    Much as `full_size` with one pair, but to an image and its mirror image it says the same.
    ``all_patterns``: see `cosine_filters`.
    """
    inputs = layers.Input(shape)
    outputs = layers.ReLU()(_fixed_cosines(inputs, all_patterns))
    twins = cosine_twins(shape[2], all_patterns)
    outputs = _mirrored_block(outputs, 32, twins=twins, pooled=True)
    outputs = _residual(_mirrored_block(outputs, 64), 1, _mirrored_block)
    outputs = layers.MaxPooling2D()(outputs)
    outputs = _residual(_mirrored_block(outputs, 128), 1, _mirrored_block)
    outputs = add_twins(_mirrored_block(outputs, 128, padding="valid"))
    outputs = layers.GlobalAveragePooling2D(dtype="float32")(outputs)
    return _classifier(inputs, outputs, classes)


NETS: dict[str, Callable[..., keras.Model]] = {
    "cnn": cnn,
    "dense": dense,
    "cosine": cosine,
    "full_size": full_size,
    "mirrored": mirrored,
}


def build_net(
    name: str,
    shape: Shape,
    classes: int,
    *,
    options: Mapping[str, Any] | None = None,
    precision: str = "float32",
) -> keras.Model:
    """Build a net of `NETS` with fresh weights under a Keras dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return NETS[name](shape, classes, **(options or {}))
    finally:
        keras.config.set_dtype_policy(before)


def _fixed_cosines(images: Any, all_patterns: bool) -> Any:
    patterns = cosine_filters(images.shape[-1], all_patterns)
    fixed = layers.Conv2D(patterns.shape[-1], 3, padding="same", use_bias=False, trainable=False)
    outputs = fixed(images)
    fixed.set_weights([patterns])
    return outputs


def _padding(wanted: str, shape: Sequence[Any]) -> str:
    """What small images leave of "valid": a kernel of 3 x 3 needs as many pixels."""
    return wanted if min(shape[1], shape[2]) >= 3 else "same"


def _pool(inputs: Any) -> Any:
    """Halve both sides where there is something to halve."""
    return layers.MaxPooling2D()(inputs) if min(inputs.shape[1:3]) >= 2 else inputs


def _block(inputs: Any, filters: int, *, padding: str = "same", pooled: bool = False) -> Any:
    padding = _padding(padding, inputs.shape)
    outputs = layers.Conv2D(filters, 3, padding=padding, use_bias=False)(inputs)
    if pooled:
        outputs = _pool(outputs)
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
    padding = _padding(padding, inputs.shape)
    outputs = MirroredConv2D(channels // 2, 3, twins=twins, padding=padding)(inputs)
    if pooled:
        outputs = layers.MaxPooling2D()(outputs)
    return layers.ReLU()(normalise_with_twins(outputs, momentum=0.9))


def _residual(inputs: Any, pairs: int, block: Callable[[Any, int], Any]) -> Any:
    channels, outputs = inputs.shape[-1], inputs
    for _ in range(pairs):
        learned = block(block(outputs, channels), channels)
        outputs = layers.Add()([outputs, learned])
    return outputs


def _classifier(
    images: Any, hidden: Any, classes: int, mirror_average: bool = False
) -> keras.Model:
    """Return the net from its images to what its last layer makes of ``hidden``.

    With ``mirror_average`` that layer is given the average over an image and its mirror image, the
    simplest test-time augmentation (Krizhevsky et al., NeurIPS 2012, section 4.1), so that whoever
    loads the net has it as well. Predicting then takes twice as long; training doesn't, see
    `trained_part`.
    """
    last = layers.Dense(classes, activation="softmax", dtype="float32")
    if mirror_average:
        one_side = keras.Model(images, hidden, name="one_side")
        images = layers.Input(images.shape[1:])
        sides = [one_side(images), one_side(images[:, :, ::-1])]
        hidden = layers.Average(dtype="float32")(sides)
    return keras.Model(images, last(hidden))


def hidden_part(net: keras.Model) -> keras.Model:
    """Return the net without its last layer, with the same weights; no image is mirrored in it."""
    for layer in net.layers:
        if isinstance(layer, keras.Model):
            return layer
    return keras.Model(net.inputs, net.layers[-1].input)


def trained_part(net: keras.Model) -> keras.Model:
    """Return the net without test-time augmentation, which is what is trained; same weights."""
    hidden = hidden_part(net)
    if hidden not in net.layers:
        return net
    return keras.Model(hidden.input, net.layers[-1](hidden.output))


def cosine_filters(channels: int = 1, all_patterns: bool = True) -> np.ndarray:
    """Return float32 (3, 3, C, 18 C): patterns of the cosine transform, then minus those.

    Those are close to the principal components of small patches (Ahmed, Natarajan, Rao 1974), to
    which cifar10-airbench (Jordan 2024) fixes its first layer, but need no images to be found. Of
    colour images the transform goes over the channels as well: their sum and their differences.

    Without ``all_patterns`` two are left out, so that gray images have 16 channels, which suits
    processors: minus the constant pattern, 0 once it is rectified whatever the image, and the
    finest, of which minus stays. Nets of earlier recipes have them all.
    """
    waves, colours = (dct(np.eye(count), axis=0, norm="ortho") for count in (3, channels))
    patterns = np.einsum("ia,jb,kc->abcijk", waves, waves, colours)
    patterns = patterns.reshape(3, 3, channels, 9 * channels)
    few = int(not all_patterns)
    kept = (patterns[..., : patterns.shape[-1] - few], -patterns[..., few:])
    return np.concatenate(kept, axis=-1).astype(np.float32)


def cosine_twins(channels: int = 1, all_patterns: bool = True) -> list[int]:
    """Return, for each of the cosine filters, the index of its mirror image."""
    filters = np.moveaxis(cosine_filters(channels, all_patterns), -1, 0)
    mirrored_filters = filters[:, :, ::-1]
    distances = np.abs(mirrored_filters[:, None] - filters).sum(axis=(2, 3, 4))
    return distances.argmin(axis=1).tolist()


class SideBySide(keras.Model):
    """A net as it is trained and asked: on bytes, and on two halves of each batch at once.

    Each half has a processor core of its own. The weights are those of the net it is given.
    Nothing else changes, but that batch norm takes its statistics over half of a batch. A GPU
    has no cores to share out: there the batch stays whole.
    """

    def __init__(self, net: keras.Model) -> None:
        super().__init__()
        self.net = with_fast_operations(net)
        self.whole = has_gpu()

    def call(self, images: Any, training: bool | None = None) -> Any:
        """Take uint8 (N, height, width, channels), return what the net returns for their pixels."""
        pixels = ops.cast(images, "float32") / 255
        if self.whole:
            return self.net(pixels, training=training)
        count = ops.shape(pixels)[0]
        half = count // 2
        # Of an odd number both halves see the middle image, so that none is ever empty.
        first = self.net(pixels[: count - half], training=training)
        second = self.net(pixels[half:], training=training)
        return ops.concatenate([first[:half], second])
