"""Orthogonality penalty on the incoming weights of units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import norm
from regzoo.regularizers._weights import get_matrix_shape, to_matrix


@dataclass(frozen=True)
class Orthogonal(OnWeights):
    """Make the units of a layer different, by a penalty on incoming weights that are not at right angles.

    Formula: L + strength mean |cos(w_i, w_j)| over the pairs of a kernel's units, the kernel as a matrix
    (inputs, units), summed over kernels, recurrent ones included. Units that share no input, as those of two channels
    of a depthwise convolution or of two groups, are at right angles anyway and form no pair. Biases, scales, embedding
    tables, position embeddings, and kernels without a pair have no penalty.

    Does not limit the length of the weights; combine it with `l2` for that. More units than inputs cannot all be at
    right angles; they spread out.

    Cost: in addition to the pass, a product of each kernel with itself in every step, independent of the batch size: at
    a small batch several times the pass (measured: 5 more at 32 rows and 256 units).

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing. A layer's penalty is at most ``strength``.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Brock et al. 2017 [brock2017], https://arxiv.org/abs/1609.07093
    Departure: Brock et al. sum |W'W - I|, which also fixes the lengths; this is Keras's OrthogonalRegularizer with
    ``mode="columns"``, for kernels of any rank.

    >>> from regzoo.regularizers import Orthogonal
    >>> print(Orthogonal(0.01))
    orthogonal(0.01)
    """

    strength: Strength = strength(Float(1e-3, 1.0), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return a penalty for each kernel of at least two units that share inputs."""
        if not weight.kernel or get_matrix_shape(weight)[-1] < 2:
            return None
        return Penalty(lambda w: self.strength * mean_absolute_cosine(to_matrix(w, weight)))


def mean_absolute_cosine(w: Tensor) -> Tensor:
    """Return the mean |cosine| between columns of ``w`` (inputs, units) or (blocks, inputs, units), within each block.

    It is a scalar in [0, 1].
    """
    *blocks, _, units = w.shape
    w = w / norm(w, [len(w.shape) - 2])
    cosines = keras.ops.absolute(keras.ops.matmul(keras.ops.swapaxes(w, -1, -2), w))  # ([blocks,] units, units)
    return keras.ops.sum(cosines * (1.0 - keras.ops.eye(units))) / (math.prod(blocks) * units * (units - 1))
