"""Focal loss for classification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnLoss, Strength, Tensor, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Focal(OnLoss):
    """Reduce the loss of examples that the model already predicts well.

    Formula: -sum y (1 - p)^gamma log p over the classes, p the class probabilities; gamma 0 is cross-entropy.
    It is added as its difference to cross-entropy, so other terms of the loss are kept.

    Helps where easy examples outnumber hard ones, and calibration. Hurts where labels are wrong, since those are the
    hard ones. The paper's class weights are left out: they do not regularize.

    Args:
        gamma: exponent, in [0, inf); 0 does nothing, 2 is the paper's value.

    Raises:
        InputError: if ``gamma`` is negative, or the task has no classes.

    Reference: Lin et al. 2017 [lin2017], https://arxiv.org/abs/1708.02002

    >>> from regzoo.regularizers import Focal
    >>> print(Focal(2.0))
    focal(2.0)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes"})

    gamma: Strength = strength(Float(0.0, 5.0), neutral=0.0, domain="[0, inf)")

    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """Add the difference to cross-entropy; y and logits are (batch, classes)."""
        log_p = keras.ops.log_softmax(logits)
        # Kept above 0, where (1 - p)^gamma has no derivative for gamma below 1.
        complement = keras.ops.maximum(-keras.ops.expm1(log_p), keras.config.epsilon())
        factor = keras.ops.power(complement, self.gamma)
        return per_example + keras.ops.sum(y * (1.0 - factor) * log_p, axis=-1)
