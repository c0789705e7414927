"""Models that predict at several positions of an example, such as time steps or pixels."""

from __future__ import annotations

from regzoo.core import InputError, OnBatch, OnForward, OnLoss, Recipe


def reject_acting_on_examples(recipe: Recipe, shape: tuple[int | None, ...]) -> None:
    """Reject regularizers that act on the targets or the loss of examples, each of which has several positions."""
    for regularizer in recipe:
        if isinstance(regularizer, OnBatch | OnForward | OnLoss):
            raise InputError(
                f"{regularizer.name} acts on one prediction for each example, received outputs of shape {shape}, one "
                "at each of several positions: leave it out, or pool the positions before the last layer"
            )
