"""Initializers of the layers in front of a nonlinearity."""

from __future__ import annotations


def choose_kernel_initializer(activation: str) -> str:
    """Return Keras's name of the initializer for a kernel whose outputs go to ``activation``.

    selu keeps mean 0 and variance 1 from layer to layer only where the weights of a unit have variance 1 / inputs.

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
    """
    return "lecun_normal" if activation == "selu" else "glorot_uniform"
