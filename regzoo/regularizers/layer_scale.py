"""LayerScale: a learned scale of each channel of a residual branch."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, strength
from regzoo.core.lazy import LazyModule, keras

_layers = LazyModule("regzoo.regularizers._layers")


@dataclass(frozen=True)
class LayerScale(OnActivations):
    """Multiply each channel of a residual branch by a learned number that starts small.

    Formula: x + gamma f(x), a trained gamma for each channel (the last axis), init at the start; inference does the
    same.

    Each block starts near the identity, and takes part as far as its channels earn it. The paper starts at 0.1 up to 18
    blocks, at 1e-5 for 24 and at 1e-6 for more. No start does nothing: from 1 the outputs are at first those of the
    baseline, but gamma is trained. The scales are weights called ``gamma``, saved and exported with the others, and
    penalties and decay leave them alone, as they do the scales of normalizations. With plain SGD a branch
    whose scale is small learns slowly. It commutes with `residual_dropout` and `stochastic_depth`, so their order in a
    recipe does not matter.

    Args:
        init: the scales at the start of training, in [0, 1]; it takes no schedule, since training changes them.

    Raises:
        InputError: if ``init`` lies outside [0, 1] or is a schedule, or the backbone has no residual branches.

    Reference: Touvron et al. 2021 [touvron2021], https://arxiv.org/abs/2103.17239

    >>> from regzoo.regularizers import LayerScale
    >>> print(LayerScale(0.1))
    layer_scale(0.1)
    """

    init: Strength = strength(Float(1e-4, 1e-1), neutral=None, domain="[0, 1]", log=True, schedule=False)

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a scale for each channel at each branch slot."""
        return _layers.ChannelScale(self.init) if slot.kind == "branch" else None
