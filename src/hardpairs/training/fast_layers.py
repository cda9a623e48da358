"""Operations of Keras' layers, exchanged for faster ones under TensorFlow and JAX.

The layers stay Keras' own: nothing of this is saved with a net, and whoever loads one needs
nothing of it. Values differ from Keras' by rounding only.
"""

from functools import partial
from typing import Any

from hardpairs.training.backend import keras

# Measured on two cores, see docs/speed.md.
FEW_CHANNELS = 32  # Fewer leave most of a core's arithmetic units idle in matrix products.
FEW_POSITIONS = 9  # Up to so many, oneDNN's gradient of the images is slower than one product.


def with_fast_operations(net: keras.Model) -> keras.Model:
    """Exchange the operations of a net's layers of stride 1, in place, and return the net.

    A kernel's gradient is a sum over positions, of which small images have few: one matrix
    product per place in the kernel takes a quarter to two thirds of the time that oneDNN's own
    operation does. Where hardly a position is left, the same holds of the images' gradient.
    Batch norm is one operation in the precision of its input, where Keras casts to float32 and
    back and takes about ten.

    Those are TensorFlow's. Under JAX pooling is a maximum over an axis, whose gradient a GPU finds
    faster than that of a window; equal values share it.
    """
    if keras.backend.backend() == "jax":
        for layer in net.layers:
            if isinstance(layer, keras.layers.MaxPooling2D):
                layer.call = _pool
    if keras.backend.backend() == "tensorflow":
        for layer in net.layers:
            # Of a single channel in, the products would have one row.
            if isinstance(layer, keras.layers.Conv2D) and layer.kernel.shape[2] > 1:
                layer.convolution_op = partial(_convolve, layer.padding)
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.call = partial(_normalise, layer)
    return net


def _pool(inputs: Any) -> Any:
    """Stand in for `keras.layers.MaxPooling2D.call` of windows of 2 x 2."""
    _, height, width, channels = inputs.shape
    halves = height // 2, width // 2
    whole = inputs[:, : 2 * halves[0], : 2 * halves[1]]
    windows = keras.ops.reshape(whole, (-1, halves[0], 2, halves[1], 2, channels))
    return keras.ops.max(windows, axis=(2, 4))


def _convolve(padding: str, images: Any, kernel: Any) -> Any:
    """Stand in for `keras.layers.Conv2D.convolution_op`; only its gradients are others."""
    import tensorflow as tf

    how = {"strides": [1, 1, 1, 1], "padding": padding.upper()}

    @tf.custom_gradient
    def convolve(images: Any, kernel: Any) -> Any:
        def gradients(upstream: Any) -> tuple[Any, Any]:
            rows, columns = upstream.shape[1:3]
            if padding == "valid" and rows * columns <= FEW_POSITIONS:
                of_images = _gradient_of_images(kernel, upstream)
            else:
                of_images = tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=tf.shape(images), filter=kernel, out_backprop=upstream, **how
                )
            if images.shape[-1] < FEW_CHANNELS:
                of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                    input=images, filter_sizes=kernel.shape, out_backprop=upstream, **how
                )
            else:
                of_kernel = _gradient_of_kernel(images, kernel.shape, upstream, padding)
            return of_images, of_kernel

        return tf.raw_ops.Conv2D(input=images, filter=kernel, **how), gradients

    return convolve(images, tf.convert_to_tensor(kernel))


def _gradient_of_images(kernel: Any, upstream: Any) -> Any:
    """One matrix product, whose parts are added up where the kernel's places lie."""
    import tensorflow as tf

    height, width, channels, filters = kernel.shape
    flat = tf.reshape(upstream, (-1, filters)), tf.reshape(kernel, (-1, filters))
    parts = tf.matmul(*flat, transpose_b=True)
    parts = tf.reshape(parts, (-1, *upstream.shape[1:3], height * width * channels))
    for axis, size in ((1, height), (2, width)):
        moved = []
        for place, part in enumerate(tf.split(parts, size, axis=-1)):
            margins = [[0, 0]] * 4
            margins[axis] = [place, size - 1 - place]
            moved.append(tf.pad(part, margins))
        parts = tf.add_n(moved)
    return parts


def _gradient_of_kernel(images: Any, shape: Any, upstream: Any, padding: str) -> Any:
    """One matrix product per place in the kernel."""
    import tensorflow as tf

    height, width, channels, filters = shape
    margins = [[0, 0], [height // 2] * 2, [width // 2] * 2, [0, 0]]
    padded = tf.pad(images, margins) if padding == "same" else images
    rows, columns = upstream.shape[1:3]
    upstream = tf.reshape(upstream, (-1, filters))
    products = []
    for down in range(height):
        for right in range(width):
            seen = padded[:, down : down + rows, right : right + columns]
            seen = tf.reshape(seen, (-1, channels))
            products.append(tf.matmul(seen, upstream, transpose_a=True))
    return tf.reshape(tf.stack(products), shape)


def _normalise(layer: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    """Stand in for `keras.layers.BatchNormalization.call`."""
    if not training or len(inputs.shape) != 4:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    import tensorflow as tf

    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=layer.gamma.value,
        offset=layer.beta.value,
        mean=layer.moving_mean.value,
        variance=layer.moving_variance.value,
        epsilon=layer.epsilon,
        exponential_avg_factor=1 - layer.momentum,
    )
    layer.moving_mean.assign(mean)
    layer.moving_variance.assign(variance)
    return outputs
