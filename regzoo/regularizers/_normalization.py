"""Warnings about normalizations: two in one recipe, and dropout before batch norm."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core import Regularizer
from regzoo.core.places import AtLayers
from regzoo.core.regularizer import act_apart

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
        "residual_dropout",
        "embedding_dropout",
    }
)
"""Regularizers that give activations a larger variance in training than at inference."""


def warn_double_normalization(one: AtLayers, others: Sequence[Regularizer]) -> str | None:
    """Return a warning if one of ``others`` normalizes before the normalization ``one``, or None."""
    before = [other.name for other in others if other.name in NORMALIZATIONS and not act_apart(one, other)]
    return f"{one.name} normalizes again what {before[0]} has normalized" if before else None


def warn_variance_shift(one: AtLayers, others: Sequence[Regularizer]) -> str | None:
    """Return a warning about dropout and `batch_norm` in one recipe, or None.

    They act at slots of different kinds. In either order of the recipe, a layer's dropout comes before the batch norm
    of the next layer (Li et al. 2019, https://arxiv.org/abs/1801.05134). Dropout at the last place alone does not.

    Args:
        one: a regularizer.
        others: the recipe's regularizers before it.
    """
    for other in others:
        for dropout, norm in ((one, other), (other, one)):
            if dropout.name in VARIANCE_SHIFTING and norm.name == "batch_norm" and not comes_after(dropout, norm):
                return (
                    f"{dropout.name} shifts the variance that the next layer's batch_norm relies on at inference, "
                    "whichever of them is written first (Li 2019)"
                )
    return None


def warn_free_scale(penalty: Regularizer, other: Regularizer) -> str | None:
    """Return a warning about a penalty on activations whose scale costs nothing, or None.

    Scaling the activations of a layer down changes nothing where the next one is normalized, so the penalty is
    satisfied without an effect on the function; only the layer before the head is not free.
    """
    if other.name not in NORMALIZATIONS:
        return None
    return (
        f"{other.name} of the next layer undoes the scale of the activations that {penalty.name} penalizes: they can "
        "become small and stay as they are otherwise"
    )


def comes_after(dropout: Regularizer, norm: Regularizer) -> bool:
    """Return True if ``dropout`` acts at the last place, or at dense layers and ``norm`` at convolutions."""
    on = [str(each.on) if isinstance(each, AtLayers) else "" for each in (dropout, norm)]
    return on[0] == "last" or on == ["dense", "conv"]
