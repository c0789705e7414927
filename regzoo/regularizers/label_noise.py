"""Label noise (DisturbLabel): random training labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class LabelNoise(OnBatch):
    """Replace the labels of random training examples by random classes.

    Formula: y -> one_hot(c) with probability rate, c uniform over all classes, the right one included; drawn
    again in every step.

    In expectation it is label smoothing with eps = rate, plus noise. Helps large networks that memorize labels; hurts
    where labels are already wrong, and small data sets.

    Args:
        rate: probability of a random label, in [0, 1]; 0 does nothing, 1 leaves nothing to learn.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the task has no classes.

    Reference: Xie et al. 2016 [xie2016], https://arxiv.org/abs/1605.00055

    >>> from regzoo.regularizers import LabelNoise
    >>> print(LabelNoise(0.1))
    label_noise(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes"})

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Replace rows of y (batch, classes); the inputs stay."""
        batch, classes = keras.ops.shape(y)
        disturbed = keras.random.uniform((batch, 1), seed=seed) < self.rate
        drawn = keras.random.randint((batch,), 0, classes, seed=seed)
        return x, keras.ops.where(disturbed, keras.ops.one_hot(drawn, classes, dtype=y.dtype), y)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about labels that are softened twice, and about a loss that looks for wrong labels."""
        if other.name in ("label_smoothing", "mixup", "cutmix", "mixup_or_cutmix"):
            return (
                f"label_noise is label smoothing on average, and {other.name} softens the labels as well: predictions "
                "may become underconfident"
            )
        if other.name == "focal":
            return "focal weighs hard examples more, which are those that label_noise has given wrong labels"
        return None
