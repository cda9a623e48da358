"""Floating-point operations of a training, counted from the layers, and the machine's own rate.

Multiplications and additions of convolutions and dense layers; the rest is noise beside them.
"""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np


def keras_layers(model: Any) -> list[tuple[int, bool]]:
    """Return each layer's operations forward for one image, and whether it is trained."""
    layers = []
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            products = int(np.prod(kernel.shape[:-1])) * int(np.prod(layer.output.shape[1:]))
            layers.append((2 * products, layer.trainable))
    return layers


def training_operations(layers: Iterable[tuple[int, bool]]) -> int:
    """Operations for one image in training: forward, the kernels' gradients and the inputs'.

    Each of the three costs a layer the same. A fixed layer needs no gradient of its kernel, and
    a layer with nothing trained before it none of its input.
    """
    operations, trained_before = 0, False
    for forward, trained in layers:
        operations += forward * (1 + trained + trained_before)
        trained_before = trained_before or trained
    return operations


def bf16_gflops() -> float:
    """Best rate of a 2048 x 2048 bf16 matrix product in TensorFlow on this machine."""
    import tensorflow as tf

    size = 2048
    matrix = tf.cast(tf.random.normal((size, size)), tf.bfloat16)
    multiply = tf.function(lambda: tf.linalg.matmul(matrix, matrix))
    multiply()
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        multiply().numpy()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9
