"""Group normalization."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import InputError, OnActivations, Regularizer, Slot, setting
from regzoo.core.lazy import LazyModule, keras
from regzoo.regularizers._normalization import twice

_layers = LazyModule("regzoo.regularizers._layers")


@dataclass(frozen=True)
class GroupNorm(OnActivations):
    """Normalize groups of channels, example by example, before the nonlinearity.

    Formula: gamma (h - mean) / sqrt(var + 1e-3) + beta, mean and var over all positions and the channels of a group;
    inference does the same.

    Knows no batch, so that training and inference agree and small batches do no harm. A layer whose width does not
    allow ``groups`` takes the next smaller number that divides its width and leaves two values to a group. One group
    is layer normalization, as many groups as channels instance normalization. Hurts where a group is small: of two
    values only their order is left. The paper's 32 groups suit layers of 256 channels; this zoo's are narrower.

    Args:
        groups: groups of channels per layer, in [1, inf).

    Raises:
        InputError: if ``groups`` is no whole number in [1, inf), or a layer has a single unit.

    Reference: Wu and He 2018 [wu2018], https://arxiv.org/abs/1803.08494

    >>> from regzoo.regularizers import GroupNorm
    >>> print(GroupNorm(4))
    group_norm(4)
    """

    groups: int = setting(8, domain="[1, inf)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Keras's own layer before each nonlinearity, its groups fitted to the width."""
        return _layers.GroupNormalization(self.fitted) if slot.kind == "preactivation" else None

    def fitted(self, shape: Sequence[int | None]) -> int:
        """The number of groups for activations of ``shape`` (batch, ..., channels)."""
        *positions, channels = shape[1:]
        assert channels is not None  # Keras refuses a layer without a width
        values = channels * math.prod(size or 2 for size in positions)
        fitting = [n for n in range(1, min(self.groups, channels) + 1) if channels % n == 0 and values // n > 1]
        if not fitting:
            raise InputError("group_norm: a layer with a single unit has no group to normalize; widen the layer")
        return fitting[-1]

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Another normalization at the same place."""
        return twice(self.name, others)
