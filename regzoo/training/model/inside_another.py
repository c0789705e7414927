"""Warning of what a recipe loses where its model is trained as a layer of another model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from regzoo.core import Recipe, Regularizer, Schedule
from regzoo.core.errors import InactiveRecipeWarning


def list_lost_inside(recipe: Recipe, regularizers: Sequence[Regularizer], places: tuple[type[Any], ...]) -> list[str]:
    """Return what acts in the model's own ``fit`` alone: regularizers by name, and schedules.

    Args:
        recipe: the recipe.
        regularizers: its regularizers, as the model has them.
        places: the base classes of those that act in ``fit`` alone.
    """
    acting = zip(recipe.items(), regularizers, strict=True)
    lost = [name for (name, _), each in acting if isinstance(each, places)]
    schedules = [dial for dial, strength in recipe.dials().items() if isinstance(strength, Schedule)]
    scheduled = [dial for dial in schedules if dial.rpartition(".")[0] not in lost]
    return [*lost, *(f"the schedule of {dial}" for dial in scheduled)]


def warn_lost_inside(name: str, outer: str, recipe: Recipe, lost: Sequence[str]) -> None:
    """Warn that the model ``name`` loses ``lost`` as a layer of the model ``outer``."""
    warnings.warn(
        f"the model {name!r} with the recipe {recipe} is trained as a layer of {outer!r}, where {' and '.join(lost)} "
        f"would need the fit of {name!r} itself to act, and does nothing: put the model that it was made of in its "
        "place, and attach the recipe to the whole model; or freeze it by trainable = False",
        InactiveRecipeWarning,
        stacklevel=2,
    )
