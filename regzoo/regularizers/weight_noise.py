"""Gaussian noise on the weights in training."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Perturbation, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class WeightNoise(OnWeights):
    """Add random noise to the weights in the forward pass of each training step.

    Formula: w + N(0, stddev^2) on kernels, recurrent ones included, and embedding tables, drawn in each step, one draw
    for the whole batch; inference uses w as it is. Biases, scales and position embeddings stay.

    A weight of a layer with n inputs is about 1 / sqrt(n), so wide layers tolerate less noise. The network can learn
    larger weights that hide the noise; combine it with `l2`.

    Cost: in addition to the pass, a random number for each weight in every step: at a small batch several times
    the pass (measured: 5 more in an MLP at 32 rows).

    Args:
        stddev: standard deviation of the noise, in [0, inf); 0 does nothing. Graves used 0.075.

    Raises:
        InputError: if ``stddev`` is negative.

    Reference: Graves 2011 [graves2011],
    https://papers.nips.cc/paper/2011/hash/7eb3c8be3d411e8ebfab08eba5f49632-Abstract.html
    Departure: a fixed standard deviation; in the paper it is also learned for each weight (adaptive weight noise).

    >>> from regzoo.regularizers import WeightNoise
    >>> print(WeightNoise(0.05))
    weight_noise(0.05)
    """

    stddev: Strength = strength(Float(0.005, 0.1), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Perturbation | None:
        """Return noise for each kernel and each embedding table."""
        return Perturbation(self.perturb) if weight.kernel or weight.role == "embedding" else None

    def perturb(self, w: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Add noise to ``w`` (any shape)."""
        return w + self.stddev * keras.random.normal(keras.ops.shape(w), seed=seed)
