"""Group lasso by proximal steps: whole groups of outgoing weights become exactly zero."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Proximal, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import norm
from regzoo.regularizers._proximal import warn_zeros
from regzoo.regularizers._weights import split_outgoing


@dataclass(frozen=True)
class ProximalGroupLasso(OnWeights):
    """Set all outgoing weights of an input or a unit to exactly zero together, so that it can be removed.

    Formula: g <- g max(1 - learning_rate strength sqrt(size) / norm(g), 0) after each step of the optimizer, for each
    group g: the weights that leave one input of a layer, as in `group_lasso`. That is a row of a dense kernel, all
    weights of one input channel of a convolution, one feature of a head in attention's output; in a recurrent kernel
    what leaves one of the layer's own units, in an embedding table the vector of one token. Biases, scales, position
    embeddings and LoRA's factors stay.

    The step size is the learning rate with every optimizer, decoupled from what it makes of the gradients, as in
    `proximal_l1`: with plain SGD this minimizes L + strength sum of sqrt(size) norm(g), with momentum m that of
    ``strength`` (1 - m), and with Adam ``strength`` counts in units of a gradient divided by its size.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing. In a run of learning_rate steps = 1, a group
            without gradients loses ``strength`` of the mean size of its weights.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Yuan and Lin 2006 [yuan2006], https://doi.org/10.1111/j.1467-9868.2005.00532.x, Duchi and Singer 2009
    [duchi2009], https://jmlr.org/papers/v10/duchi09a.html and for networks Scardapane et al. 2017 [scardapane2017],
    https://arxiv.org/abs/1607.00485
    Departure: Scardapane et al. take gradients of the penalty, and let each bias be a group of its own.

    >>> from regzoo.regularizers import ProximalGroupLasso
    >>> print(ProximalGroupLasso(0.01))
    proximal_group_lasso(0.01)
    """

    strength: Strength = strength(Float(1e-4, 1e-1), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Proximal | None:
        """Return a proximal step for each kernel and each embedding table."""
        if not (weight.kernel or weight.role == "embedding"):
            return None
        return Proximal(functools.partial(self.shrink, weight=weight))

    def shrink(self, w: Tensor, step_size: Tensor, weight: Weight) -> Tensor:
        """Return ``w`` with each group shortened by the step size times strength and sqrt(size), or zero."""
        parts, axes, size = split_outgoing(w, weight)
        threshold = keras.ops.cast(step_size * self.strength * math.sqrt(size), parts.dtype)
        kept = keras.ops.maximum(1.0 - threshold / norm(parts, axes), 0.0)
        return keras.ops.reshape(parts * kept, weight.shape)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about the same penalty twice, and about averages over steps."""
        return warn_zeros(self.name, other, ("group_lasso",))
