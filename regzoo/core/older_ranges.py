"""Ranges that earlier versions searched where a recipe gives none; comparisons that they began go on with them."""

from __future__ import annotations

import dataclasses

from regzoo.core.ranges import Cycles, DefaultCount, Float, Int, PerRun, Range
from regzoo.core.regularizer import Recipe, Regularizer

OLDER: dict[str, Range] = {
    "weight_decay.decay": Float(1e-5, 1e-1),
    "ensemble.members": Int(2, 10),
    "mc_dropout.samples": Int(10, 100),
    "snapshot_ensemble.cycles": Int(3, 6),
}
"""Ranges by ``name.field``. They also sampled ``ema.decay`` on a linear scale."""


def with_older_ranges(recipe: Recipe) -> Recipe:
    """Return ``recipe`` with the ranges of earlier versions where it gives neither number nor range."""
    return Recipe(tuple(map(_with_older_ranges, recipe)))


def _with_older_ranges(regularizer: Regularizer) -> Regularizer:
    ranges = {field: OLDER.get(f"{regularizer.name}.{field}") for field in regularizer.strengths()}
    given = {field: getattr(regularizer, field) for field in ranges}
    older = {
        field: range_
        for field, range_ in ranges.items()
        if range_ is not None and isinstance(given[field], PerRun | Cycles | DefaultCount)
    }
    return dataclasses.replace(regularizer, **older)
