"""Layers of tokens: a learned vector for each position, and the mask of those that are no padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable("regzoo")
class PositionEmbedding(keras.Layer):
    """Add a vector of its own to each position of (batch, steps, width).

    Args:
        stddev: standard deviation of the normal distribution that the vectors start from.
        **options: those of `keras.Layer`, such as the name.
    """

    def __init__(self, stddev: float = 0.02, **options: Any) -> None:
        super().__init__(**options)
        self.stddev = stddev
        self.position_initializer = keras.initializers.RandomNormal(stddev=stddev)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the vectors (steps, width)."""
        self.position = self.add_weight(input_shape[1:], self.position_initializer, name="position")

    def call(self, inputs: Any) -> Any:
        """Return the tokens with their positions added."""
        return inputs + self.position

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "stddev": self.stddev}


@keras.saving.register_keras_serializable("regzoo")
class Masked(keras.Layer):
    """Return the first of two inputs, with the second as its Keras mask, which the layers behind it get."""

    def call(self, inputs: Sequence[Any]) -> Any:
        """Return the tokens (batch, steps, width) of ``inputs``, as they are."""
        return inputs[0]

    def compute_mask(self, inputs: Sequence[Any], previous_mask: Any = None) -> Any:
        """Return the mask (batch, steps) of ``inputs``."""
        return inputs[1]

    def compute_output_shape(self, input_shape: Sequence[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """Return the shape of the tokens."""
        return input_shape[0]


def attach_mask(tokens: Any, mask: Any, name: str) -> Any:
    """Return ``tokens`` (batch, steps, width) with ``mask`` (batch, steps): true where there is no padding.

    Normalizations and penalties that regularizers insert leave padding out.
    """
    return Masked(name=name)([tokens, mask])
