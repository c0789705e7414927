"""Narrow regularizers to the layers that ``on`` and ``exclude`` name; refuse names that do not fit the model."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeVar

from regzoo.core import InputError, Recipe, Regularizer
from regzoo.core.places import AtLayers
from regzoo.core.selection import SELECTIONS, LayerPlace, LayerSelection, describe_layers, explain_missing

_SHOWN = 5

K = TypeVar("K", bound=Hashable)


def is_narrowed(regularizer: Regularizer) -> bool:
    """Return True if ``regularizer`` has an ``on`` or ``exclude``."""
    return isinstance(regularizer, AtLayers) and not (regularizer.on is None and regularizer.exclude is None)


def choose_places(regularizer: AtLayers, places: Sequence[LayerPlace]) -> list[bool]:
    """Return True for each place at which ``regularizer`` acts.

    ``first`` and ``last`` count what is left after ``exclude``.

    Args:
        regularizer: one that acts at layers.
        places: those at which it would act without ``on`` and ``exclude``, in the model's order.
    """
    excluded = regularizer.exclude.select(places) if regularizer.exclude else [False] * len(places)
    left = [place for place, out in zip(places, excluded, strict=True) if not out]
    chosen = iter(regularizer.on.select(left) if regularizer.on else [True] * len(left))
    return [not out and next(chosen) for out in excluded]


class PlaceCheck:
    """Collects where the regularizers of a recipe could act, and checks what the recipe says about it.

    Args:
        recipe: the recipe.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = dict(recipe.items())
        self._possible: dict[str, list[LayerPlace]] = {}
        self._chosen: dict[str, dict[Any, LayerPlace]] = {}
        self._model = self._out_of_reach = ""

    def choose(self, name: str, places: Mapping[K, LayerPlace]) -> set[K]:
        """Return the keys of the places at which the regularizer called ``name`` in the recipe acts.

        Args:
            name: see `Recipe.items`.
            places: those at which it could act, in the model's order. Keys are equal for the same slot or weight.
        """
        regularizer = self._recipe[name]
        assert isinstance(regularizer, AtLayers)
        self._possible.setdefault(name, []).extend(places.values())
        acts = choose_places(regularizer, list(places.values()))
        chosen = {key: place for (key, place), each in zip(places.items(), acts, strict=True) if each}
        self._chosen[name] = {**self._chosen.get(name, {}), **chosen}
        return set(chosen)

    def check(self, layers: Sequence[LayerPlace], model: str, out_of_reach: str = "") -> None:
        """Check that each name fits the model, that each leaves a place, and that no two of a kind act at the same.

        Args:
            layers: places of all layers of the model.
            model: the model in words, for messages.
            out_of_reach: sentences on layers that have no places, and how they would have.

        Raises:
            InputError: at the first that does not.
        """
        self._model, self._out_of_reach = model, out_of_reach
        for name, places in self._possible.items():
            regularizer = self._recipe[name]
            if not places:
                continue  # it acts nowhere, whatever it is narrowed to
            for field in SELECTIONS:
                for item in _list_items(getattr(regularizer, field)):
                    if not any(item.select(places)):
                        self._explain(regularizer, field, item, places, layers)
            if not self._chosen[name]:
                raise InputError(
                    f"{regularizer} leaves out every layer of {model} at which {regularizer.name} acts: "
                    f"{describe_layers(places)}"
                )
        self._reject_overlaps()

    def _explain(
        self,
        regularizer: Regularizer,
        field: str,
        item: LayerSelection,
        places: Sequence[LayerPlace],
        layers: Sequence[LayerPlace],
    ) -> None:
        """Reject a word or pattern that selects none of the ``places``; one to exclude may name any layer."""
        if not any(item.select(layers)):
            hint = explain_missing(item, layers)
            raise InputError(f"{regularizer}: {field}={item} names no layer of {self._model}.{hint}")
        if field == "on":
            raise InputError(
                f"{regularizer}: on={item} names layers of {self._model} at which {regularizer.name} has no place to "
                f"act; it acts at {describe_layers(places)}{self._out_of_reach}"
            )

    def _reject_overlaps(self) -> None:
        for (one, first), (other, second) in combinations(self._chosen.items(), 2):
            same = self._recipe[one], self._recipe[other]
            both = list(dict.fromkeys(place.path for key, place in first.items() if key in second))
            if same[0].name == same[1].name and both:
                shown = ", ".join(both[:_SHOWN]) + (f" and {len(both) - _SHOWN} more" if len(both) > _SHOWN else "")
                raise InputError(
                    f"{same[0]} and {same[1]} both act at {shown} of {self._model}: keep their layers apart"
                )


def _list_items(selection: LayerSelection | None) -> Iterable[LayerSelection]:
    return selection.list_items() if selection else ()
