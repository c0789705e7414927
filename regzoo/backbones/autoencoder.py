"""Autoencoder of dense layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import flatten_inputs
from regzoo.backbones._initializers import choose_kernel_initializer
from regzoo.core import Announce, Backbone, setting
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Autoencoder(Backbone):
    """Dense layers that compress the inputs to a short code and expand it again; the head reconstructs the inputs.

    Each layer has a nonlinearity, the code included. Images are flattened; those of 64 x 64 pixels and more are first
    averaged to about 32 x 32. The whole image is reconstructed. The decoder mirrors the encoder. In other tasks it
    is a network with a bottleneck.

    Slots: ``input`` (1), ``preactivation`` and ``activation`` (one of each per layer), ``code`` (1, after the code's
    nonlinearity).

    Args:
        widths: number of units of the encoder's layers, first to last, each in [1, inf).
        code: number of units of the code, in [1, inf).
        activation: nonlinearity of each layer.

    Reference: Hinton and Salakhutdinov 2006 [hinton2006], https://doi.org/10.1126/science.1127647

    >>> from regzoo.backbones import Autoencoder
    >>> print(Autoencoder(widths=(64, 32), code=8))
    autoencoder(widths=[64, 32], code=8)
    """

    widths: tuple[int, ...] = setting((128,), domain="[1, inf)")
    code: int = setting(32, domain="[1, inf)")
    activation: str = setting("relu", options=("relu", "gelu", "silu", "tanh", "elu", "selu", "sigmoid"))

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map x (batch, ...) to the decoder's last layer (batch, widths[0])."""
        x = slot("input", flatten_inputs(x))  # (batch, inputs)
        for index, width in enumerate(self.widths):
            x = self._add_dense(x, width, f"encode_{index}", slot)
        x = slot("code", self._add_dense(x, self.code, "code", slot))  # (batch, code)
        for index, width in reversed(list(enumerate(self.widths))):
            x = self._add_dense(x, width, f"decode_{index}", slot)
        return x

    def _add_dense(self, x: Any, width: int, name: str, slot: Announce) -> Any:
        kernel = choose_kernel_initializer(self.activation)
        x = slot("preactivation", keras.layers.Dense(width, kernel_initializer=kernel, name=name)(x))
        return slot("activation", keras.layers.Activation(self.activation, name=f"{name}_{self.activation}")(x))
