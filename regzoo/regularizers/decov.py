"""DeCov: units that say different things."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers


@dataclass(frozen=True)
class Decov(OnActivations):
    """Add the covariances between the units of a layer to the training loss, which makes them less redundant.

    Formula: L + strength (norm(C)^2 - norm(diag C)^2) / 2 for each hidden layer, C = covariance of its units over the
    batch (divided by its size), norm the root of the sum of squares.

    Sums over all pairs of units, so the penalty grows with the square of the width, and with the fourth power of the
    activations' scale. Small batches measure C badly. The paper acts on dense layers; here convolutions and sequences
    are penalized too, their channels being the units and each position a sample.

    Cost: beside the pass a product of each layer's activations with themselves: for dense layers of equal width about
    as much as the pass again, for convolutions far less.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Cogswell et al. 2016 [cogswell2016], https://arxiv.org/abs/1511.06068

    >>> from regzoo.regularizers import Decov
    >>> print(Decov(0.01))
    decov(0.01)
    """

    strength: Strength = strength(Float(1e-4, 1.0), neutral=0.0, domain="[0, inf)", log=True)

    def layer(self, slot: Slot) -> keras.Layer | None:
        """A penalty after each activation."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor) -> Tensor:
        """What activations ``h`` (batch, ..., units) cost."""
        units = h.shape[-1]
        samples = keras.ops.reshape(h, (-1, units))
        centred = samples - keras.ops.mean(samples, axis=0)
        size = keras.ops.cast(keras.ops.shape(samples)[0], h.dtype)
        covariance = keras.ops.matmul(keras.ops.transpose(centred), centred) / size  # (units, units)
        between = covariance * (1.0 - keras.ops.eye(units, dtype=h.dtype))
        return self.strength * keras.ops.sum(keras.ops.square(between)) / 2.0
