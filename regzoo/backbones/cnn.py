"""Convolutional network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import LARGE, get_smaller_side
from regzoo.backbones._initializers import choose_kernel_initializer
from regzoo.core import Announce, Backbone, InputError, setting
from regzoo.core.lazy import keras

MAX_FLATTENED = 7
"""Feature maps up to this height or width are flattened: those of 28 x 28 digits after two blocks."""


@dataclass(frozen=True)
class Cnn(Backbone):
    """Blocks of 3 x 3 convolutions with pooling, then a dense layer.

    Each block has one convolution and halves height and width, as long as both are at least 4. For images from 64
    pixels on, the first convolution has stride 2, and pooling divides a map of that size by 4. A final map larger than
    7 x 7 is averaged, since the dense layer would otherwise have millions of weights; a smaller one is flattened. For
    photographs use more blocks, such as ``cnn([32, 64, 128, 128])``, which reduces 224 pixels to 3.

    Slots: ``input`` (1), ``preactivation`` and ``activation`` (one of each per convolution and for the dense layer).

    Args:
        filters: number of filters of the blocks, first to last, each in [1, inf).
        dense: number of units of the last hidden layer, in [1, inf).
        activation: nonlinearity of each layer.

    Raises:
        InputError: if the inputs are not images (height, width, channels).

    >>> from regzoo.backbones import Cnn
    >>> print(Cnn(filters=(16, 32)))
    cnn([16, 32])
    """

    filters: tuple[int, ...] = setting((32, 64), domain="[1, inf)")
    dense: int = setting(128, domain="[1, inf)")
    activation: str = setting("relu", options=("relu", "gelu", "silu", "tanh", "elu", "selu"))

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map images x (batch, height, width, channels) to features (batch, dense)."""
        if len(x.shape) != 4:
            raise InputError(
                f"cnn needs images (height, width, channels), received inputs of shape {tuple(x.shape[1:])}; "
                "use mlp for rows; transformer, or a model of your own with Conv1D, for sequences"
            )
        x = slot("input", x)
        kernel = choose_kernel_initializer(self.activation)
        for index, count in enumerate(self.filters):
            stride = 1 if index or get_smaller_side(x) < LARGE else 2
            name = f"conv_{index}"
            x = keras.layers.Conv2D(count, 3, stride, padding="same", kernel_initializer=kernel, name=name)(x)
            x = self._add_activation(x, name, slot)
            if get_smaller_side(x) >= 4:
                x = keras.layers.MaxPooling2D(4 if get_smaller_side(x) >= LARGE else 2, name=f"pool_{index}")(x)
        if get_smaller_side(x) > MAX_FLATTENED:
            x = keras.layers.GlobalAveragePooling2D(name="average")(x)  # (batch, filters[-1])
        else:
            x = keras.layers.Flatten(name="flatten")(x)
        x = keras.layers.Dense(self.dense, kernel_initializer=kernel, name="dense")(x)
        return self._add_activation(x, "dense", slot)

    def _add_activation(self, x: Any, name: str, slot: Announce) -> Any:
        x = slot("preactivation", x)
        x = keras.layers.Activation(self.activation, name=f"{name}_{self.activation}")(x)
        return slot("activation", x)
