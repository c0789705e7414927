"""DropBlock: dropout of squares of feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, InputError, OnActivations, Regularizer, Slot, Strength, Tensor, setting, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class Dropblock(OnActivations):
    """Set random squares of neighboring activations to zero during training.

    Formula: h m / mean(m), m = 0 on b x b blocks around seeds ~ Bernoulli(gamma), which lie where a block fits,
    gamma = rate H W / (b^2 (H - b + 1)(W - b + 1)); inference uses h as it is.

    Each channel has its own squares. Acts after activations of images; dense layers are left as they are. A block is
    never larger than the map. Blocks overlap, so somewhat less than ``rate`` is dropped. With b = 1 it is dropout; with
    b the size of the map it drops whole channels. Hurts small maps and small networks. The paper raises the rate from 0
    during training: ``dropblock(linear(0.0, 0.1, epochs=50))``. The paper acts in the last two groups of a residual
    network; here it acts after every activation.

    Args:
        rate: fraction of activations that is dropped if no blocks overlap, in [0, 1]; 0 does nothing.
        block: height and width b of a block, in [1, inf).

    Raises:
        InputError: if ``rate`` or ``block`` lies outside its domain, or the inputs are not images of
            one known size.

    Reference: Ghiasi et al. 2018 [ghiasi2018], https://arxiv.org/abs/1810.12890

    >>> from regzoo.regularizers import Dropblock
    >>> print(Dropblock(0.1))
    dropblock(0.1)
    """

    rate: Strength = strength(Float(0.05, 0.25), neutral=0.0, domain="[0, 1]")
    block: int = setting(7, domain="[1, inf)")

    requires: ClassVar[frozenset[str]] = frozenset({"images"})

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each activation slot of images."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "activation" and slot.rank == 4 else None

    def drop(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (batch, height, width, channels) and scale up the rest."""
        _, height, width, channels = h.shape
        if height is None or width is None:
            raise InputError("dropblock needs images of one known size: give the model's input a height and a width")
        tall, wide = min(self.block, height), min(self.block, width)
        rows, columns = height - tall + 1, width - wide + 1  # possible corners of a block
        gamma = self.rate * (height * width / (tall * wide * rows * columns))
        corners = keras.random.uniform((keras.ops.shape(h)[0], rows, columns, channels), seed=seed) < gamma
        spread = ((0, 0), (tall - 1, tall - 1), (wide - 1, wide - 1), (0, 0))
        dropped = keras.ops.max_pool(keras.ops.pad(keras.ops.cast(corners, h.dtype), spread), (tall, wide), 1)
        kept = 1.0 - dropped  # (batch, height, width, channels)
        return h * (kept / keras.ops.maximum(1.0 - keras.ops.mean(dropped), keras.config.epsilon()))

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
