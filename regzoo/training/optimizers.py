"""Optimizers: Keras's own, each with TensorFlow's one kernel for a weight in place of a dozen operations on it.

A Keras optimizer passes over a weight, its gradient and its moments once for every operation of its formula; a
fused kernel passes over them once. The formula is Keras's, so results agree with its own to rounding. Where a kernel
does not apply (sparse gradients, other precisions, amsgrad, centered, several devices) Keras's own update is taken.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from regzoo.training.setup import OPTIMIZERS

Pairs = Iterable[tuple[Any, keras.Variable]]
"""Gradients and the variables that they belong to."""


def make_optimizer(name: str, learning_rate: float = 1e-3) -> keras.optimizers.Optimizer:
    """Keras's optimizer called ``name``, with fused kernels; sgd has momentum 0.9."""
    options = {"momentum": 0.9} if name == "sgd" else {}
    kinds = {"adam": FusedAdam, "sgd": FusedSGD, "rmsprop": FusedRMSprop}
    assert set(kinds) == set(OPTIMIZERS)
    return kinds[name](learning_rate=learning_rate, name=name, **options)


class _Fused(keras.optimizers.Optimizer, ABC):
    """The choice between the kernel and Keras's own update."""

    @abstractmethod
    def _has_kernel(self) -> bool:
        """True if the kernel computes what these options ask for."""

    @abstractmethod
    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        """Update each variable, and what the optimizer keeps for it, in place."""

    def _backend_update_step(
        self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable], learning_rate: Any
    ) -> None:
        """Keras's hook: one step, from gradients that have been clipped."""
        pairs = list(zip(grads, trainable_variables, strict=True))
        plain = all(isinstance(g, tf.Tensor) and g.dtype == tf.float32 == tf.as_dtype(v.dtype) for g, v in pairs)
        if plain and self._has_kernel() and not tf.distribute.has_strategy():
            self._run_kernels(pairs, tf.convert_to_tensor(learning_rate, tf.float32))
        else:
            super()._backend_update_step(grads, trainable_variables, learning_rate)


@keras.saving.register_keras_serializable("regzoo")
class FusedAdam(_Fused, keras.optimizers.Adam):
    """Keras's Adam, one kernel a weight.

    Formula, in step t: m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v);
    w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon).

    The kernel takes 1 - b2 of the float32 nearest to b2 and Keras the float32 nearest to 1 - b2: at 0.999 v differs
    by 1 part in 77,000.

    Reference: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980

    >>> from regzoo.training.optimizers import FusedAdam
    >>> FusedAdam(0.01).get_config()["beta_2"]
    0.999
    """

    def _has_kernel(self) -> bool:
        return not self.amsgrad

    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = [tf.pow(tf.constant(beta, tf.float32), step) for beta in (self.beta_1, self.beta_2)]
        for gradient, variable in pairs:
            index = self._get_variable_index(variable)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=self._momentums[index].handle,
                v=self._velocities[index].handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=learning_rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )


@keras.saving.register_keras_serializable("regzoo")
class FusedSGD(_Fused, keras.optimizers.SGD):
    """Keras's SGD, one kernel a weight.

    Formula: m <- momentum m - lr g; w += m (with nesterov: w += momentum m - lr g). Without momentum: w -= lr g.

    >>> from regzoo.training.optimizers import FusedSGD
    >>> FusedSGD(0.01, momentum=0.9).get_config()["momentum"]
    0.9
    """

    def _has_kernel(self) -> bool:
        return True

    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        for gradient, variable in pairs:
            if not self.momentum:
                tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=learning_rate, delta=gradient)
                continue
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=self.momentums[self._get_variable_index(variable)].handle,
                lr=learning_rate,
                grad=gradient,
                momentum=self.momentum,
                use_nesterov=self.nesterov,
            )


@keras.saving.register_keras_serializable("regzoo")
class FusedRMSprop(_Fused, keras.optimizers.RMSprop):
    """Keras's RMSprop, one kernel a weight.

    Formula: v <- rho v + (1 - rho) g^2; m <- momentum m + lr g / sqrt(v + epsilon); w -= m.

    Reference: Hinton 2012, http://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf

    >>> from regzoo.training.optimizers import FusedRMSprop
    >>> FusedRMSprop(0.01).get_config()["rho"]
    0.9
    """

    def build(self, var_list: Sequence[keras.Variable]) -> None:
        """Make the optimizer's variables, and where there is no momentum the room that the kernel wants for it."""
        if self.built:
            return
        super().build(var_list)
        room = [] if self.momentum else [tf.Variable(tf.zeros(v.shape), trainable=False) for v in var_list]
        self._room: Callable[[], list[Any]] = lambda: room  # a function: Keras would track a list as its own

    def _has_kernel(self) -> bool:
        return not self.centered

    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        for gradient, variable in pairs:
            index = self._get_variable_index(variable)
            if self.momentum:
                momentum = self._momentums[index]
            else:
                momentum = self._room()[index]
                momentum.assign(tf.zeros_like(momentum))  # of a run that diverged, NaN would stay: 0 times NaN is NaN
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle,
                ms=self._velocities[index].handle,
                mom=momentum.handle,
                lr=learning_rate,
                rho=self.rho,
                momentum=self.momentum,
                epsilon=self.epsilon,
                grad=gradient,
            )
