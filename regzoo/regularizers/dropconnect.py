"""DropConnect: dropout of weights."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Perturbation, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._masks import mask_and_scale
from regzoo.regularizers._normalization import comes_after


@dataclass(frozen=True)
class Dropconnect(OnWeights):
    """Set random weights to zero in the forward pass of each training step.

    Formula: w m / (1 - rate), m ~ Bernoulli(1 - rate), on kernels; gradients reach the weights that were kept;
    inference uses w as it is. Recurrent kernels are included, with one mask for all time steps, as in
    https://arxiv.org/abs/1708.02182. Biases, scales, embedding tables and position embeddings stay.

    The whole batch shares one mask, so its noise does not average out over the examples: use small batches and lower
    rates than for dropout. Rate 1 gives zeros, never NaN.

    Cost: in addition to the pass, a random number for each weight in every step: at a small batch more than the
    pass (measured: 2 more in an MLP at 32 rows).

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1].

    Reference: Wan et al. 2013 [wan2013], https://proceedings.mlr.press/v28/wan13.html
    Departure: in the paper each example has its own mask, only dense layers are masked, and inference samples a normal
    approximation of the preactivations; here it uses their mean.

    >>> from regzoo.regularizers import Dropconnect
    >>> print(Dropconnect(0.3))
    dropconnect(0.3)
    """

    rate: Strength = strength(Float(0.05, 0.5), neutral=0.0, domain="[0, 1]")

    def rule(self, weight: Weight) -> Perturbation | None:
        """Return a random mask for each kernel."""
        return Perturbation(self.drop) if weight.kernel else None

    def drop(self, w: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``w`` (any shape) and scale up the rest."""
        return mask_and_scale(w, self.rate, seed)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about batch norm, whose averages are those of masked weights."""
        if other.name != "batch_norm" or comes_after(self, other):
            return None
        return "dropconnect shifts the variance that batch_norm relies on at inference, as dropout does (Li 2019)"
