"""Strengths that the searches of a recipe chose: those of the best search, and their range over all searches."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from regzoo.comparison.best_search import find_best_search, list_chosen_points
from regzoo.core import InputError, parse
from regzoo.core.formatting import format_count, format_strength
from regzoo.core.grammar import read_sum
from regzoo.search.space import LEARNING_RATE
from regzoo.stats.scores import Direction
from regzoo.training.records import Record


@dataclass(frozen=True)
class ChosenStrengths:
    """Choices of the searches of one recipe.

    Attributes:
        values: the strengths that the best search chose, by ``name.field``.
        learning_rate: the learning rate that it chose; NaN if none chose yet.
        spans: the lowest and highest value over all searches, by ``name.field`` and ``learning_rate``.
        searches: number of searches that chose.
    """

    values: dict[str, float]
    learning_rate: float
    spans: dict[str, tuple[float, float]]
    searches: int

    def describe_range(self, key: str) -> str:
        """Write the range over the searches: ``0.27 to 0.55 in 5 searches``."""
        low, high = map(format_strength, self.spans[key])
        searches = format_count(self.searches, "search", "searches")
        return f"the same in {searches}" if low == high else f"{low} to {high} in {searches}"


def read_chosen_strengths(
    records: Iterable[Record], name: str, rank_by: str, direction: Direction = "min"
) -> ChosenStrengths:
    """Return what the searches of recipe ``name`` chose, as far as there are replicates of it."""
    found = [record for record in records if record.run.name == name]
    best, points = find_best_search(found, name, rank_by, direction), list_chosen_points(found, name, rank_by)
    if best is None:
        return ChosenStrengths({}, math.nan, {}, 0)
    every = [read_strengths(point.recipe_text) | {LEARNING_RATE: point.learning_rate} for point in points]
    values = {key: [point[key] for point in every if key in point] for point in every for key in point}
    spans = {key: (min(found), max(found)) for key, found in values.items()}
    return ChosenStrengths(read_strengths(best.recipe_text), best.learning_rate, spans, len(points))


def read_strengths(recipe: str) -> dict[str, float]:
    """Return the numbers in a recipe; schedules and ranges are left out.

    A regularizer that is not registered here is unknown; its numbers are read as written.

    >>> read_strengths("dropout(0.31) + ensemble(3)")
    {'dropout.rate': 0.31, 'ensemble.members': 3.0}
    """
    try:
        parsed = parse(recipe)
    except InputError:
        return _read_as_written(recipe)
    found = {
        f"{name}.{field}": getattr(regularizer, field)
        for name, regularizer in parsed.items()
        for field in regularizer.strengths()
    }
    return {key: float(value) for key, value in found.items() if isinstance(value, int | float)}


def _read_as_written(recipe: str) -> dict[str, float]:
    try:
        calls = read_sum(recipe)
    except InputError:
        return {}
    found: list[tuple[str, Any]] = []
    for call in calls:
        found += [(f"{call.word}.{place}", value) for place, value in enumerate(call.positional, start=1)]
        found += [(f"{call.word}.{field}", value) for field, value in call.keyword.items()]
    return {key: float(value) for key, value in found if isinstance(value, int | float)}
