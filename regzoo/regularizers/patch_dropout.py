"""Patch dropout: training on a random part of the tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from regzoo.core import Choice, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import LazyModule, keras

_layers = LazyModule("regzoo.regularizers._layers")

ROUNDING = 1e-3
"""Below a whole number by less than this, a number of tokens counts as that number: 1 - 0.9 is not quite 0.1."""


@dataclass(frozen=True)
class PatchDropout(OnActivations):
    """Leave out random tokens during training: patches of an image, columns of a row or steps of a sequence.

    Formula: of n tokens, max(1, floor((1 - rate) n)) drawn without replacement for each example go on, in their order
    and unscaled; inference uses all of them.

    Acts after positions are added, so each token that is left knows its place. All layers behind see the shorter
    sequence: attention, means and gradients take in the tokens that are left, and a step is cheaper by about ``rate``,
    of attention by more. Since there is no class token, every token may be left out. How many are kept is part of the
    graph, so its shapes are static (XLA compiles it), the rate has no schedule, and each rate needs a graph of its own:
    only three are searched. Where the model leaves the length open, tokens are counted in each batch. Hurts where a
    single token decides, as one column of a narrow table may. In your own model it acts where `embedding_dropout` does,
    and layers behind must take any number of tokens.

    Args:
        rate: share of the tokens that is left out, in [0, 1); 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1), the model has no tokens, a layer behind needs all of them, the
            tokens are masked, or the model predicts at each of them.

    Reference: Liu et al. 2023 [liu2023], https://arxiv.org/abs/2208.07220; Li et al. 2023 [li2023],
    https://arxiv.org/abs/2212.00794

    >>> from regzoo.regularizers import PatchDropout
    >>> print(PatchDropout(0.5))
    patch_dropout(0.5)
    """

    shortens: ClassVar[bool] = True

    rate: Strength = strength(Choice((0.1, 0.25, 0.5)), neutral=0.0, domain="[0, 1)", dial=False)

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer that leaves out tokens for each embedding slot of several tokens."""
        at_tokens = slot.kind == "embedding" and slot.rank == 3
        return _layers.Shortened(self.drop, slot.seed, self.name) if at_tokens else None

    def drop(self, tokens: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Return the kept part (batch, kept, width) of ``tokens`` (batch, tokens, width)."""
        batch, count, _ = keras.ops.shape(tokens)
        order = keras.ops.argsort(keras.random.uniform((batch, count), seed=seed), axis=1)
        chosen = keras.ops.sort(order[:, : self.count_kept(count)], axis=1)  # (batch, kept)
        return keras.ops.take_along_axis(tokens, chosen[:, :, None], axis=1)

    def count_kept(self, count: Any) -> Any:
        """Return how many of ``count`` tokens are kept, both numbers or both tensors."""
        if isinstance(count, int):
            return max(1, math.floor(count * (1.0 - self.rate) + ROUNDING))
        share = keras.ops.cast(count, keras.config.floatx()) * (1.0 - self.rate)
        return keras.ops.maximum(1, keras.ops.cast(share + ROUNDING, "int32"))
