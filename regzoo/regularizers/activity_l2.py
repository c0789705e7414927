"""L2 penalty on activations."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers


@dataclass(frozen=True)
class ActivityL2(OnActivations):
    """Add the squared activations to the training loss, which keeps them small.

    Formula: L + strength (mean over the batch of sum h^2), once for each hidden layer.

    Keeps activations small without making them sparse. Acts after every activation. Keras's own
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
        """A penalty after each activation."""
        return layers.Penalized(self.penalty) if slot.kind == "activation" else None

    def penalty(self, h: Tensor) -> Tensor:
        """What activations ``h`` (batch, ...) cost."""
        batch = keras.ops.cast(keras.ops.shape(h)[0], h.dtype)
        return self.strength * keras.ops.sum(keras.ops.square(h)) / batch
