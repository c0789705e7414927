"""Layers for regularizers that are one function of the activations. Imported only when a model is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class InTraining(keras.Layer):
    """Apply ``perturb(h, seed)`` in training; at inference it is the identity and leaves no operation.

    Args:
        perturb: returns a tensor of the shape of ``h``, drawing from the stream ``seed``.
        seed: the slot's seed.
    """

    def __init__(self, perturb: Callable[[Any, keras.random.SeedGenerator], Any], seed: int) -> None:
        super().__init__()
        self.perturb = perturb
        self.generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Perturb while training."""
        return self.perturb(inputs, self.generator) if training else inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape it was given."""
        return input_shape
