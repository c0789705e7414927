"""L1 penalty on hidden activations."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_free_scale
from regzoo.regularizers._padding import weigh_present


@dataclass(frozen=True)
class ActivityL1(OnActivations):
    """Push many activations to zero by adding their absolute values to the training loss.

    Formula: L + strength (mean over the batch of sum |h|), once for each hidden layer.

    Few units are then active for an example. Acts after every activation; after a ReLU it pushes all means down, and
    units may die. The same as Keras's ``ActivityRegularization(l1=strength)``: a sum over the units, so the penalty
    grows with the width, and a mean over the batch.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Glorot et al. 2011 [glorot2011], https://proceedings.mlr.press/v15/glorot11a.html

    >>> from regzoo.regularizers import ActivityL1
    >>> print(ActivityL1(0.0001))
    activity_l1(0.0001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a penalty layer for each activation slot."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the penalty of activations ``h`` (batch, ...), a scalar; padding, where ``mask`` is false, is free."""
        batch = keras.ops.cast(keras.ops.shape(h)[0], h.dtype)
        return self.strength * keras.ops.sum(weigh_present(keras.ops.abs(h), mask)) / batch

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about a normalization, which undoes the scale of activations."""
        return warn_free_scale(self, other)
