"""Keras layers for regularizers that are one function of the activations.

Imported only when a model is built, through `regzoo.core.lazy`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

_noise_at_inference = False


@contextlib.contextmanager
def noise_at_inference(own: Iterable[keras.Layer] = ()) -> Iterator[None]:
    """Make `InTraining` layers act at inference too, within the block; Monte Carlo dropout needs it.

    Args:
        own: layers of the user's that draw in training; they act as in training.
    """
    global _noise_at_inference
    before, _noise_at_inference = _noise_at_inference, True
    layers = list(own)
    for layer in layers:
        object.__setattr__(layer, "call", functools.partial(_call_in_training, layer.call))  # past Keras's tracking
    try:
        yield
    finally:
        _noise_at_inference = before
        for layer in layers:
            object.__delattr__(layer, "call")


def _call_in_training(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a layer's ``call`` returns in training, also if it is called for inference."""
    given = inspect.signature(call).bind(*args, **kwargs)
    given.arguments["training"] = True
    return call(*given.args, **given.kwargs)


@contextlib.contextmanager
def floatx_of(layer: keras.Layer | None = None) -> Iterator[None]:
    """Make Keras's floatx the dtype of the variables of ``layer`` while the block runs.

    Strengths, random numbers and the formulas of regularizers are of the dtype of floatx, which a dtype policy alone
    does not change: after ``keras.config.set_dtype_policy("float64")`` it is still float32.

    Args:
        layer: a layer or model; None for one that is made now.
    """
    before = keras.config.floatx()
    keras.config.set_floatx((keras.config.dtype_policy() if layer is None else layer).variable_dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def to_floatx(values: Any) -> Any:
    """Return a tensor in the type of weights and strengths; in mixed precision, activations have another one."""
    return keras.ops.cast(values, keras.config.floatx())


class InTraining(keras.Layer):
    """Apply ``perturb(h, seed)`` in training; at inference it is the identity and leaves no operation.

    Under a mixed policy h is float32, as the strengths are, and the result is cast back.

    Args:
        perturb: returns a tensor of the shape of h (batch, ...), using random numbers of the stream ``seed``.
        seed: the slot's seed.
        inference: applied at inference in place of the identity; returns a tensor of the shape of h.
    """

    def __init__(
        self,
        perturb: Callable[[Any, keras.random.SeedGenerator], Any],
        seed: int,
        inference: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(autocast=False)
        self.perturb = perturb
        self.inference = inference
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the perturbed inputs in training, else the inputs."""
        noisy = training or _noise_at_inference
        if self.inference is None and not noisy:
            return inputs
        with floatx_of(self):
            h = to_floatx(inputs)
            changed = self.inference(h) if self.inference and not noisy else self.perturb(h, self.generator)
            return keras.ops.cast(changed, inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape


class Penalized(keras.Layer):
    """Return the activations unchanged and add ``penalty(h)`` to the training loss.

    Args:
        penalty: returns a scalar tensor for activations h (batch, ...). If it takes ``mask``, this says where h is no
            padding: true or false, of the shape of h without its last axis, or None if there is none.
    """

    def __init__(self, penalty: Callable[..., Any]) -> None:
        super().__init__(autocast=False)
        self.penalty = penalty
        self._takes_mask = "mask" in inspect.signature(penalty).parameters
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Return the inputs; add the penalty in training. Keras fills in the ``mask`` of the inputs."""
        if training:
            given = {"mask": mask} if self._takes_mask else {}
            with floatx_of(self):
                self.add_loss(self.penalty(to_floatx(inputs), **given))
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape
