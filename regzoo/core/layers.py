"""Layers for regularizers that are one function of the activations. Imported only when a model is built."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras

_stochastic = False


@contextlib.contextmanager
def stochastic() -> Iterator[None]:
    """Let `InTraining` layers act at inference too, while the block runs: Monte Carlo dropout."""
    global _stochastic
    before, _stochastic = _stochastic, True
    try:
        yield
    finally:
        _stochastic = before


class InTraining(keras.Layer):
    """Apply ``perturb(h, seed)`` in training; at inference it is the identity and leaves no operation.

    Args:
        perturb: returns a tensor of the shape of ``h``, drawing from the stream ``seed``.
        seed: the slot's seed.
        inference: what to do at inference instead of nothing: returns a tensor of the shape of ``h``.
    """

    def __init__(
        self,
        perturb: Callable[[Any, keras.random.SeedGenerator], Any],
        seed: int,
        inference: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__()
        self.perturb = perturb
        self.inference = inference
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Perturb while training."""
        if training or _stochastic:
            return self.perturb(inputs, self.generator)
        return inputs if self.inference is None else self.inference(inputs)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape it was given."""
        return input_shape


class Penalized(keras.Layer):
    """Pass activations on, and add ``penalty(h)`` to the training loss.

    Args:
        penalty: returns a scalar tensor for activations h (batch, ...).
    """

    def __init__(self, penalty: Callable[[Any], Any]) -> None:
        super().__init__()
        self.penalty = penalty
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Add the penalty while training."""
        if training:
            self.add_loss(self.penalty(inputs))
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape it was given."""
        return input_shape
