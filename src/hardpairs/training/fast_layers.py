"""Two operations of Keras' layers, exchanged for faster ones while training under TensorFlow.

The layers stay Keras' own: nothing of this is saved with a net, and whoever loads one needs
nothing of it. Values differ from Keras' by rounding only.
"""

from functools import partial
from typing import Any

from hardpairs.training.backend import keras


def with_fast_operations(net: keras.Model) -> keras.Model:
    """Exchange the operations of a net's layers of stride 1, in place, and return the net.

    A kernel's gradient is a sum over positions, of which small images have few: one matrix
    product per place in the kernel takes a quarter to two thirds of the time that oneDNN's own
    operation does. Batch norm is one operation in the precision of its input, where Keras casts
    to float32 and back and takes about ten.
    """
    if keras.backend.backend() == "tensorflow":
        for layer in net.layers:
            # Of a single channel in, the products would have one row.
            if isinstance(layer, keras.layers.Conv2D) and layer.kernel.shape[2] > 1:
                layer.convolution_op = _convolution(layer.padding)
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.call = partial(_normalise, layer)
    return net


def _convolution(padding: str) -> Any:
    import tensorflow as tf

    @tf.custom_gradient
    def convolve(images: Any, kernel: Any) -> Any:
        height, width, channels, filters = kernel.shape

        def gradients(upstream: Any) -> tuple[Any, Any]:
            of_images = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images),
                filter=kernel,
                out_backprop=upstream,
                strides=[1, 1, 1, 1],
                padding=padding.upper(),
            )
            margins = [[0, 0], [height // 2] * 2, [width // 2] * 2, [0, 0]]
            padded = tf.pad(images, margins) if padding == "same" else images
            rows, columns = upstream.shape[1:3]
            upstream = tf.reshape(upstream, (-1, filters))
            of_kernel = []
            for down in range(height):
                for right in range(width):
                    seen = padded[:, down : down + rows, right : right + columns]
                    seen = tf.reshape(seen, (-1, channels))
                    of_kernel.append(tf.matmul(seen, upstream, transpose_a=True))
            return of_images, tf.reshape(tf.stack(of_kernel), kernel.shape)

        return tf.nn.conv2d(images, kernel, 1, padding.upper()), gradients

    return lambda images, kernel: convolve(images, tf.convert_to_tensor(kernel))


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
    )
    for average, value in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        average.assign(average.value * layer.momentum + value * (1 - layer.momentum))
    return outputs
