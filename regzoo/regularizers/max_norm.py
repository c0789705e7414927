"""Max-norm constraint on the incoming weights of each unit."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Projection, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import norm
from regzoo.regularizers._weights import list_fan_in_axes


@dataclass(frozen=True)
class MaxNorm(OnWeights):
    """Shorten the incoming weights of each unit to length ``limit`` when a step has made them longer.

    Formula: w <- w min(1, limit / norm(w)), after each step and for each unit w of a kernel: a column of a dense
    kernel, a filter of a convolution (of a depthwise one: of one channel), one feature of a head of attention; in a
    recurrent kernel, each unit and gate has a norm of its own, as in Keras. In an embedding table, w is a row: the
    vector of one token, as in PyTorch's ``Embedding(max_norm)``. Biases, scales and position embeddings stay.

    Allows high learning rates, and works well with dropout. A small limit keeps the logits small, so the model cannot
    be confident.

    Args:
        limit: largest norm, in (0, inf]; infinity does nothing.

    Raises:
        InputError: if ``limit`` is not positive.

    Reference: Srivastava et al. 2014 [srivastava2014], https://jmlr.org/papers/v15/srivastava14a.html and Srebro and
    Shraibman 2005 [srebro2005], https://doi.org/10.1007/11503415_37
    Departure: Keras's MaxNorm changes weights within the limit slightly (by 1e-7), too; here they stay bit for bit.

    >>> from regzoo.regularizers import MaxNorm
    >>> print(MaxNorm(3.0))
    max_norm(3.0)
    """

    limit: Strength = strength(Float(0.5, 4.0), neutral=float("inf"), domain="(0, inf]")

    def rule(self, weight: Weight) -> Projection | None:
        """Return a projection for each kernel and each embedding table."""
        if not (weight.kernel or weight.role == "embedding"):
            return None
        return Projection(functools.partial(self.shorten, axes=list_fan_in_axes(weight)))

    def shorten(self, w: Tensor, axes: Sequence[int]) -> Tensor:
        """Return the kernel ``w`` with norms over ``axes`` within the limit."""
        return w * keras.ops.minimum(1.0, self.limit / norm(w, axes))
