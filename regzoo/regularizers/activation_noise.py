"""Gaussian noise on hidden activations."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers


@dataclass(frozen=True)
class ActivationNoise(OnActivations):
    """Add random noise to the activations during training.

    Formula: h + N(0, stddev^2); inference uses h as it is.

    Without a limit on the weights, the network can learn larger activations that hide the noise; combine it with `l2`.

    Cost: in addition to the pass, a normal random number for each activation, which takes longer than `dropout`'s
    uniform one: in small networks on a processor about as long as the pass.

    Args:
        stddev: standard deviation of the noise, in units of the activation, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``stddev`` is negative.

    Reference: Bishop 1995 [bishop1995], https://doi.org/10.1162/neco.1995.7.1.108

    >>> from regzoo.regularizers import ActivationNoise
    >>> print(ActivationNoise(0.1))
    activation_noise(0.1)
    """

    stddev: Strength = strength(Float(0.01, 0.5), neutral=0.0, domain="[0, inf)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a noise layer for each activation slot."""
        return layers.InTraining(self.perturb, slot.seed) if slot.kind == "activation" else None

    def perturb(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Add noise to ``h`` (any shape)."""
        return h + self.stddev * keras.random.normal(keras.ops.shape(h), seed=seed)
