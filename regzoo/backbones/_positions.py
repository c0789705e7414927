"""Layer that adds a learned vector to each token for its position."""

from __future__ import annotations

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
