"""Mixup for some examples of a batch and CutMix for the others (augmentation)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, setting, strength
from regzoo.core.cells import Cells
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import average, draw_mixture_weights, draw_partners, draw_region, warn_augmentation


@dataclass(frozen=True)
class MixupOrCutmix(OnBatch):
    """Average random examples with another one, or replace a region of them by another's; mix the targets likewise.

    Formula: with probability rate an example is changed, with probability switch by cutmix, else by mixup:
    (m x' + (1 - m) x, k y + (1 - k) y'), m a random region of a fraction U(0, 1) and k = 1 - mean(m); or
    (s x + (1 - s) x', s y + (1 - s) y'), s = max(l, 1 - l), l ~ Beta(alpha, alpha). (x', y') is another example of
    the batch. In images the region is a box, in rows a random subset of the cells, the columns of the data.

    A category is one cell: its one-hot columns are replaced together, and where examples are averaged, that of x is
    drawn with probability s, else that of x'.

    Each alone leaves a pattern of its own that a network may learn; recipes for large image models switch between both
    (Wightman 2021). Hurts small networks, which underfit the mixtures.

    Departs from timm and torchvision, which draw once a batch by default: the switch, the fraction and whether to
    change anything are drawn for each example. ``alpha`` is timm's for mixup; cutmix has Beta(1, 1), as in both.

    Args:
        rate: probability that an example is changed, in [0, 1]; 0 does nothing, 1 changes every example.
        alpha: parameter of mixup's Beta distribution, in (0, inf).
        switch: probability of cutmix for an example that is changed, in [0, 1].

    Raises:
        InputError: if a value lies outside its domain; if the inputs are to be reconstructed.

    Reference: Zhang et al. 2018 [zhang2018], https://arxiv.org/abs/1710.09412; Yun et al. 2019 [yun2019],
    https://arxiv.org/abs/1905.04899; the switch is that of Wightman et al. 2021 [wightman2021],
    https://arxiv.org/abs/2110.00476

    >>> from regzoo.regularizers import MixupOrCutmix
    >>> print(MixupOrCutmix(1.0))
    mixup_or_cutmix(1.0)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"targets"})
    mixes_targets: ClassVar[bool] = True

    rate: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, 1]")
    alpha: float = setting(0.8, domain="(0, inf)")
    switch: float = setting(0.5, domain="[0, 1]")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: Cells | None = None
    ) -> tuple[Tensor, Tensor]:
        """Mix x (batch, ...) and y (batch, size) with a random permutation of the batch."""
        each = (keras.ops.shape(x)[0], 1)
        partner = draw_partners(x, seed)
        changed = keras.random.uniform(each, seed=seed) < self.rate
        cut = keras.random.uniform(each, seed=seed) < self.switch
        share = keras.ops.where(changed & cut, keras.random.uniform(each, seed=seed), 0.0)
        region, kept = draw_region(x, share, seed, cells)
        drawn = draw_mixture_weights(each[0], self.alpha, seed)
        weights = keras.ops.where((changed & ~cut)[:, 0], drawn, 1.0)
        averaged = average(x, partner, weights, seed, cells)
        x = keras.ops.where(region, keras.ops.take(x, partner, axis=0), averaged)
        return x, average(y, partner, weights * kept)  # one of the two is 1

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about a second augmentation and about label smoothing."""
        return warn_augmentation(self.name, others, softening={"label_smoothing"})
