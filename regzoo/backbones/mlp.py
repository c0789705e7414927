"""Multilayer perceptron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import flatten_inputs
from regzoo.backbones._initializers import choose_kernel_initializer
from regzoo.core import Announce, Backbone, InputError, setting
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Mlp(Backbone):
    """Dense layers with a nonlinearity each; images are flattened.

    Images of 64 x 64 pixels and more are first averaged to about 32 x 32: a dense layer on every pixel of a photograph
    would have tens of millions of weights.

    Slots: ``input`` (1), ``preactivation`` and ``activation`` (one of each per layer), and ``branch`` (one per
    residual layer, before the addition).

    Args:
        widths: number of units of the hidden layers, first to last, each in [1, inf).
        activation: nonlinearity of each layer.
        residual: True to add each layer to the previous one if both have the same width: x + act(dense(x)).

    Raises:
        InputError: if ``residual`` is true and no layer has the width of the previous one.

    >>> from regzoo.backbones import Mlp
    >>> print(Mlp(widths=(64, 64)))
    mlp([64, 64])
    """

    widths: tuple[int, ...] = setting((256, 256), domain="[1, inf)")
    activation: str = setting("relu", options=("relu", "gelu", "silu", "tanh", "elu", "selu"))
    residual: bool = setting(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.residual and not any(self._is_residual(index) for index in range(len(self.widths))):
            raise InputError(
                "mlp: residual needs a layer that is as wide as the one before it, "
                f"received widths={list(self.widths)}; for example use [64, 64]"
            )

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map x (batch, ...) to features (batch, widths[-1])."""
        x = slot("input", flatten_inputs(x))  # (batch, inputs)
        kernel = choose_kernel_initializer(self.activation)
        for index, width in enumerate(self.widths):
            h = keras.layers.Dense(width, kernel_initializer=kernel, name=f"dense_{index}")(x)
            h = slot("preactivation", h)
            h = keras.layers.Activation(self.activation, name=f"activation_{index}")(h)
            h = slot("activation", h)  # (batch, width)
            x = keras.layers.Add(name=f"add_{index}")([x, slot("branch", h)]) if self._is_residual(index) else h
        return x

    def _is_residual(self, index: int) -> bool:
        return self.residual and index > 0 and self.widths[index] == self.widths[index - 1]
