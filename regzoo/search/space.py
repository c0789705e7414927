"""Search space of a recipe, one axis per range, and the grid over it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Choice, Float, Int, Range, Recipe

LEARNING_RATE = "learning_rate"
RATES = Float(3e-4, 1e-2)
"""Default range of the learning rate."""

DIGITS = 4
"""Significant digits of the values that a search proposes: enough for any strength, and readable in a recipe."""


@dataclass(frozen=True)
class Axis:
    """One number to search for: name, range, and True if its scale is logarithmic."""

    name: str
    range: Range
    log: bool


def make_axes(recipe: Recipe, learning_rate: float | Range) -> list[Axis]:
    """Return an axis for each range of ``recipe``; the learning rate, if it is a range, comes first, on a log scale."""
    axes = [Axis(name, range_, spec.log) for name, (range_, spec) in recipe.space().items()]
    if not isinstance(learning_rate, Float | Int | Choice):
        return axes
    return [Axis(LEARNING_RATE, learning_rate, log=True), *axes]


def round_value(value: float) -> float:
    """Return ``value`` with four significant digits.

    >>> round_value(0.30000000000000004), round_value(0.000123456)
    (0.3, 0.0001235)
    """
    return float(f"{value:.{DIGITS}g}")


def value_at(axis: Axis, share: float) -> float:
    """Return the value of ``axis`` below which ``share`` (0 to 1) of its range lies, on the axis's scale.

    >>> value_at(Axis("l2.strength", Float(1e-6, 1e-2), log=True), 0.5), value_at(Axis("n", Int(1, 4), log=False), 0.99)
    (0.0001, 4)
    """
    if isinstance(axis.range, Choice):
        options = axis.range.options
        return options[min(int(share * len(options)), len(options) - 1)]
    low, high = axis.range.values()
    if isinstance(axis.range, Int):
        return min(int(low) + int(share * (high - low + 1)), int(high))
    value = low * (high / low) ** share if axis.log else low + (high - low) * share
    return min(max(round_value(value), low), high)


def make_grid(space: Sequence[Axis], trials: int) -> list[dict[str, float]]:
    """Return at most ``trials`` points, spread evenly over the full grid; exactly ``trials`` if an axis is continuous.

    >>> [point["rate"] for point in make_grid([Axis("rate", Float(0.0, 0.6), log=False)], 4)]
    [0.0, 0.2, 0.4, 0.6]
    """
    levels = {axis.name: 1 for axis in space}
    limits = {axis.name: _count_levels(axis) for axis in space}
    while math.prod(levels.values()) < trials:
        growing = [name for name in levels if levels[name] < limits[name]]
        if not growing:
            break
        levels[min(growing, key=lambda name: levels[name])] += 1
    full = list(itertools.product(*(_make_levels(axis, levels[axis.name]) for axis in space)))
    count = min(trials, len(full))
    kept = [full[round(i * (len(full) - 1) / max(count - 1, 1))] for i in range(count)]
    return [dict(zip(levels, point, strict=True)) for point in kept]


def _count_levels(axis: Axis) -> float:
    if isinstance(axis.range, Choice):
        return len(axis.range.options)
    return axis.range.high - axis.range.low + 1 if isinstance(axis.range, Int) else math.inf


def _make_levels(axis: Axis, count: int) -> list[float]:
    if isinstance(axis.range, Choice):
        options = axis.range.options
        return [options[round(i * (len(options) - 1) / max(count - 1, 1))] for i in range(count)]
    low, high = axis.range.values()
    shares = [i / (count - 1) for i in range(count)] if count > 1 else [0.5]
    if axis.log:
        return [round_value(low * (high / low) ** share) for share in shares]
    values = [round_value(low + (high - low) * share) for share in shares]
    return [round(value) for value in values] if isinstance(axis.range, Int) else values
