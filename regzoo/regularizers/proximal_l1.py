"""L1 penalty on weights by proximal steps (lasso with exact zeros)."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Proximal, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.roles import MULTIPLYING
from regzoo.regularizers._proximal import soft_threshold, warn_zeros


@dataclass(frozen=True)
class ProximalL1(OnWeights):
    """Move each weight toward zero after each step and hold those that arrive at exactly zero.

    Formula: w <- sign(w) max(|w| - learning_rate strength, 0) after each step of the optimizer, on kernels, recurrent
    ones and LoRA's included, and embedding tables. Biases, scales and position embeddings stay.

    The step size is the learning rate, a schedule's value of the step included, with every optimizer: decoupled, as
    the decay of AdamW. With plain SGD this is proximal gradient descent, which minimizes L + strength sum |w|; a weight
    stays zero as long as its gradient is smaller than ``strength``. Momentum m adds up 1 / (1 - m) gradients, so
    ``strength`` acts as (1 - m) ``strength`` does without it. Adam, RMSprop and others divide the gradient by its size,
    and ``strength`` counts in units of that: a gradient of changing sign is held at zero, a steady one only from a
    strength of 1 on. That is why the range reaches further up than that of `l1`.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing. A weight without gradients loses learning_rate
            strength in each step: in a run of learning_rate steps = 1, such as 1,000 steps at 0.001, just ``strength``,
            so the range reaches from no effect to the size of initial weights.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Duchi and Singer 2009 [duchi2009], https://jmlr.org/papers/v10/duchi09a.html and Tibshirani 1996
    [tibshirani1996], https://doi.org/10.1111/j.2517-6161.1996.tb02080.x

    >>> from regzoo.regularizers import ProximalL1
    >>> print(ProximalL1(0.01))
    proximal_l1(0.01)
    """

    strength: Strength = strength(Float(1e-4, 1e-1), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Proximal | None:
        """Return a proximal step for each kernel and each embedding table."""
        return Proximal(self.shrink) if weight.role in MULTIPLYING else None

    def shrink(self, w: Tensor, step_size: Tensor) -> Tensor:
        """Return ``w`` (any shape) moved toward zero by the step size times the strength."""
        return soft_threshold(w, step_size * self.strength)

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about the same penalty twice, and about averages over steps."""
        return warn_zeros(self.name, other, ("l1", "l1_l2"))
