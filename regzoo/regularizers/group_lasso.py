"""Group lasso on the outgoing weights of inputs and units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import norm
from regzoo.regularizers._weights import split_outgoing


@dataclass(frozen=True)
class GroupLasso(OnWeights):
    """Push all outgoing weights of an input or a unit to zero together, so that it can be removed.

    Formula: L + strength sum over groups of sqrt(size) norm(group); a group holds the weights that leave one input
    of a layer: a row of a dense kernel, all weights of one input channel of a convolution, one feature of a head in
    attention's output. In a recurrent kernel it holds what leaves one of the layer's own units, in an embedding table
    the vector of one token. Biases, scales and position embeddings have no penalty.

    Selects features and layer sizes. Gradient steps come close to zero and do not reach it, as with `l1`: count groups
    whose norm lies below a threshold, or take `proximal_group_lasso`, whose groups become exactly zero.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Scardapane et al. 2017 [scardapane2017], https://arxiv.org/abs/1607.00485
    Departure: in the paper each bias is a group of its own; here biases have no penalty.

    >>> from regzoo.regularizers import GroupLasso
    >>> print(GroupLasso(0.0001))
    group_lasso(0.0001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return a penalty for each kernel and each embedding table."""
        if not (weight.kernel or weight.role == "embedding"):
            return None
        return Penalty(lambda w: self.strength * sum_group_norms(w, weight))


def sum_group_norms(w: Tensor, weight: Weight) -> Tensor:
    """Return the sum of sqrt(size) norm(group) over the inputs of ``w``, a scalar."""
    w, axes, size = split_outgoing(w, weight)
    return math.sqrt(size) * keras.ops.sum(norm(w, axes))
