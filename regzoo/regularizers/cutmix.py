"""CutMix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import clash, hidden, partners


@dataclass(frozen=True)
class Cutmix(OnBatch):
    """Replace a part of an example by the same part of another, and mix their targets by the shares.

    Formula: (m x' + (1 - m) x, k y + (1 - k) y') with probability rate, (x', y') another example of the batch,
    k = 1 - mean(m) the share kept. In images m is a box of share U(0, 1) of the area around a random pixel, cut
    off at the border; in rows it is a random subset of share U(0, 1) of the columns.

    Helps image models use the whole object; hurts where a small part carries the answer. An autoencoder's targets are
    its inputs, cut where they are cut, so it has nothing to mix.

    Departs from Yun's code in drawing the box, its share and whether to cut per example, not once a batch; the
    share is Beta(1, 1), as in the paper.

    Args:
        rate: probability that an example is cut, in [0, 1]; 0 does nothing, 1 cuts every example.

    Raises:
        InputError: if ``rate`` lies outside [0, 1]; if the inputs are to be reconstructed.

    Reference: Yun et al. 2019 [yun2019], https://arxiv.org/abs/1905.04899; for rows Kadra et al. 2021 [kadra2021],
    https://arxiv.org/abs/2106.11189

    >>> from regzoo.regularizers import Cutmix
    >>> print(Cutmix(0.5))
    cutmix(0.5)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"targets"})

    rate: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, 1]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Cut x (batch, ...) and mix y (batch, size)."""
        each = (keras.ops.shape(x)[0], 1)
        partner = partners(x, seed)
        cut = keras.random.uniform(each, seed=seed) < self.rate
        share = keras.ops.where(cut, keras.random.uniform(each, seed=seed), 0.0)
        mask = hidden(x, share, seed)
        kept = 1.0 - keras.ops.mean(keras.ops.reshape(mask, (each[0], -1)), axis=1, keepdims=True)  # (batch, 1)
        x = keras.ops.where(mask > 0.0, keras.ops.take(x, partner, axis=0), x)
        return x, kept * y + (1.0 - kept) * keras.ops.take(y, partner, axis=0)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """A second augmentation, or labels that are smoothed as well."""
        return clash(self.name, others, softening={"label_smoothing"})
