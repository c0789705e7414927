"""Max-norm constraint on the incoming weights of each unit."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Projection, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import unit_norms


@dataclass(frozen=True)
class MaxNorm(OnWeights):
    """Shorten the incoming weights of each unit to length ``limit`` when a step has made them longer.

    Formula: w <- w min(1, limit / norm(w)), after each step and for each unit: norms over all axes of a kernel but
    the last. Biases stay.

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
        """Return a projection for each kernel."""
        return Projection(self.shorten) if weight.kernel else None

    def shorten(self, w: Tensor) -> Tensor:
        """Return the kernel ``w`` (..., units) with norms within the limit."""
        return w * keras.ops.minimum(1.0, self.limit / unit_norms(w))
