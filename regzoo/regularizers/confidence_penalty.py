"""Confidence penalty: entropy of the predictions in the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnLoss, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class ConfidencePenalty(OnLoss):
    """Lower the training loss of uncertain predictions, so that the model becomes less overconfident.

    Formula: L - beta H(p), H(p) = -sum p log p in nats, p the class probabilities.

    Helps calibration, and against wrong labels. The loss may fall below zero. It limits how confident a model can
    become: the loss is least where 1 / p = beta log(p (classes - 1) / (1 - p)), p the probability of the label. At beta
    1 that is 0.78, 0.68, 0.48 and 0.28 for 2, 3, 10 and 100 classes; at beta 0.1, above 0.99 for up to 100 classes.

    Args:
        beta: weight of the entropy, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``beta`` is negative, or the task has no classes.

    Reference: Pereyra et al. 2017 [pereyra2017], https://arxiv.org/abs/1701.06548

    >>> from regzoo.regularizers import ConfidencePenalty
    >>> print(ConfidencePenalty(0.1))
    confidence_penalty(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes"})

    beta: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, inf)")

    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """Subtract the entropy of each prediction."""
        log_p = keras.ops.log_softmax(logits)
        entropy = -keras.ops.sum(keras.ops.exp(log_p) * log_p, axis=-1)  # (batch,)
        return per_example - self.beta * entropy

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about smoothed labels, which keep predictions from certainty as well."""
        if other.name in ("label_smoothing", "label_noise"):
            return (
                f"confidence_penalty and {other.name} both keep predictions from certainty (Pereyra 2017 compares "
                "them as alternatives): predictions may become underconfident"
            )
        return None
