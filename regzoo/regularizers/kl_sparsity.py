"""KL sparsity penalty on the mean activation of units."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, setting, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._padding import average_present

LOW, HIGH = 0.001, 0.99
"""Between these the divergence is exact; beyond them it continues along its tangent."""


@dataclass(frozen=True)
class KlSparsity(OnActivations):
    """Pull the mean activation of each unit toward ``rho``, so that units are rarely active.

    Formula: L + beta sum_j [rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j))], r_j = mean |h_j| over the
    batch, and over the positions of images and sequences, whose channels are the units.

    Made for sigmoids, as in ``autoencoder(activation=sigmoid)``, whose mean lies in (0, 1). ReLU and similar
    activations have no upper limit, and dead units have mean 0, where the divergence is infinite. Therefore it
    continues along its tangent below 0.001 and above 0.99, so the gradient stays finite and never vanishes. A ReLU
    network can make activations small and the next weights large instead: add `l2`. For tanh the size counts, not the
    sign. Acts after every activation. Small batches estimate r badly.

    Args:
        beta: weight of the penalty, in [0, inf); 0 does nothing.
        rho: mean activation without a penalty, in (0, 1).

    Raises:
        InputError: if ``beta`` or ``rho`` lies outside its domain.

    Reference: Ng 2011 [ng2011], https://web.stanford.edu/class/cs294a/sparseAutoencoder_2011new.pdf

    >>> from regzoo.regularizers import KlSparsity
    >>> print(KlSparsity(0.01))
    kl_sparsity(0.01)
    """

    beta: Strength = strength(Float(1e-4, 1.0), neutral=0.0, domain="[0, inf)", log=True)
    rho: float = setting(0.05, domain="(0, 1)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a penalty layer for each activation slot."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the penalty of activations ``h`` (batch, ..., units), a scalar; without padding (``mask`` false)."""
        log, rho = keras.ops.log, self.rho
        r = average_present(keras.ops.abs(h), mask)  # (units,)
        near = keras.ops.clip(r, LOW, HIGH)
        divergence = rho * log(rho / near) + (1 - rho) * log((1 - rho) / (1 - near))
        slope = (1 - rho) / (1 - near) - rho / near
        return self.beta * keras.ops.sum(divergence + slope * (r - near))
