"""Spectral normalization of weights."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from regzoo.core import Companion, OnWeights, Regularizer, Tensor, Weight
from regzoo.core.lazy import keras
from regzoo.core.regularizer import get_ends
from regzoo.regularizers._norms import global_norm
from regzoo.regularizers._weights import get_matrix_shape, to_matrix


@dataclass(frozen=True)
class SpectralNorm(OnWeights):
    """Divide each layer's weights by their largest singular value at each step, so that no layer amplifies its input.

    Formula: w <- w / sigma, sigma = v'Wu with W the kernel as a matrix (inputs, units), v = Wu / |Wu| and then
    u = W'v / |W'v|: one power iteration a step, with u kept from step to step. Recurrent kernels are included. Biases,
    scales, embedding tables and position embeddings stay: nothing of them multiplies and sums inputs.

    In the first steps, until u has converged, sigma is too small. For a convolution it is the norm of the reshaped
    kernel, not of the convolution; in a depthwise or grouped one, inputs reach only units of their own, and sigma is
    the largest of these blocks. Limits the logits, so the model cannot be very confident. It has no strength.

    Cost: in addition to the pass, two products of each kernel with a vector in every step.

    Raises:
        InputError: if a model without kernels is built.

    Reference: Miyato et al. 2018 [miyato2018], https://arxiv.org/abs/1802.05957
    Departure: as in Keras's SpectralNormalization, the weights themselves are divided, and gradients do not flow
    through the division. Keras divides before a step, this after it, so the weights after training are normalized.
    u starts with equal numbers rather than random ones. Keras also divides embedding tables, whose sigma grows with
    the number of rows.

    >>> from regzoo.regularizers import SpectralNorm
    >>> print(SpectralNorm())
    spectral_norm
    """

    def rule(self, weight: Weight) -> Companion | None:
        """Return a companion u for each kernel."""
        if not weight.kernel:
            return None
        return Companion(functools.partial(self.start, weight=weight), functools.partial(self.follow, weight=weight))

    def start(self, w: Tensor, weight: Weight) -> Tensor:
        """Return the first u for a kernel ``w``: (units, 1) or (blocks, units, 1), of length 1."""
        *blocks, _, units = get_matrix_shape(weight)
        return keras.ops.full((*blocks, units, 1), math.prod((*blocks, units)) ** -0.5)

    def follow(self, w: Tensor, u: Tensor, step: Tensor, weight: Weight) -> tuple[Tensor, Tensor]:
        """Do one power iteration and divide; a kernel of zeros stays as it is."""
        matrix = to_matrix(w, weight)  # ([blocks,] inputs, units)
        stretched = keras.ops.matmul(matrix, u)  # ([blocks,] inputs, 1)
        v = stretched / global_norm([stretched])
        back = keras.ops.matmul(keras.ops.swapaxes(matrix, -1, -2), v)  # ([blocks,] units, 1)
        sigma = global_norm([back])  # v'Wu with u = back / |back|
        found = sigma > keras.config.epsilon()
        return keras.ops.where(found, w / sigma, w), keras.ops.where(found, back / sigma, u)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about what shrinks the scale that it restores, and about a limit that it keeps anyway."""
        if other.name in ("l2", "weight_decay"):
            return f"spectral_norm restores after each step the scale that {other.name} shrinks, except of embeddings"
        if other.name == "max_norm" and get_ends(other, "limit")[1] >= 1.0:
            return (
                "spectral_norm keeps the weights of every unit within length 1, so that a max_norm of 1 or more does "
                "nothing to kernels"
            )
        return None
