"""Sweep: a comparison whose recipes differ in one strength, or in two.

The experiment's recipe that holds the strength is taken once for each value; everything else of it, the learning
rate too, is searched as always. So ledger, workers, ranking, report and model are those of a comparison.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.config import Experiment
from regzoo.config.values import LONGEST_NAME
from regzoo.core import InputError, Range, Recipe, regularizers
from regzoo.core.component import get_specs
from regzoo.core.errors import did_you_mean
from regzoo.core.fields import StrengthSpec
from regzoo.core.grammar import Call, read_value
from regzoo.core.ranges import Choice, Float, Int
from regzoo.core.regularizer import BASELINE
from regzoo.core.schedules import Schedule

COUNTS = {1: 9, 2: 5}
"""How many values a strength is given if none are named, by the number of strengths."""


@dataclass(frozen=True)
class SweptStrength:
    """One strength of a sweep.

    Attributes:
        name: such as ``dropout.rate``.
        values: from small to large.
        neutral: the value at which the regularizer does nothing; None if it has none.
        log: whether the strength lives on a logarithmic scale.
    """

    name: str
    values: tuple[float, ...]
    neutral: float | None
    log: bool

    def steps(self, value: float) -> int | None:
        """How many of the values are milder than ``value``, which is nearer to neutral; None if nothing is neutral.

        >>> SweptStrength("dropout.rate", (0.0, 0.2, 0.5), 0.0, False).steps(0.5)
        2
        """
        return None if self.neutral is None else sum(self._far(other) < self._far(value) for other in self.values)

    def _far(self, value: float) -> float:
        assert self.neutral is not None
        return -value if math.isinf(self.neutral) else abs(value - self.neutral)


@dataclass(frozen=True)
class Sweep:
    """The strengths, and the recipe at each combination of their values, the last strength changing first."""

    over: tuple[SweptStrength, ...]
    recipes: tuple[str, ...]

    def cells(self) -> dict[str, tuple[float, ...]]:
        """The values of each recipe, in the order of ``over``."""
        return dict(zip(self.recipes, itertools.product(*(swept.values for swept in self.over)), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """For JSON; numbers as text, because JSON has no infinity and a limit's neutral value is infinite."""
        over = [
            {
                "name": swept.name,
                "values": [repr(value) for value in swept.values],
                "neutral": None if swept.neutral is None else repr(swept.neutral),
                "log": swept.log,
            }
            for swept in self.over
        ]
        return {"over": over, "recipes": list(self.recipes)}

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> Sweep:
        """Read what `to_dict` gave."""
        over = [
            SweptStrength(
                name=swept["name"],
                values=tuple(float(value) for value in swept["values"]),
                neutral=None if swept["neutral"] is None else float(swept["neutral"]),
                log=swept["log"],
            )
            for swept in given["over"]
        ]
        return Sweep(tuple(over), tuple(given["recipes"]))


def make_sweep(
    experiment: Experiment, over: Sequence[str], values: Sequence[Sequence[Any]] = ()
) -> tuple[Experiment, Sweep]:
    """Return the comparison that sweeps ``over`` in ``experiment``, and what it sweeps.

    Args:
        experiment: its first recipe that holds what is swept is the one that is varied; if none does, it is the
            regularizer alone.
        over: one strength or two, such as ``["dropout.rate"]``.
        values: numbers for each of ``over``, in the same order; by default 9 (for two strengths 5 each), spread
            over the range that the recipe leaves to the search, the neutral value among them.

    Raises:
        InputError: if there is no such strength, it is scheduled, or a value lies outside its domain.
    """
    declared = _declared(over)
    if values and len(values) != len(over):
        raise InputError(f"values: one list for each strength swept, received {len(values)} for {len(over)}")
    recipe = _holding(experiment, over)
    given = values or [_default(recipe, name, declared[name], COUNTS[len(over)]) for name in over]
    axes = [
        SweptStrength(name, _checked(name, declared[name], some), declared[name].neutral, declared[name].log)
        for name, some in zip(over, given, strict=True)
    ]
    points = itertools.product(*(swept.values for swept in axes))
    names = [str(_at(recipe, dict(zip(over, point, strict=True)))) for point in points]
    name = "-".join([experiment.name, *over])[:LONGEST_NAME]
    changed = experiment.model_copy(update={"name": name, "recipes": (BASELINE, *names)})
    return changed, Sweep(tuple(axes), tuple(names))


def read_values(text: str) -> list[Any]:
    """Read ``0,0.1,0.2``.

    >>> read_values("0, 0.1, 1e-3")
    [0, 0.1, 0.001]

    Raises:
        InputError: if it is no list.
    """
    try:
        found: list[Any] = read_value(f"[{text}]")
    except InputError as error:
        raise InputError(f"values: takes numbers with commas, such as 0,0.1,0.2; received {text!r} ({error})") from None
    return found


def _declared(over: Sequence[str]) -> dict[str, StrengthSpec]:
    """The declarations of the strengths in ``over``."""
    if not 1 <= len(over) <= len(COUNTS) or len(set(over)) < len(over):
        raise InputError(f"over: takes one strength, or two different ones, received {', '.join(over) or 'none'}")
    kinds = regularizers()
    known = {
        f"{kind.name}.{field}": spec
        for kind in kinds.values()
        for field, spec in get_specs(kind).items()
        if isinstance(spec, StrengthSpec)
    }
    for name in over:
        if name not in known:
            word = name.partition(".")[0]
            own = [strength for strength in known if strength.startswith(f"{word}.")] if word in kinds else []
            hint = f" There is: {', '.join(own)}." if own else did_you_mean(name, known)
            raise InputError(f"over: there is no strength {name!r}.{hint}")
    return {name: known[name] for name in over}


def _holding(experiment: Experiment, over: Sequence[str]) -> Recipe:
    """The recipe to vary."""
    words = list(dict.fromkeys(name.partition(".")[0] for name in over))
    found = [recipe for recipe in experiment.parse_recipes() if set(words) <= {part.name for part in recipe}]
    recipe = found[0] if found else Recipe(tuple(regularizers()[word]() for word in words))
    for name in over:
        if isinstance(_held(recipe, name), Schedule):
            raise InputError(
                f"over: {name} is scheduled in {str(recipe)!r}, and a sweep fixes it to one number at a time: put a "
                f"recipe in front that leaves it to the search, such as {name.partition('.')[0]}"
            )
    return recipe


def _held(recipe: Recipe, name: str) -> Any:
    word, _, field = name.partition(".")
    return next(getattr(part, field) for part in recipe if part.name == word)


def _at(recipe: Recipe, point: Mapping[str, float]) -> Recipe:
    """``recipe`` with the strengths in ``point`` fixed."""
    fixed: dict[str, dict[str, float]] = {part.name: {} for part in recipe}
    for name, value in point.items():
        word, _, field = name.partition(".")
        fixed[word][field] = value
    return Recipe(tuple(dataclasses.replace(part, **fixed[part.name]) for part in recipe))


def _checked(name: str, spec: StrengthSpec, values: Sequence[Any]) -> tuple[float, ...]:
    """The values in order, once each."""
    for value in values:
        if isinstance(value, Float | Int | Choice | Schedule | Call):
            what = "a range" if isinstance(value, Float | Int | Choice) else "a schedule or a word"
            raise InputError(
                f"values: a sweep fixes {name} to one number at a time, received {what}: list numbers, as 0,0.1,0.2"
            )
    try:
        numbers = sorted({spec.accept(value) for value in values})
    except ValueError as error:
        raise InputError(f"values: {name} {error}") from None
    if len(numbers) < 2:
        raise InputError(f"values: a sweep of {name} takes two different numbers or more, received {len(numbers)}")
    return tuple(numbers)


def _default(recipe: Recipe, name: str, spec: StrengthSpec, count: int) -> Sequence[float]:
    held = _held(recipe, name)
    return spread_values(held if isinstance(held, Float | Int | Choice) else spec.range, spec, count)


def spread_values(where: Range, spec: StrengthSpec, count: int) -> list[float]:
    """Return ``count`` values over a range, the neutral one among them; fewer where whole numbers coincide.

    >>> from regzoo.regularizers import Dropout
    >>> spec = Dropout().strengths()["rate"]
    >>> spread_values(spec.range, spec, 9)
    [0.0, 0.05, 0.14, 0.24, 0.33, 0.42, 0.51, 0.61, 0.7]
    """
    if isinstance(where, Choice):
        return sorted(where.options)
    low, high = where.values()
    neutral = spec.neutral
    outside = neutral is not None and not low <= neutral <= high
    last = count - outside - 1
    inner = [low * (high / low) ** (i / last) if spec.log else low + (high - low) * i / last for i in range(1, last)]
    values = [low, *(round(v) if isinstance(where, Int) else float(f"{v:.2g}") for v in inner), high]
    if neutral is None:
        return sorted(set(values))
    if not outside:
        values.remove(min(values, key=lambda value: abs(value - neutral)))
    return sorted({*values, neutral})
