"""L2 penalty on hidden activations."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_free_scale
from regzoo.regularizers._padding import weigh_present


@dataclass(frozen=True)
class ActivityL2(OnActivations):
    """Keep activations small by adding their squares to the training loss.

    Formula: L + strength (mean over the batch of sum h^2), once for each hidden layer.

    Activations become smaller, not sparse. Acts after every activation. The same as Keras's
    ``ActivityRegularization(l2=strength)``: a sum over the units, so the penalty grows with the width, and a mean over
    the batch.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Merity et al. 2017 [merity2017], https://arxiv.org/abs/1708.01009

    >>> from regzoo.regularizers import ActivityL2
    >>> print(ActivityL2(0.0001))
    activity_l2(0.0001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a penalty layer for each activation slot."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the penalty of activations ``h`` (batch, ...), a scalar; padding, where ``mask`` is false, is free."""
        batch = keras.ops.cast(keras.ops.shape(h)[0], h.dtype)
        return self.strength * keras.ops.sum(weigh_present(keras.ops.square(h), mask)) / batch

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about a normalization, which undoes the scale of activations."""
        return warn_free_scale(self, other)
