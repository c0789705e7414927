"""Label smoothing for classification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import MIXING, warn_augmentation


@dataclass(frozen=True)
class LabelSmoothing(OnBatch):
    """Move a little probability from each training label to all classes, so that the model is less overconfident.

    Formula: (1 - eps) y + eps / classes, y one-hot. The validation and test labels stay hard.

    Helps calibration, and against wrong labels; the logits then contain less information on how similar the classes
    are. Eps 1 leaves nothing to learn.

    Args:
        eps: probability to distribute over the classes, in [0, 1]; 0 does nothing.

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
        """Warn about labels that are mixed already."""
        return warn_augmentation(self.name, others, softening=MIXING)
