"""Flooding: a lower limit on the training loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regzoo.core import Float, OnBatchLoss, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.core.regularizer import get_ends
from regzoo.regularizers._label_entropy import bound_loss


@dataclass(frozen=True)
class Flooding(OnBatchLoss):
    """Keep the training loss from falling below ``level``, by reversing the gradient where it is lower.

    Formula: |L - level| + level, L the mean loss of the batch, weighted by the weights of the rows; where L < level its
    gradient is reversed. What other regularizers make of the loss is part of L, wherever they stand in the recipe;
    penalties on the weights are not.

    Helps long training of networks that reach zero training loss; does nothing while the loss stays above the level,
    as it always does where the labels are smoothed (a warning says so). Level 0 does nothing, even where another
    regularizer makes the loss negative.

    Args:
        level: lowest loss, in nats or squared units of the target, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``level`` is negative.

    Reference: Ishida et al. 2020 [ishida2020], https://arxiv.org/abs/2002.08709

    >>> from regzoo.regularizers import Flooding
    >>> print(Flooding(0.05))
    flooding(0.05)
    """

    level: Strength = strength(Float(0.0, 0.2), neutral=0.0, domain="[0, inf)")

    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor, weight: Tensor | None = None) -> Tensor:
        """Mirror the losses (batch,) at the level if their mean is below it, which gives the formula for the mean."""
        flooded = keras.ops.logical_and(self._lies_below(per_example, weight), keras.ops.greater(self.level, 0.0))
        return keras.ops.where(flooded, 2.0 * self.level - per_example, per_example)

    def _lies_below(self, per_example: Tensor, weight: Tensor | None) -> Tensor:
        """Return True if the mean of the losses is below the level; a batch of weight 0 has none."""
        if weight is None:
            return keras.ops.mean(per_example) < self.level
        weight = keras.ops.cast(weight, per_example.dtype)
        return keras.ops.sum(weight * per_example) < self.level * keras.ops.sum(weight)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about softened labels, whose loss stays above the level, and about a penalty that takes it below."""
        low, high = get_ends(self, "level")
        if other.name == "confidence_penalty" and high > 0.0:
            beta = get_ends(other, "beta")[1]
            if (1.0 - beta) * math.log(2.0) <= high:
                return (
                    "confidence_penalty can take the loss of undecided predictions, (1 - beta) log classes, below the "
                    "level of flooding, which then reverses the training from the start"
                )
        bound = bound_loss(other)
        if high > 0.0 and bound > 0.0 and low <= bound:
            return (
                f"{other.name} softens the labels and keeps the training loss above its level, {bound:.2g} nats for "
                "two classes and more for more: flooding cannot act below that"
            )
        return None
