"""Base class `Regularizer` and the immutable sum of regularizers, `Recipe`.

A regularizer subclasses the places where it acts (`regzoo.core.places`); its fields are its strengths and settings. In
a built model the fields hold dials (scalar variables), so a method body reads like the formula.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from regzoo.core.backbone import Backbone
from regzoo.core.component import Component, get_specs
from regzoo.core.errors import InputError
from regzoo.core.fields import StrengthSpec
from regzoo.core.ranges import Choice, Float, Int, Range
from regzoo.core.schedules import Schedule
from regzoo.core.selection import SELECTIONS

BASELINE = "none"
"""The name of the empty recipe."""


@dataclass(frozen=True)
class Regularizer(Component):
    """Base class of all places. Subclass a place, not this class."""

    in_graph: ClassVar[bool] = False
    """True if it acts inside the train step, so that it is part of the traced program. Places set it."""

    in_training: ClassVar[bool] = False
    """True if it acts while a model is trained, in the train step or in the loop. Places set it."""

    averages: ClassVar[bool] = False
    """True if the weights that are judged after each epoch, and that training ends with, are averages."""

    requires: ClassVar[frozenset[str]] = frozenset()
    """Requirements on the data: ``images``, ``rows``, ``classes``, or ``targets`` that differ from the inputs.

    If one is not met, building the model raises an InputError.
    """

    requires_recipe: ClassVar[str] = ""
    """A recipe that it cannot do without, such as ``dropout(0.5)``; the contract tests it together with that recipe."""

    cost: ClassVar[float] = 1.0
    """Forward-and-backward passes through the model that a training step takes; the contract counts them.

    Work outside these passes, such as at prediction or once a run, is described in the docstring's paragraph
    ``Cost: ...``.
    """

    def __add__(self, other: Recipe | Regularizer) -> Recipe:
        return Recipe((self, *_get_summands(other)))

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Return a sentence on why combining it with ``others`` in one recipe is questionable, or None.

        Args:
            others: the recipe's regularizers before this one, in order.
        """
        return None

    def warn_pair(self, other: Regularizer) -> str | None:
        """Return a sentence on why it and ``other`` in one recipe, in whatever order, are questionable, or None.

        One of two says so, not both; neither is asked where the two act at layers of different kinds.
        """
        return None

    def reject_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Return a sentence on why it cannot be combined with ``others`` in one recipe, or None.

        Args:
            others: all other regularizers of the recipe, in order.
        """
        return None

    def explain_missing_noise(self, others: Sequence[Regularizer]) -> str | None:
        """Return a sentence on the noise that it needs and ``others`` do not make, or None.

        A model that has such noise of its own needs none of the recipe's, so it is asked once the model is known.

        Args:
            others: all other regularizers of the recipe, in order.
        """
        return None

    def warn_backbone(self, backbone: Backbone) -> str | None:
        """Return a sentence on why using it in ``backbone`` is questionable, or None."""
        return None

    @classmethod
    def explain_missing_field(cls, field: str) -> str | None:
        """Return a sentence on why it has no ``on`` or ``exclude``, for these two fields."""
        if field not in SELECTIONS:
            return None
        return (
            f"{field}= is for regularizers that act on activations or weights, such as dropout and l2, and this one "
            "acts on the model as a whole; leave it out"
        )

    def n_models(self) -> int:
        """Return how many independently seeded models to train for it; only `AfterTraining` may need several."""
        return 1

    @final
    def strengths(self) -> dict[str, StrengthSpec]:
        """Return the declarations of its strengths, by field."""
        return {field: spec for field, spec in get_specs(type(self)).items() if isinstance(spec, StrengthSpec)}

    @final
    def ranges(self) -> dict[str, Float | Int | Choice]:
        """Return the strengths that are left to the search, by field."""
        values = {field: getattr(self, field) for field in self.strengths()}
        return {field: value for field, value in values.items() if isinstance(value, Float | Int | Choice)}

    @final
    def dials(self) -> dict[str, float | Schedule]:
        """Return the strengths that can be changed in a built model, by field: a number or a schedule."""
        return {field: getattr(self, field) for field, spec in self.strengths().items() if spec.dial}

    @final
    def neutral(self) -> Regularizer | None:
        """Return this regularizer at the strengths at which it does nothing, or None if there are none."""
        values = {field: spec.neutral for field, spec in self.strengths().items()}
        known = {field: value for field, value in values.items() if value is not None}
        return type(self)(**known) if known and len(known) == len(values) else None


@dataclass(frozen=True)
class Recipe:
    """An immutable ordered sum of regularizers; the empty recipe is the baseline ``none``.

    >>> from regzoo.regularizers import Dropout, L2
    >>> print(Dropout(0.5) + L2(1e-4))
    dropout(0.5) + l2(0.0001)
    """

    regularizers: tuple[Regularizer, ...] = ()

    of: ClassVar[Callable[[Recipe | Regularizer | str], Recipe]]
    """The same as `regzoo.core.parsing.as_recipe`, which knows the regularizers by name and sets this."""

    def __post_init__(self) -> None:
        _require_different_places(self.regularizers)
        for regularizer in self.regularizers:
            reason = regularizer.reject_recipe([other for other in self.regularizers if other is not regularizer])
            if reason:
                raise InputError(f"{self}: {reason}")

    @property
    def parts(self) -> tuple[Regularizer, ...]:
        """The same as `regularizers`, under its earlier name."""
        return self.regularizers

    def __add__(self, other: Recipe | Regularizer) -> Recipe:
        return Recipe((*self.regularizers, *_get_summands(other)))

    def __iter__(self) -> Iterator[Regularizer]:
        return iter(self.regularizers)

    def __str__(self) -> str:
        return " + ".join(str(regularizer) for regularizer in self.regularizers) or BASELINE

    def items(self) -> list[tuple[str, Regularizer]]:
        """Return the regularizers in order, each with a name that it alone has in this recipe; see `name_uniquely`.

        >>> from regzoo.core import parse
        >>> [name for name, _ in parse("dropout(0.2, on=conv) + dropout(0.5, on=dense) + l2(0.1, on=conv)").items()]
        ['dropout[conv]', 'dropout[dense]', 'l2']
        """
        return list(zip(name_uniquely(self.regularizers), self.regularizers, strict=True))

    def explain_missing_noise(self) -> str | None:
        """Return a sentence on the noise inside the model that this recipe needs and does not make, or None."""
        found = [one.explain_missing_noise([o for o in self.regularizers if o is not one]) for one in self.regularizers]
        return next((sentence for sentence in found if sentence), None)

    def space(self) -> dict[str, tuple[Range, StrengthSpec]]:
        """Return what is left to the search: ``{"dropout.rate": (Float(0.05, 0.7), its declaration)}``."""
        return {
            f"{name}.{field}": (value, regularizer.strengths()[field])
            for name, regularizer in self.items()
            for field, value in regularizer.ranges().items()
        }

    def with_strengths(self, values: Mapping[str, float]) -> Recipe:
        """Return this recipe with numbers in place of ranges.

        Args:
            values: a number for each key of `space`.
        """
        return Recipe(
            tuple(
                dataclasses.replace(regularizer, **{f: values[f"{name}.{f}"] for f in regularizer.ranges()})
                for name, regularizer in self.items()
            )
        )

    def dials(self) -> dict[str, float | Schedule]:
        """Return the strengths that can be changed without rebuilding the model, by ``name.field``."""
        return {
            f"{name}.{field}": value
            for name, regularizer in self.items()
            if regularizer.in_graph
            for field, value in regularizer.dials().items()
        }

    def structure(self) -> tuple[Any, ...]:
        """Return what determines the traced program: recipes of equal structure share one, at any dials."""
        return tuple(
            (
                type(regularizer),
                *(
                    (field.name, getattr(regularizer, field.name))
                    for field in dataclasses.fields(regularizer)
                    if field.name not in regularizer.dials() and getattr(regularizer, field.name) is not None
                ),
            )
            for regularizer in self.regularizers
            if regularizer.in_graph
        )

    def without_post_training(self) -> Recipe:
        """Return the recipe without the regularizers that act on trained models only."""
        return Recipe(tuple(regularizer for regularizer in self.regularizers if regularizer.in_training))

    def n_models(self) -> int:
        """Return how many models a run of this recipe trains."""
        return math.prod(regularizer.n_models() for regularizer in self.regularizers)

    def clashes(self, backbone: Backbone | None = None) -> list[str]:
        """Return the warnings of its regularizers about one another and about ``backbone``, a sentence each."""
        found = [one.warn_recipe(self.regularizers[:index]) for index, one in enumerate(self.regularizers)]
        pairs = itertools.permutations(self.regularizers, 2)
        found += [one.warn_pair(other) for one, other in pairs if not act_apart(one, other)]
        if backbone is not None:
            found += [regularizer.warn_backbone(backbone) for regularizer in self.regularizers]
        return [sentence for sentence in found if sentence]


def name_uniquely(regularizers: Sequence[Regularizer]) -> list[str]:
    """Return a name for each of a recipe's regularizers: its own, and where several have it, its layers in brackets.

    These names are the first part of the names of strengths, such as ``dropout.rate`` and ``dropout[conv].rate``.
    """
    names = [regularizer.name for regularizer in regularizers]
    return [f"{one.name}[{_label(one)}]" if names.count(one.name) > 1 else one.name for one in regularizers]


def act_apart(one: Regularizer, other: Regularizer) -> bool:
    """Return True if the two act at layers of different kinds; two of a name have to, whatever they are narrowed to."""
    first, second = (getattr(each, "on", None) for each in (one, other))
    return one.name == other.name or bool(first and second and first.is_apart(second))


def get_ends(regularizer: Regularizer, strength: str) -> tuple[float, float]:
    """Return the lowest and the highest number that a strength may take, be it a number, a range or a schedule."""
    value = getattr(regularizer, strength)
    values = value.values() if isinstance(value, Float | Int | Choice | Schedule) else (value,)
    return min(values), max(values)


def _label(regularizer: Regularizer) -> str:
    """Return the layers of a regularizer as names of strengths have them: ``conv|dense``, ``exclude='head_*'``."""
    on, exclude = (getattr(regularizer, field, None) for field in SELECTIONS)
    return ", ".join([*([str(on)] if on else []), *([f"exclude={exclude}"] if exclude else [])])


def _require_different_places(regularizers: Sequence[Regularizer]) -> None:
    """Reject a regularizer that stands several times, unless each has layers of its own.

    Whether these overlap is known only once the model is.
    """
    for name in dict.fromkeys(regularizer.name for regularizer in regularizers):
        same = [regularizer for regularizer in regularizers if regularizer.name == name]
        labels = [_label(regularizer) for regularizer in same]
        if len(same) == 1 or (all(labels) and len(set(labels)) == len(same)):
            continue
        narrows = {*SELECTIONS} <= {*get_specs(type(same[0]))}
        apart = f", or let each act at layers of its own, such as {name}(on=conv) + {name}(on=dense)" if narrows else ""
        raise InputError(f"a recipe holds each regularizer once, received {name} {len(same)} times; keep one{apart}")


def _get_summands(other: Recipe | Regularizer) -> tuple[Regularizer, ...]:
    """Return the regularizers of ``other``; one alone makes no recipe yet, since it may be valid in the sum only."""
    return other.regularizers if isinstance(other, Recipe) else (other,)
