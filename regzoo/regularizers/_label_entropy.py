"""Entropy of softened labels: the training loss that no prediction can beat."""

from __future__ import annotations

import math

from regzoo.core import Regularizer
from regzoo.core.regularizer import get_ends

TERMS = 1000
"""Terms of a sum; what is left of it is less than alpha / 1000."""


def bound_loss(regularizer: Regularizer) -> float:
    """Return the lowest mean training loss, in nats, of two balanced classes with ``regularizer``; 0 for most.

    With more classes it is higher. Where the labels are random it is the lowest expected loss. A strength that is
    searched or scheduled counts at its highest.
    """
    if regularizer.name in ("label_smoothing", "label_noise"):
        field = "eps" if regularizer.name == "label_smoothing" else "rate"
        return compute_entropy(get_ends(regularizer, field)[1] / 2.0)
    if regularizer.name == "mixup":
        return compute_mixed_entropy(get_ends(regularizer, "alpha")[1]) / 2.0  # half of the partners differ
    if regularizer.name == "cutmix":
        return get_ends(regularizer, "rate")[1] * compute_mixed_entropy(1.0) / 2.0
    if regularizer.name == "mixup_or_cutmix":
        switch, alpha = (getattr(regularizer, field) for field in ("switch", "alpha"))
        mixed = switch * compute_mixed_entropy(1.0) + (1.0 - switch) * compute_mixed_entropy(alpha)
        return get_ends(regularizer, "rate")[1] * float(mixed) / 2.0
    return 0.0


def compute_entropy(share: float) -> float:
    """Return the entropy of two classes of probability ``share`` and 1 - ``share``, in nats."""
    return -sum(p * math.log(p) for p in (share, 1.0 - share) if p > 0.0)


def compute_mixed_entropy(alpha: float) -> float:
    """Return the mean entropy of two classes of probability s and 1 - s, s ~ Beta(alpha, alpha), in nats.

    It is psi(2 alpha + 1) - psi(alpha + 1), psi the digamma function; 1/2 for alpha 1, where s is uniform.
    """
    if math.isinf(alpha):
        return math.log(2.0)
    rest = math.log((TERMS + 0.5 + 2.0 * alpha) / (TERMS + 0.5 + alpha))  # the integral that follows the sum
    return sum(alpha / ((n + alpha) * (n + 2.0 * alpha)) for n in range(1, TERMS + 1)) + rest
