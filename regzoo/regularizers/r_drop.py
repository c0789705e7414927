"""R-Drop: consistency of two passes with different dropout masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Forward, OnActivations, OnForward, OnWeights, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras, tf

DETERMINISTIC = frozenset(
    {"activity_l1", "activity_l2", "decov", "kl_sparsity", "batch_norm", "group_norm", "layer_norm", "layer_scale"}
    | {"l1", "l2", "l1_l2", "l2_sp", "group_lasso", "orthogonal", "max_norm", "unit_norm", "spectral_norm"}
    | {"elastic_net", "proximal_l1", "proximal_group_lasso", "weight_standardization"}
    | {"ema", "lookahead"}
)
"""Regularizers that act inside the model without random numbers: two passes with them are the same."""


@dataclass(frozen=True)
class RDrop(OnForward):
    """Run each batch twice with different noise, and penalize differences between the two predictions.

    Formula: (L1 + L2) / 2 + alpha (KL(p1 || p2) + KL(p2 || p1)) / 2, p1 and p2 the class probabilities of two
    passes. This is the authors' code; their equation has L1 + L2, which is twice this at half the alpha.

    Needs a dropout or other noise inside the model, else both passes are the same. Alpha above 5 keeps the model near
    one prediction for all examples. At alpha 0 the second pass is left out, so the result is the baseline's bit for
    bit, dropout masks included. At any alpha above 0 the loss is a mean over two passes, which has less noise.

    Cost: two passes, one for each prediction.

    Args:
        alpha: weight of the divergence, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``alpha`` is negative; when the model is built, if the task has no classes, or neither recipe nor
            model has noise inside the model.

    Reference: Liang et al. 2021 [liang2021], https://arxiv.org/abs/2106.14448

    >>> from regzoo.regularizers import RDrop
    >>> print(RDrop(2.0))
    r_drop(2.0)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes"})
    requires_recipe: ClassVar[str] = "dropout(0.5)"
    cost: ClassVar[float] = 2.0

    alpha: Strength = strength(Float(1.0, 5.0), neutral=0.0, domain="[0, inf)")

    def forward(self, run: Forward, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return the first pass's logits (batch, classes), and losses with the divergence of both passes (batch,)."""
        logits, first = run(x, y)

        def add_second_pass() -> Tensor:
            others, second = run(x, y)
            return (first + second) / 2.0 + self.alpha * symmetric_divergence(logits, others)

        return logits, tf.cond(keras.ops.greater(self.alpha, 0.0), add_second_pass, lambda: first)

    def explain_missing_noise(self, others: Sequence[Regularizer]) -> str | None:
        """Miss noise in a recipe in which nothing makes two passes differ."""
        if any(isinstance(other, OnActivations | OnWeights) and other.name not in DETERMINISTIC for other in others):
            return None
        return "r_drop compares two passes that differ by the noise inside the model: add one, such as dropout"


def symmetric_divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Return the mean of both Kullback-Leibler divergences, sum (p - q) log(p / q) / 2, in nats.

    Args:
        logits: logits of p, (batch, classes).
        others: logits of q, (batch, classes).

    Returns:
        (batch,).
    """
    log_p, log_q = keras.ops.log_softmax(logits), keras.ops.log_softmax(others)
    return keras.ops.sum((keras.ops.exp(log_p) - keras.ops.exp(log_q)) * (log_p - log_q), axis=-1) / 2.0
