"""Narrow regularizers to the layers that ``on`` and ``exclude`` name; refuse names that do not fit the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from regzoo.core import InputError, Recipe, Regularizer
from regzoo.core.places import AtLayers
from regzoo.core.selection import SELECTIONS, LayerPlace, LayerSelection, describe_layers, explain_missing

_SHOWN = 5


def is_narrowed(regularizer: Regularizer) -> bool:
    """Return True if ``regularizer`` has an ``on`` or ``exclude``."""
    return isinstance(regularizer, AtLayers) and not (regularizer.on is None and regularizer.exclude is None)


def choose_layers(regularizer: Regularizer, places: Sequence[LayerPlace]) -> set[str]:
    """Return the paths of the layers at which ``regularizer`` acts.

    ``first`` and ``last`` count what is left after ``exclude``.

    Args:
        regularizer: one that acts at layers.
        places: those of the layers at which it would act without ``on`` and ``exclude``, in the model's order.
    """
    assert isinstance(regularizer, AtLayers)
    excluded = regularizer.exclude.select(places) if regularizer.exclude else set()
    left = [place for place in places if place.path not in excluded]
    return regularizer.on.select(left) if regularizer.on else {place.path for place in left}


class PlaceCheck:
    """Collects where the regularizers of a recipe could act, and checks what the recipe says about it.

    Args:
        recipe: the recipe.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = dict(recipe.items())
        self._possible: dict[str, list[LayerPlace]] = {}

    def choose(self, name: str, places: Sequence[LayerPlace]) -> set[str]:
        """Return the paths of the layers at which the regularizer called ``name`` in the recipe acts.

        Args:
            name: see `Recipe.items`.
            places: those of the layers at which it could act.
        """
        self._possible.setdefault(name, []).extend(places)
        return choose_layers(self._recipe[name], places)

    def check(self, layers: Sequence[LayerPlace], model: str) -> None:
        """Check that each name fits the model, that each leaves a place, and that the same two act at no layer twice.

        Args:
            layers: places of all layers of the model.
            model: the model in words, for messages.

        Raises:
            InputError: at the first that does not.
        """
        for name, places in self._possible.items():
            regularizer = self._recipe[name]
            if not places:
                continue  # it acts nowhere, whatever it is narrowed to
            for field in SELECTIONS:
                for item in _list_items(getattr(regularizer, field)):
                    if not item.select(places):
                        self._explain(regularizer, field, item, places, layers, model)
            if not choose_layers(regularizer, places):
                raise InputError(
                    f"{regularizer} leaves out every layer of {model} at which {regularizer.name} acts: "
                    f"{describe_layers(places)}"
                )
        self._reject_overlaps(model)

    def _explain(
        self,
        regularizer: Regularizer,
        field: str,
        item: LayerSelection,
        places: Sequence[LayerPlace],
        layers: Sequence[LayerPlace],
        model: str,
    ) -> None:
        """Reject a word or pattern that selects none of the ``places``; one to exclude may name any layer."""
        if not item.select(layers):
            hint = explain_missing(item, layers)
            raise InputError(f"{regularizer}: {field}={item} names no layer of {model}.{hint}")
        if field == "on":
            raise InputError(
                f"{regularizer}: on={item} names layers of {model} at which {regularizer.name} has no place to act; "
                f"it acts at {describe_layers(places)}"
            )

    def _reject_overlaps(self, model: str) -> None:
        for (one, first), (other, second) in combinations(self._possible.items(), 2):
            same = self._recipe[one], self._recipe[other]
            if same[0].name != same[1].name:
                continue
            both = sorted(choose_layers(same[0], first) & choose_layers(same[1], second))
            if both:
                shown = ", ".join(both[:_SHOWN]) + (f" and {len(both) - _SHOWN} more" if len(both) > _SHOWN else "")
                raise InputError(f"{same[0]} and {same[1]} both act at {shown} of {model}: keep their layers apart")


def _list_items(selection: LayerSelection | None) -> Iterable[LayerSelection]:
    return selection.list_items() if selection else ()
