"""What normalizing activations does not go with: a second normalization, and dropout before a batch norm."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core import Regularizer

NORMALIZATIONS = frozenset({"batch_norm", "layer_norm", "group_norm"})

SHIFTING = frozenset(
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
"""What makes activations vary more in training than at inference."""


def twice(name: str, others: Sequence[Regularizer]) -> str | None:
    """What is doubtful about the normalization ``name`` after ``others``: one of them normalizes, too."""
    before = [other.name for other in others if other.name in NORMALIZATIONS]
    return f"{name} normalizes again what {before[0]} has normalized" if before else None


def shifted(name: str, others: Sequence[Regularizer]) -> str | None:
    """What is doubtful about dropout and `batch_norm` in one recipe, of which ``name`` is the one written last.

    They act at slots of different kinds, so whichever is written first, the dropout of a layer stands before the batch
    norm of the next (Li et al. 2019, https://arxiv.org/abs/1801.05134).
    """
    for other in others:
        for dropout, norm in ((name, other.name), (other.name, name)):
            if dropout in SHIFTING and norm == "batch_norm":
                return (
                    f"{dropout} shifts the variance that the next layer's batch_norm relies on at inference, "
                    "whichever of them is written first (Li 2019)"
                )
    return None
