"""R-Drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Forward, OnActivations, OnForward, OnWeights, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras, tf

QUIET = frozenset(
    {"activity_l1", "activity_l2", "decov", "kl_sparsity", "batch_norm", "group_norm", "layer_norm"}
    | {"l1", "l2", "l1_l2", "l2_sp", "group_lasso", "orthogonal", "max_norm", "unit_norm", "spectral_norm"}
    | {"ema", "lookahead"}
)
"""What acts inside the model and draws nothing: two passes with it are the same."""


@dataclass(frozen=True)
class RDrop(OnForward):
    """Run every batch twice, each with its own noise inside the model, and draw the two predictions together.

    Formula: (L1 + L2) / 2 + alpha (KL(p1 || p2) + KL(p2 || p1)) / 2, p1 and p2 the class probabilities of two
    passes. It is the authors' code; their equation has L1 + L2, which is twice this at half the alpha.

    Needs a dropout or another noise inside the model, else both passes are the same. Alpha above 5 holds the model
    near one prediction for all. At alpha 0 the second pass is left out: the baseline bit for bit, dropout masks
    included; so as alpha falls to 0 the mean of two passes, which has less noise than one, gives way to one.

    Cost: two passes, one for each prediction.

    Args:
        alpha: weight of the divergence, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``alpha`` is negative, the task has no classes, or the recipe has no noise inside the model.

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
        """Return the first pass's logits, and the loss of both passes with their divergence."""
        logits, first = run(x, y)

        def twice() -> Tensor:
            others, second = run(x, y)
            return (first + second) / 2.0 + self.alpha * divergence(logits, others)

        return logits, tf.cond(keras.ops.greater(self.alpha, 0.0), twice, lambda: first)

    def reject_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Nothing in the recipe that could make two passes differ."""
        if any(isinstance(other, OnActivations | OnWeights) and other.name not in QUIET for other in others):
            return None
        return "r_drop compares two passes that differ by the noise inside the model: add one, such as dropout"


def divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Mean of both Kullback-Leibler divergences, (batch,), of logits (batch, classes): sum (p - q) log(p / q) / 2."""
    log_p, log_q = keras.ops.log_softmax(logits), keras.ops.log_softmax(others)
    return keras.ops.sum((keras.ops.exp(log_p) - keras.ops.exp(log_q)) * (log_p - log_q), axis=-1) / 2.0
