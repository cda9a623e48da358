"""Optimizers and schedules that Keras doesn't have as needed here."""

import math
from typing import Any

from hardpairs.training.backend import keras

ops = keras.ops
NEWTON_SCHULZ_STEPS = 3  # 5 is usual; fewer are cheaper and enough for such small matrices.


@keras.saving.register_keras_serializable(package="hardpairs")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to the peak, then linear decay to 0 (Smith, Topin, arXiv:1708.07120)."""

    def __init__(self, peak: float, steps: int, warm_up_share: float) -> None:
        self.peak, self.steps, self.warm_up_share = peak, steps, warm_up_share

    def __call__(self, step: Any) -> Any:
        """Return the rate of a step, counted from 0."""
        done = ops.cast(step + 1, "float32") / (self.steps + 1)
        rising = done / self.warm_up_share
        falling = ops.maximum(1 - done, 0) / (1 - self.warm_up_share)
        return self.peak * ops.minimum(rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` takes, as Keras saves it."""
        return {"peak": self.peak, "steps": self.steps, "warm_up_share": self.warm_up_share}


@keras.saving.register_keras_serializable(package="hardpairs")
class ConvolutionMuon(keras.optimizers.Muon):
    """Muon (Jordan et al. 2024) for the kernels of convolutions, AdamW for everything else.

    Keras' Muon leaves kernels of more than two dimensions to AdamW; here they are flattened to
    (height x width x channels in, channels out), as in cifar10-airbench. The update's size
    follows Moonlight (arXiv:2502.16982). A first convolution on gray images has one channel in,
    too few rows to orthogonalise, and stays with AdamW.
    """

    def _should_use_adamw(self, variable: Any) -> bool:
        return len(variable.shape) != 4 or variable.shape[2] == 1

    def _muon_update_step(self, gradient: Any, variable: Any, lr: Any, m: Any) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * m)
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        orthogonal = self.zeropower_via_newtonschulz5(ops.cast(matrix, "bfloat16"), self.ns_steps)
        scale = self.rms_rate * math.sqrt(max(matrix.shape))
        update = ops.reshape(ops.cast(orthogonal, "float32"), variable.shape)
        self.assign_sub(variable, lr * scale * update)

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        """Return a matrix (M, N) with its singular values brought close to 1.

        The same iteration as Keras', whose every step multiplies the matrix by a polynomial of its
        own smaller square, X X' or X'X. Here those polynomials are multiplied with each other, all
        of them small, and the matrix by their product once: half of the time.
        """
        x = x / (ops.norm(x) + 1e-7)
        tall = x.shape[0] > x.shape[1]
        across = ops.transpose(x)
        square = across @ x if tall else x @ across
        polynomial = None
        for step in range(steps):
            next_one = self._polynomial(square)
            polynomial = next_one if polynomial is None else next_one @ polynomial
            if step < steps - 1:
                square = next_one @ square @ next_one
        return x @ polynomial if tall else polynomial @ x

    def _polynomial(self, square: Any) -> Any:
        """Return a I + b S + c S S of a symmetric matrix S."""
        identity = ops.eye(square.shape[0], dtype=square.dtype)
        return self.muon_a * identity + self.muon_b * square + self.muon_c * (square @ square)


def convolution_muon(
    rate: Any, *, weight_decay: float = 0.0, momentum: float = 0.95, adam_share: float = 0.2
) -> ConvolutionMuon:
    """Return a `ConvolutionMuon`; arguments as in `hardpairs.training.recipes.Recipe`."""
    return ConvolutionMuon(
        rate,
        weight_decay=weight_decay,
        momentum=momentum,
        adam_weight_decay=weight_decay,
        adam_beta_2=0.99,
        adam_lr_ratio=adam_share,
        ns_steps=NEWTON_SCHULZ_STEPS,
    )
