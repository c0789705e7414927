"""Label smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import clash


@dataclass(frozen=True)
class LabelSmoothing(OnBatch):
    """Take a little probability from the label and share it out over all classes.

    Formula: (1 - eps) y + eps / classes; whole-number labels are one-hot by then. The validation and test
    labels stay hard.

    Helps calibration, and against wrong labels; the logits carry less about how classes resemble one another.
    Eps 1 leaves nothing to learn.

    Args:
        eps: probability that is shared out, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``eps`` lies outside [0, 1], or the task has no classes.

    Reference: Szegedy et al. 2016 [szegedy2016], https://arxiv.org/abs/1512.00567

    >>> from regzoo.regularizers import LabelSmoothing
    >>> print(LabelSmoothing(0.1))
    label_smoothing(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes"})

    eps: Strength = strength(Float(0.01, 0.3), neutral=0.0, domain="[0, 1]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Smooth y (batch, classes); the inputs stay."""
        return x, (1.0 - self.eps) * y + self.eps / y.shape[-1]

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Labels that are mixed already."""
        return clash(self.name, others, softening={"mixup", "cutmix"})
