"""A multilayer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.language import Announce, Backbone, setting
from regzoo.language.lazy import keras


@dataclass(frozen=True)
class Mlp(Backbone):
    """Dense layers, each with its nonlinearity; images are flattened.

    Slots: ``input`` (1), ``preactivation`` and ``activation`` (one of each per layer).

    Args:
        widths: units of the hidden layers, first to last, each in [1, inf).
        activation: the nonlinearity.

    >>> from regzoo.backbones import Mlp
    >>> print(Mlp(widths=(64, 64)))
    mlp([64, 64])
    """

    widths: tuple[int, ...] = setting((256, 256), domain="[1, inf)")
    activation: str = setting("relu", options=("relu", "gelu", "silu", "tanh", "elu", "selu"))

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map x (batch, ...) to features (batch, widths[-1])."""
        if len(x.shape) > 2:
            x = keras.layers.Flatten(name="flatten")(x)  # (batch, inputs)
        x = slot("input", x)
        for index, width in enumerate(self.widths):
            x = keras.layers.Dense(width, kernel_initializer=self._initializer(), name=f"dense_{index}")(x)
            x = slot("preactivation", x)
            x = keras.layers.Activation(self.activation, name=f"activation_{index}")(x)
            x = slot("activation", x)  # (batch, width)
        return x

    def _initializer(self) -> str:
        return "lecun_normal" if self.activation == "selu" else "glorot_uniform"
