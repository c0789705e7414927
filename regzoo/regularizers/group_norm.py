"""Group normalization before each nonlinearity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import InputError, OnActivations, Regularizer, Slot, setting
from regzoo.core.lazy import LazyModule, keras
from regzoo.regularizers._normalization import warn_double_normalization

_layers = LazyModule("regzoo.regularizers._layers")


@dataclass(frozen=True)
class GroupNorm(OnActivations):
    """Scale groups of channels to mean 0 and variance 1, separately for each example, before the nonlinearity.

    Formula: gamma (h - mean) / sqrt(var + 1e-3) + beta, mean and var over all positions and the channels of a group;
    inference does the same.

    Does not depend on the batch, so training and inference agree and small batches do no harm. A layer whose width does
    not allow ``groups`` uses the next smaller number that divides its width and leaves at least two values in a group.
    One group is layer normalization; as many groups as channels is instance normalization. Hurts where a group is
    small: of two values only their order is left. The paper's 32 groups suit layers of 256 channels; the layers here
    are narrower.

    Args:
        groups: number of groups of channels in a layer, in [1, inf).

    Raises:
        InputError: if ``groups`` is not a whole number in [1, inf), or a layer has a single unit.

    Reference: Wu and He 2018 [wu2018], https://arxiv.org/abs/1803.08494

    >>> from regzoo.regularizers import GroupNorm
    >>> print(GroupNorm(4))
    group_norm(4)
    """

    groups: int = setting(8, domain="[1, inf)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return Keras's layer for each preactivation slot, with groups that divide its width."""
        return _layers.GroupNormalization(self.choose_groups) if slot.kind == "preactivation" else None

    def choose_groups(self, shape: Sequence[int | None]) -> int:
        """Return the number of groups for activations of ``shape`` (batch, ..., channels)."""
        *positions, channels = shape[1:]
        assert channels is not None  # Keras rejects a layer without a width
        values = channels * math.prod(size or 2 for size in positions)
        fitting = [n for n in range(1, min(self.groups, channels) + 1) if channels % n == 0 and values // n > 1]
        if not fitting:
            raise InputError("group_norm: a layer with a single unit has no group to normalize; widen the layer")
        return fitting[-1]

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about another normalization at the same place."""
        return warn_double_normalization(self, others)
