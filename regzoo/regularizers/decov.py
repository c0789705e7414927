"""DeCov: penalty on the covariances of hidden units."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_free_scale
from regzoo.regularizers._padding import average_present, count_present, weigh_present


@dataclass(frozen=True)
class Decov(OnActivations):
    """Make the units of a layer less redundant by adding their squared covariances to the training loss.

    Formula: L + strength (norm(C)^2 - norm(diag C)^2) / 2 for each hidden layer, C the covariance of its units over the
    batch (divided by its size), norm the root of the sum of squares.

    Sums over all pairs of units, so the penalty grows with the square of the width, and with the fourth power of the
    activations' scale. Small batches estimate C badly. The paper acts on dense layers; here convolutions and sequences
    are penalized too, with channels as units and each position as a sample.

    Cost: in addition to the pass, a product of each layer's activations with themselves: for dense layers of equal
    width about as much as the pass again, for convolutions far less.

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
        """Return a penalty layer for each activation slot."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the penalty of activations ``h`` (batch, ..., units), a scalar; without padding (``mask`` false)."""
        units = h.shape[-1]
        samples = keras.ops.reshape(h, (-1, units))
        present = None if mask is None else keras.ops.reshape(mask, (-1,))
        centered = weigh_present(samples - average_present(samples, present), present)
        size = count_present(samples, present)
        covariance = keras.ops.matmul(keras.ops.transpose(centered), centered) / size  # (units, units)
        between = covariance * (1.0 - keras.ops.eye(units, dtype=h.dtype))
        return self.strength * keras.ops.sum(keras.ops.square(between)) / 2.0

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about a normalization, which undoes the scale of activations."""
        return warn_free_scale(self, other)
