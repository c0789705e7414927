"""Optimizers by name; Keras's Adam, AdamW, SGD and RMSprop have one fused TensorFlow kernel per weight.

A Keras optimizer passes over a weight, its gradient and its moments once for every operation of its formula; a
fused kernel passes over them once. The formula is Keras's, so results agree with Keras's to rounding. Where a kernel
does not apply (sparse gradients, other precisions, amsgrad, centered, several devices) Keras's own update runs.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from regzoo.core._keras_compat import UpdateHook, get_handle, get_index, get_momentums, get_velocities
from regzoo.training.keras_text import make_object
from regzoo.training.optimizer_names import read_optimizer

Pairs = Sequence[tuple[Any, keras.Variable]]
"""Gradients and their variables."""


def make_optimizer(
    optimizer: str | Mapping[str, Any] | keras.optimizers.Optimizer, learning_rate: float = 1e-3
) -> keras.optimizers.Optimizer:
    """Return a new optimizer, with fused kernels where there are any.

    Args:
        optimizer: its text, such as ``sgd(momentum=0.95)``; or an optimizer, whose settings are taken and whose state
            is not; or the config of one, as `keras.optimizers.serialize` returns it.
        learning_rate: its learning rate; that of ``optimizer``, a schedule included, is not used.

    Raises:
        InputError: if there is no such optimizer, or Keras refuses its arguments.
    """
    if isinstance(optimizer, str):
        text = read_optimizer(optimizer)
        fused = _FUSED[text.name][1] if text.name in _FUSED else None
        return make_object(keras.optimizers, text, fused, learning_rate=learning_rate, name=text.name)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = keras.optimizers.serialize(optimizer)
    made = keras.optimizers.deserialize(_set_learning_rate(copy.deepcopy(dict(optimizer)), learning_rate))
    fused = next((ours for kind, ours in _FUSED.values() if type(made) is kind), None)
    return made if fused is None else fused.from_config(made.get_config())


def _set_learning_rate(config: dict[str, Any], learning_rate: float) -> dict[str, Any]:
    """Return the config of an optimizer, and of those that it wraps, with another learning rate."""
    arguments = config["config"]
    if "inner_optimizer" in arguments:
        arguments["inner_optimizer"] = _set_learning_rate(arguments["inner_optimizer"], learning_rate)
    elif "learning_rate" in arguments:
        arguments["learning_rate"] = learning_rate
    return config


class FusedOptimizer(UpdateHook, ABC):
    """Runs the fused kernel where it applies, and Keras's own update elsewhere.

    Its variables start at zero, whatever the weights.
    """

    @abstractmethod
    def _has_kernel(self) -> bool:
        """Return True if the kernel computes the optimizer's formula with its options."""

    @abstractmethod
    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        """Update each variable, and the optimizer's own variables for it, in place."""

    def replace_update(self, pairs: Pairs, learning_rate: Any) -> bool:
        """Run the kernels if they apply to all of ``pairs``; return True if they did."""
        plain = all(isinstance(g, tf.Tensor) and g.dtype == tf.float32 == tf.as_dtype(v.dtype) for g, v in pairs)
        if not plain or not self._has_kernel() or tf.distribute.has_strategy():
            return False
        self._run_kernels(pairs, tf.convert_to_tensor(learning_rate, tf.float32))
        return True


@keras.saving.register_keras_serializable("regzoo")
class FusedAdam(FusedOptimizer, keras.optimizers.Adam):
    """Keras's Adam, one kernel per weight.

    Formula, in step t: m += (1 - b1) (g - m); v += (1 - b2) (g^2 - v);
    w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon).

    The kernel uses 1 - b2 with b2 rounded to float32, Keras uses 1 - b2 rounded to float32: at 0.999, v differs by 1
    part in 77,000.

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
            index = get_index(self, variable)
            tf.raw_ops.ResourceApplyAdam(
                var=get_handle(variable),
                m=get_handle(get_momentums(self)[index]),
                v=get_handle(get_velocities(self)[index]),
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=learning_rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )


@keras.saving.register_keras_serializable("regzoo")
class FusedAdamW(FusedAdam, keras.optimizers.AdamW):
    """Keras's AdamW: Adam's kernel after Keras's own decay, w -= lr weight_decay w.

    Reference: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101

    >>> from regzoo.training.optimizers import FusedAdamW
    >>> FusedAdamW(0.01).get_config()["weight_decay"]
    0.004
    """


@keras.saving.register_keras_serializable("regzoo")
class FusedSGD(FusedOptimizer, keras.optimizers.SGD):
    """Keras's SGD, one kernel per weight.

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
                tf.raw_ops.ResourceApplyGradientDescent(var=get_handle(variable), alpha=learning_rate, delta=gradient)
                continue
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=get_handle(variable),
                accum=get_handle(self.momentums[get_index(self, variable)]),
                lr=learning_rate,
                grad=gradient,
                momentum=self.momentum,
                use_nesterov=self.nesterov,
            )


@keras.saving.register_keras_serializable("regzoo")
class FusedRMSprop(FusedOptimizer, keras.optimizers.RMSprop):
    """Keras's RMSprop, one kernel per weight.

    Formula: v <- rho v + (1 - rho) g^2; m <- momentum m + lr g / sqrt(v + epsilon); w -= m.

    Reference: Hinton 2012, http://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf

    >>> from regzoo.training.optimizers import FusedRMSprop
    >>> FusedRMSprop(0.01).get_config()["rho"]
    0.9
    """

    def build(self, var_list: Sequence[keras.Variable]) -> None:
        """Make the optimizer's variables, and without momentum the buffers that the kernel requires for it."""
        if self.built:
            return
        super().build(var_list)
        buffers = [] if self.momentum else [tf.Variable(tf.zeros(v.shape), trainable=False) for v in var_list]
        self._buffers: Callable[[], list[Any]] = lambda: buffers  # a function: Keras would track a list as its own

    def _has_kernel(self) -> bool:
        return not self.centered

    def _run_kernels(self, pairs: Pairs, learning_rate: Any) -> None:
        for gradient, variable in pairs:
            index = get_index(self, variable)
            if self.momentum:
                momentum = get_momentums(self)[index]
            else:
                momentum = self._buffers()[index]
                momentum.assign(tf.zeros_like(momentum))  # NaN of a diverged run would stay: 0 times NaN is NaN
            tf.raw_ops.ResourceApplyRMSProp(
                var=get_handle(variable),
                ms=get_handle(get_velocities(self)[index]),
                mom=get_handle(momentum),
                lr=learning_rate,
                rho=self.rho,
                momentum=self.momentum,
                epsilon=self.epsilon,
                grad=gradient,
            )


_FUSED = {
    "adam": (keras.optimizers.Adam, FusedAdam),
    "adamw": (keras.optimizers.AdamW, FusedAdamW),
    "sgd": (keras.optimizers.SGD, FusedSGD),
    "rmsprop": (keras.optimizers.RMSprop, FusedRMSprop),
}
"""By name: the class of Keras, and ours."""
