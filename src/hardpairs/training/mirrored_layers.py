"""Convolution and batch norm for nets to which an image and its mirror image are the same.

Group convolution (Cohen, Welling, ICML 2016) for the group of two that mirrors left to right:
every filter is applied as it is and mirrored, so half of the channels, the twins, show what the
other half would show of the mirrored image, mirrored. The second half of the channels is always
that of the twins, in the order of the first.
"""

from collections.abc import Sequence
from typing import Any

from hardpairs.training.backend import keras

layers, ops = keras.layers, keras.ops


@keras.saving.register_keras_serializable(package="hardpairs")
class MirroredConv2D(keras.layers.Conv2D):
    """A convolution that gives twice its number of filters: their channels, then the twins'."""

    def __init__(self, filters: int, kernel_size: Any, *, twins: Sequence[int], **kwargs: Any):
        """Take, beside what Conv2D takes, ``twins``: of each channel in, the index of its twin."""
        super().__init__(filters, kernel_size, use_bias=False, **kwargs)
        self.twins = list(twins)

    def call(self, inputs: Any) -> Any:
        """Take (N, H, W, C), return (N, H', W', twice the filters)."""
        kernel = ops.convert_to_tensor(self.kernel)
        mirrored = ops.take(ops.flip(kernel, axis=1), self.twins, axis=2)
        return self.convolution_op(inputs, ops.concatenate([kernel, mirrored], axis=-1))

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """Return the shape of what `call` returns."""
        *others, filters = super().compute_output_shape(input_shape)
        return (*others, 2 * filters)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes, as Keras saves it."""
        config = super().get_config()
        del config["use_bias"]
        return {**config, "twins": self.twins}


def swapped_halves(channels: int) -> list[int]:
    """Return the twins of channels that a `MirroredConv2D` gave."""
    return [*range(channels // 2, channels), *range(channels // 2)]


def normalise_with_twins(inputs: Any, momentum: float) -> Any:
    """Batch norm with the same scale, offset and statistics for each channel and its twin."""
    _, height, width, channels = inputs.shape
    # The twins become further columns, which moves nothing in memory.
    outputs = layers.Reshape((height, 2 * width, channels // 2))(inputs)
    outputs = layers.BatchNormalization(momentum=momentum)(outputs)
    return layers.Reshape((height, width, channels))(outputs)


def add_twins(inputs: Any) -> Any:
    """Return (N, H, W, C / 2) that is the same for an image and its mirror image."""
    half = inputs.shape[-1] // 2
    return layers.Add()([inputs[..., :half], ops.flip(inputs[..., half:], axis=2)])
