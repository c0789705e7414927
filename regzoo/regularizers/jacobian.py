"""Jacobian regularization: penalty on the derivatives of the logits with respect to the inputs."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Forward, OnForward, Strength, Tensor, strength
from regzoo.core.batch_inputs import list_floats, select_numbers
from regzoo.core.lazy import keras, tf


@dataclass(frozen=True)
class Jacobian(OnForward):
    """Make predictions change less when the inputs change a little, by a penalty on their derivatives.

    Formula: L + strength / 2 |J|^2, J = dlogits/dx of each example, |J| its Frobenius norm, estimated without
    bias by one random direction: |J|^2 ~ size |v J|^2, v uniform on the unit sphere, one for each example. J belongs to
    the model in training, with its noise.

    Numbers alone count. Categories and booleans, columns of 0 and 1, do not change a little, and neither do numbers
    that are missing.

    Inputs are standardized, so |J| is in logits per standard deviation. Helps against noise and small shifts
    of the inputs.

    Cost: the derivative of a derivative; an activation that is not piecewise linear adds its second derivative.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative; when the model is built, if its inputs are categories and booleans
            alone.

    Reference: Hoffman et al. 2019 [hoffman2019], https://arxiv.org/abs/1908.02729

    >>> from regzoo.regularizers import Jacobian
    >>> print(Jacobian(0.01))
    jacobian(0.01)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"numbers"})
    cost: ClassVar[float] = 2.0

    strength: Strength = strength(Float(1e-3, 1.0), neutral=0.0, domain="[0, inf)", log=True)

    def forward(self, run: Forward, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return the logits (batch, size), and the loss with the penalty (batch,), of all inputs of floats."""
        x = keras.tree.map_structure(tf.convert_to_tensor, x)
        floats = list_floats(x)
        with tf.GradientTape() as tape:
            tape.watch(floats)
            logits, per_example = run(x, y)
            direction = keras.ops.normalize(keras.random.normal(keras.ops.shape(logits), seed=seed))
            projected = keras.ops.sum(logits * direction, axis=-1)  # (batch,)
        gradients = tape.gradient(projected, floats, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        norms = [logits.shape[-1] * sum_squares(each) for each in select_numbers(gradients, x, run.cells)]
        return logits, per_example + self.strength / 2.0 * functools.reduce(operator.add, norms)


def sum_squares(gradient: Tensor) -> Tensor:
    """Return the sum of squares of v J (batch, ...) of each example, (batch,)."""
    rows = keras.ops.reshape(gradient, (keras.ops.shape(gradient)[0], -1))  # (batch, inputs)
    return keras.ops.sum(keras.ops.square(rows), axis=-1)
