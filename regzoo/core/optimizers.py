"""Optimizers inside of optimizers: Keras's LossScaleOptimizer holds one, its MultiOptimizer one for each weight."""

from __future__ import annotations

from typing import Any


def list_optimizers(optimizer: Any) -> list[Any]:
    """Return the optimizers that update weights for ``optimizer``, itself if there are no others.

    A `MultiOptimizer` that chooses them by a function has none before it is built.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(getattr(inner, "optimizers", [inner]))
