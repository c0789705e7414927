"""Elastic net: L1 and L2 penalties together by proximal steps, with exact zeros."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Proximal, Regularizer, Strength, Tensor, Weight, setting, strength
from regzoo.core.roles import MULTIPLYING
from regzoo.regularizers._proximal import soft_threshold, warn_zeros


@dataclass(frozen=True)
class ElasticNet(OnWeights):
    """Shrink all weights after each step, and move each toward zero and hold those that arrive at exactly zero.

    Formula: w <- sign(w) max(|w| - a l1_ratio, 0) / (1 + a (1 - l1_ratio)) with a = learning_rate strength, after each
    step of the optimizer, on kernels, recurrent ones and LoRA's included, and embedding tables. Biases, scales and
    position embeddings stay.

    With plain SGD this minimizes L + strength (l1_ratio sum |w| + (1 - l1_ratio) / 2 sum w^2), the penalty of
    scikit-learn's ElasticNet and of glmnet; scikit-learn halves the squared error as well, so its ``alpha`` is half of
    ``strength``. Of inputs that are correlated it keeps several, where the lasso keeps one. `l1_l2` has the same
    penalties in the loss, without exact zeros. With momentum and adaptive optimizers ``strength`` acts as described in
    `proximal_l1`: the step size is the learning rate.

    Args:
        strength: weight of both penalties, in [0, inf); 0 does nothing. The range is that of `proximal_l1`.
        l1_ratio: share of the absolute penalty, in [0, 1]: 1 is `proximal_l1`, 0 shrinks without zeros.

    Raises:
        InputError: if ``strength`` or ``l1_ratio`` lies outside its domain.

    Reference: Zou and Hastie 2005 [zou2005], https://doi.org/10.1111/j.1467-9868.2005.00503.x and, for this
    parametrization, Friedman et al. 2010 [friedman2010], https://doi.org/10.18637/jss.v033.i01

    >>> from regzoo.regularizers import ElasticNet
    >>> print(ElasticNet(0.01, l1_ratio=0.9))
    elastic_net(strength=0.01, l1_ratio=0.9)
    """

    strength: Strength = strength(Float(1e-4, 1e-1), neutral=0.0, domain="[0, inf)", log=True)
    l1_ratio: float = setting(0.5, domain="[0, 1]")

    def rule(self, weight: Weight) -> Proximal | None:
        """Return a proximal step for each kernel and each embedding table."""
        return Proximal(self.shrink) if weight.role in MULTIPLYING else None

    def shrink(self, w: Tensor, step_size: Tensor) -> Tensor:
        """Return ``w`` (any shape) after the proximal step of both penalties."""
        amount = step_size * self.strength
        moved = soft_threshold(w, amount * self.l1_ratio)
        return moved / (1.0 + amount * (1.0 - self.l1_ratio))

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about the same penalty twice, and about averages over steps."""
        return warn_zeros(self.name, other, ("l1", "l2", "l1_l2", "proximal_l1"))
