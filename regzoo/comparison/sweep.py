"""Sweep: a comparison whose recipes differ in the value of one strength, or of two.

The experiment's recipe that has the strength is copied once for each value. Its other strengths and the learning rate
are searched as always, so ledger, workers, ranking, report and model are those of any comparison.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.comparison.spread_values import spread_values
from regzoo.config import Experiment
from regzoo.config.values import LONGEST_NAME
from regzoo.core import InputError, Recipe, Regularizer, parse, regularizers
from regzoo.core.augmentation import makes_copies
from regzoo.core.component import get_specs
from regzoo.core.errors import did_you_mean
from regzoo.core.fields import StrengthSpec
from regzoo.core.grammar import Call, read_value
from regzoo.core.ranges import Choice, Cycles, Float, Int
from regzoo.core.regularizer import BASELINE
from regzoo.core.schedules import Schedule
from regzoo.core.selection import SELECTIONS, read_label

_NO_FOLDER_NAME = re.compile(r"[^A-Za-z0-9._-]+")

COUNTS = {1: 9, 2: 5}
"""Default number of values of a strength, by the number of strengths."""


@dataclass(frozen=True)
class SweptStrength:
    """One strength of a sweep.

    Attributes:
        name: name of the strength, such as ``dropout.rate``.
        values: its values, from small to large.
        neutral: the value at which the regularizer does nothing, as far as it depends on this strength; None if it has
            none.
        log: whether the strength has a logarithmic scale.
        complement: whether 1 - strength has one.
    """

    name: str
    values: tuple[float, ...]
    neutral: float | None
    log: bool
    complement: bool = False

    def steps(self, value: float) -> int | None:
        """Return the number of values milder than ``value``, so nearer to neutral; None if no value is neutral.

        >>> SweptStrength("dropout.rate", (0.0, 0.2, 0.5), 0.0, False).steps(0.5)
        2
        """
        return (
            None
            if self.neutral is None
            else sum(self._distance(other) < self._distance(value) for other in self.values)
        )

    def _distance(self, value: float) -> float:
        assert self.neutral is not None
        return -value if math.isinf(self.neutral) else abs(value - self.neutral)


@dataclass(frozen=True)
class Sweep:
    """The swept strengths, and the recipe at each combination of their values; the last strength varies fastest."""

    over: tuple[SweptStrength, ...]
    recipes: tuple[str, ...]

    def combinations(self) -> dict[str, tuple[float, ...]]:
        """Return the values of each recipe, in the order of ``over``."""
        return dict(zip(self.recipes, itertools.product(*(swept.values for swept in self.over)), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values; numbers are text, because the neutral value of a limit is infinite."""
        over = [
            {
                "name": swept.name,
                "values": [repr(value) for value in swept.values],
                "neutral": None if swept.neutral is None else repr(swept.neutral),
                "log": swept.log,
                **({"complement": True} if swept.complement else {}),
            }
            for swept in self.over
        ]
        return {"over": over, "recipes": list(self.recipes)}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Sweep:
        """Read what `to_dict` returned."""
        over = [
            SweptStrength(
                name=swept["name"],
                values=tuple(float(value) for value in swept["values"]),
                neutral=None if swept.get("neutral") is None else float(swept["neutral"]),
                log=bool(swept.get("log")),
                complement=bool(swept.get("complement")),
            )
            for swept in values["over"]
        ]
        return Sweep(tuple(over), tuple(values["recipes"]))


def make_sweep(
    experiment: Experiment, over: Sequence[str], values: Sequence[Sequence[Any]] = ()
) -> tuple[Experiment, Sweep]:
    """Return the comparison that sweeps ``over`` in ``experiment``, and what it sweeps.

    Args:
        experiment: its first recipe that has the swept strengths is varied; without one, the regularizer alone is.
        over: one strength or two, such as ``["dropout.rate"]``; ``dropout[conv].rate`` is that of
            ``dropout(on=conv)``, for a recipe in which dropout stands twice.
        values: numbers for each of ``over``, in the same order; by default 9 (5 each for two strengths), spread
            over the range that the recipe leaves to the search, the neutral value included.

    Raises:
        InputError: if there is no such strength, it is scheduled, or a value lies outside its domain.
    """
    specs = _find_strengths(over)
    if values and len(values) != len(over):
        raise InputError(f"values: one list for each strength swept, received {len(values)} for {len(over)}")
    recipe, over = _choose_recipe(experiment, over)
    declared = {name: _declare(recipe, name, spec) for name, spec in zip(over, specs, strict=True)}
    epochs = experiment.training.epochs
    given = values or [_default_values(recipe, name, declared[name], COUNTS[len(over)], epochs) for name in over]
    axes = [
        SweptStrength(name, _check_values(name, spec, some), spec.neutral, spec.log, spec.complement)
        for (name, spec), some in zip(declared.items(), given, strict=True)
    ]
    points = itertools.product(*(swept.values for swept in axes))
    names = [str(_fix_strengths(recipe, dict(zip(over, point, strict=True)))) for point in points]
    name = "-".join([experiment.name, *(_NO_FOLDER_NAME.sub("-", each) for each in over)])[:LONGEST_NAME]
    changed = experiment.model_copy(update={"name": name, "recipes": (BASELINE, *names)})
    return changed, Sweep(tuple(axes), tuple(names))


def read_values(text: str) -> list[Any]:
    """Read ``0,0.1,0.2``.

    >>> read_values("0, 0.1, 1e-3")
    [0, 0.1, 0.001]

    Raises:
        InputError: if ``text`` is no list of values.
    """
    try:
        values: list[Any] = read_value(f"[{text}]")
    except InputError as error:
        raise InputError(f"values: takes numbers with commas, such as 0,0.1,0.2; received {text!r} ({error})") from None
    return values


def _find_strengths(over: Sequence[str]) -> list[StrengthSpec]:
    """Return the declarations of the strengths in ``over``."""
    if not 1 <= len(over) <= len(COUNTS) or len(set(over)) < len(over):
        raise InputError(f"over: takes one strength, or two different ones, received {', '.join(over) or 'none'}")
    kinds = regularizers()
    known = {
        f"{kind.name}.{field}": spec
        for kind in kinds.values()
        for field, spec in get_specs(kind).items()
        if isinstance(spec, StrengthSpec)
    }
    found = []
    for name in over:
        owner, _, field = _split(name)
        if f"{owner}.{field}" not in known:
            own = [strength for strength in known if strength.startswith(f"{owner}.")] if owner in kinds else []
            hint = f" Available: {', '.join(own)}." if own else did_you_mean(name, known)
            raise InputError(f"over: there is no strength {name!r}.{hint}")
        found.append(known[f"{owner}.{field}"])
    return found


def _split(name: str) -> tuple[str, str, str]:
    """Split ``dropout[conv].rate`` into the regularizer's name, what narrows it (``on=conv``) and the field."""
    owner, _, field = name.rpartition(".")
    return *read_label(owner or name), field


def _choose_recipe(experiment: Experiment, over: Sequence[str]) -> tuple[Recipe, list[str]]:
    """Return the recipe to vary, and the names that the strengths in ``over`` have in it."""
    recipes = experiment.parse_recipes()
    found = ((recipe, names) for recipe in recipes if (names := _find_names(recipe, over)) is not None)
    recipe, names = next(found, None) or _make_recipe(recipes, over)
    for name in names:
        if isinstance(_read_strength(recipe, name), Schedule):
            raise InputError(
                f"over: {name} is scheduled in {str(recipe)!r}, and a sweep fixes it to one number at a time: put a "
                f"recipe in front that leaves it to the search, such as {_split(name)[0]}"
            )
    return recipe, names


def _make_recipe(recipes: Sequence[Recipe], over: Sequence[str]) -> tuple[Recipe, list[str]]:
    """Return a recipe of the swept regularizers alone; not if one of them stands several times in a recipe."""
    for owner, narrowed, field in map(_split, over):
        for recipe in recipes:
            keys = [key for key, each in recipe.items() if each.name == owner]
            if len(keys) > 1 and not narrowed:
                raise InputError(
                    f"over: {owner} stands {len(keys)} times in {str(recipe)!r}: choose one of "
                    f"{', '.join(f'{key}.{field}' for key in keys)}"
                )
    owners = dict.fromkeys(f"{owner}({narrowed})" for owner, narrowed, _ in map(_split, over))
    recipe = parse(" + ".join(owners))
    names = _find_names(recipe, over)
    assert names is not None
    return recipe, names


def _find_names(recipe: Recipe, over: Sequence[str]) -> list[str] | None:
    """Return the names that the strengths in ``over`` have in ``recipe``; None if it lacks one, or has it twice."""
    names = []
    for owner, narrowed, field in map(_split, over):
        wanted = next(iter(parse(f"{owner}({narrowed})"))) if narrowed else None
        keys = [
            key
            for key, each in recipe.items()
            if each.name == owner and (wanted is None or _get_layers(each) == _get_layers(wanted))
        ]
        if len(keys) != 1:
            return None
        names.append(f"{keys[0]}.{field}")
    return names


def _get_layers(regularizer: Regularizer) -> tuple[Any, ...]:
    return tuple(getattr(regularizer, field, None) for field in SELECTIONS)


def _read_strength(recipe: Recipe, name: str) -> Any:
    """Return the number, range or schedule that the strength has in ``recipe``."""
    return getattr(_get_owner(recipe, name), name.rpartition(".")[2])


def _get_owner(recipe: Recipe, name: str) -> Regularizer:
    """Return the regularizer in ``recipe`` that has the strength."""
    return dict(recipe.items())[name.rpartition(".")[0]]


def _fix_strengths(recipe: Recipe, point: Mapping[str, float]) -> Recipe:
    """Return ``recipe`` with the strengths in ``point`` fixed."""
    fixed: dict[str, dict[str, float]] = {key: {} for key, _ in recipe.items()}
    for name, value in point.items():
        owner, _, field = name.rpartition(".")
        fixed[owner][field] = value
    return Recipe(tuple(dataclasses.replace(regularizer, **fixed[key]) for key, regularizer in recipe.items()))


def _check_values(name: str, spec: StrengthSpec, values: Sequence[Any]) -> tuple[float, ...]:
    """Return the values in order, each once."""
    for value in values:
        if isinstance(value, Float | Int | Choice | Schedule | Call):
            kind = "a range" if isinstance(value, Float | Int | Choice) else "a schedule or a word"
            raise InputError(
                f"values: a sweep fixes {name} to one number at a time, received {kind}: list numbers, as 0,0.1,0.2"
            )
    try:
        numbers = sorted({spec.accept(value) for value in values})
    except ValueError as error:
        raise InputError(f"values: {name} {error}") from None
    if len(numbers) < 2:
        raise InputError(f"values: a sweep of {name} takes two different numbers or more, received {len(numbers)}")
    return tuple(numbers)


def _declare(recipe: Recipe, name: str, spec: StrengthSpec) -> StrengthSpec:
    """Return the declaration of a strength in ``recipe``: where it makes copies of the rows, no value is neutral."""
    return dataclasses.replace(spec, neutral=None) if makes_copies(_get_owner(recipe, name)) else spec


def _default_values(recipe: Recipe, name: str, spec: StrengthSpec, count: int, epochs: int) -> Sequence[float]:
    strength = _read_strength(recipe, name)
    range_ = strength if isinstance(strength, Float | Int | Choice) else spec.range
    return spread_values(range_.fit(epochs) if isinstance(range_, Cycles) else range_, spec, count)
