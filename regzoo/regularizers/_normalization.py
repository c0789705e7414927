"""Warnings about normalizations: two in one recipe, and dropout before batch norm."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core import Regularizer

NORMALIZATIONS = frozenset({"batch_norm", "layer_norm", "group_norm"})
"""Regularizers that normalize activations before the nonlinearity."""

VARIANCE_SHIFTING = frozenset(
    {
        "dropout",
        "classic_dropout",
        "gaussian_dropout",
        "alpha_dropout",
        "spatial_dropout",
        "dropblock",
        "concrete_dropout",
    }
)
"""Regularizers that give activations a larger variance in training than at inference."""


def warn_double_normalization(name: str, others: Sequence[Regularizer]) -> str | None:
    """Return a warning if one of ``others`` normalizes before the normalization ``name``, or None."""
    before = [other.name for other in others if other.name in NORMALIZATIONS]
    return f"{name} normalizes again what {before[0]} has normalized" if before else None


def warn_variance_shift(name: str, others: Sequence[Regularizer]) -> str | None:
    """Return a warning about dropout and `batch_norm` in one recipe, or None.

    They act at slots of different kinds. In either order of the recipe, a layer's dropout comes before the batch norm
    of the next layer (Li et al. 2019, https://arxiv.org/abs/1801.05134).

    Args:
        name: name of a regularizer.
        others: the recipe's regularizers before it.
    """
    for other in others:
        for dropout, norm in ((name, other.name), (other.name, name)):
            if dropout in VARIANCE_SHIFTING and norm == "batch_norm":
                return (
                    f"{dropout} shifts the variance that the next layer's batch_norm relies on at inference, "
                    "whichever of them is written first (Li 2019)"
                )
    return None
