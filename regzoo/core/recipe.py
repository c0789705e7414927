"""Recipe: an immutable ordered sum of regularizers; the empty one is the baseline ``none``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regzoo.core.backbone import Backbone
from regzoo.core.component import construct
from regzoo.core.errors import InputError
from regzoo.core.fields import StrengthSpec
from regzoo.core.grammar import read_sum
from regzoo.core.ranges import Range
from regzoo.core.registry import regularizers
from regzoo.core.regularizer import IN_GRAPH, AfterTraining, Regularizer, places
from regzoo.core.schedules import Schedule

BASELINE = "none"


@dataclass(frozen=True)
class Recipe:
    """``Dropout(0.5) + L2(1e-4)``: what is done to a model, where, how strongly, in this order.

    >>> from regzoo.regularizers import Dropout, L2
    >>> print(Dropout(0.5) + L2(1e-4))
    dropout(0.5) + l2(0.0001)
    """

    parts: tuple[Regularizer, ...] = ()

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        for name in names:
            if names.count(name) > 1:
                count = names.count(name)
                raise InputError(f"a recipe holds each regularizer once, received {name} {count} times; keep one")
        for part in self.parts:
            reason = part.reject_recipe([other for other in self.parts if other is not part])
            if reason:
                raise InputError(f"{self}: {reason}")

    def __add__(self, other: Recipe | Regularizer) -> Recipe:
        return Recipe((*self.parts, *parts_of(other)))

    def __iter__(self) -> Iterator[Regularizer]:
        return iter(self.parts)

    def __str__(self) -> str:
        return " + ".join(str(part) for part in self.parts) or BASELINE

    @staticmethod
    def of(what: Recipe | Regularizer | str) -> Recipe:
        """Return the recipe for what a user may hand over: a recipe, one regularizer, or its spelling."""
        if isinstance(what, Recipe):
            return what
        if isinstance(what, Regularizer):
            return Recipe((what,))
        return parse(what)

    def space(self) -> dict[str, tuple[Range, StrengthSpec]]:
        """What is left to the search: ``{"dropout.rate": (Float(0.05, 0.7), its declaration)}``."""
        return {
            f"{part.name}.{field}": (value, part.strengths()[field])
            for part in self.parts
            for field, value in part.searched().items()
        }

    def fixed(self, values: Mapping[str, float]) -> Recipe:
        """Return this recipe with numbers in place of ranges; ``values`` is keyed as `space` is."""
        return Recipe(
            tuple(
                dataclasses.replace(part, **{f: values[f"{part.name}.{f}"] for f in part.searched()})
                for part in self.parts
            )
        )

    def dials(self) -> dict[str, float | Schedule]:
        """The strengths that can be turned without building anew, by ``name.field``."""
        return {
            f"{part.name}.{field}": value
            for part in self.parts
            if isinstance(part, IN_GRAPH)
            for field, value in part.dials().items()
        }

    def structure(self) -> tuple[Any, ...]:
        """What decides the traced program: equal structures share one, whatever their dials say."""
        return tuple(
            (
                type(part),
                *((f.name, getattr(part, f.name)) for f in dataclasses.fields(part) if f.name not in part.dials()),
            )
            for part in self.parts
            if isinstance(part, IN_GRAPH)
        )

    def without_post_training(self) -> Recipe:
        """What acts while one model is trained: without what only puts trained models together."""
        return Recipe(tuple(part for part in self.parts if places(part) != ["after"]))

    def n_models(self) -> int:
        """How many models a run of it trains."""
        return math.prod(part.n_models() for part in self.parts if isinstance(part, AfterTraining))

    def clashes(self, backbone: Backbone | None = None) -> list[str]:
        """What its parts say about standing side by side, and about acting in ``backbone``, a sentence each."""
        found = [part.warn_recipe(self.parts[:index]) for index, part in enumerate(self.parts)]
        found += [part.warn_backbone(backbone) for part in self.parts if backbone is not None]
        return [sentence for sentence in found if sentence]


def parts_of(what: Recipe | Regularizer) -> tuple[Regularizer, ...]:
    """The regularizers of a recipe, or the one itself: it may be of use only in a sum."""
    return what.parts if isinstance(what, Recipe) else (what,)


def parse(text: str) -> Recipe:
    """Read a recipe as it is written in a config. Nothing is evaluated.

    >>> parse("dropout(0.1..0.5) + l2").space()["dropout.rate"][0]
    Float(low=0.1, high=0.5)

    Raises:
        InputError: with the column, the name or the value that is wrong and what is allowed.
    """
    if not isinstance(text, str):
        raise InputError(f"a recipe is text such as 'dropout(0.5) + l2', received {text!r}")
    calls = read_sum(text)
    if len(calls) == 1 and calls[0].word == BASELINE and not (calls[0].positional or calls[0].keyword):
        return Recipe()
    if any(call.word == BASELINE for call in calls):
        raise InputError(f"{BASELINE} is the empty recipe: it takes no values and is not summed, received {text!r}")
    return Recipe(tuple(construct(call, regularizers(), "regularizer") for call in calls))
