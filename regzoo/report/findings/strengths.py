"""Strengths: the numbers in a recipe, by ``name.field``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.core import InputError, Recipe, parse
from regzoo.core.grammar import read_sum
from regzoo.core.ranges import Float, Int
from regzoo.report.formatting import strength


@dataclass(frozen=True)
class Searched:
    """A range that was left to the search, and whether its strength is sampled on a logarithmic scale."""

    low: float
    high: float
    log: bool

    def edge(self, value: float, share: float = 0.02) -> bool:
        """True if ``value`` lies within the outer ``share`` of the range: the best may lie beyond."""
        low, high, at = self.low, self.high, value
        if self.log and low > 0:
            at, low, high = at / low, 1.0, high / low
            return at <= high**share or at >= high ** (1 - share)
        return (at - low) / (high - low) <= share or (high - at) / (high - low) <= share

    def __str__(self) -> str:
        return f"{strength(self.low)} to {strength(self.high)}"


def read(recipe: str | None) -> dict[str, float]:
    """Return the numbers of a recipe; schedules and ranges are left out.

    A regularizer that the user registered elsewhere is unknown here; its numbers are read as written.

    >>> read("dropout(0.31) + ensemble(3)")
    {'dropout.rate': 0.31, 'ensemble.members': 3.0}
    """
    try:
        parts = parse(recipe or "none").regularizers
    except InputError:
        return _as_written(recipe or "none")
    found = {f"{part.name}.{field}": getattr(part, field) for part in parts for field in part.strengths()}
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float)}


def searched(name: str) -> dict[str, Searched]:
    """Return the ranges of a recipe as the config writes it; empty for one that is unknown here.

    >>> searched("dropout(0.1..0.5)")["dropout.rate"].high
    0.5
    """
    ranges = ((key, range_, spec) for key, (range_, spec) in recipe_of(name).space().items())
    return {
        key: Searched(float(range_.low), float(range_.high), spec.log)
        for key, range_, spec in ranges
        if isinstance(range_, Float | Int)
    }


def logarithmic(name: str) -> set[str]:
    """The strengths of a recipe that are declared to live on a logarithmic scale."""
    parts = recipe_of(name).regularizers
    return {f"{part.name}.{field}" for part in parts for field, spec in part.strengths().items() if spec.log}


def recipe_of(name: str) -> Recipe:
    """Return the recipe written ``name``; the empty one if it is unknown here: registered elsewhere, or a placebo."""
    try:
        return parse(name)
    except InputError:
        return Recipe()


def _as_written(recipe: str) -> dict[str, float]:
    try:
        calls = read_sum(recipe)
    except InputError:
        return {}
    found: list[tuple[str, Any]] = []
    for call in calls:
        found += [(f"{call.word}.{place}", value) for place, value in enumerate(call.positional, start=1)]
        found += [(f"{call.word}.{field}", value) for field, value in call.keyword.items()]
    return {key: float(value) for key, value in found if isinstance(value, int | float)}
