"""Space: what a search has to find for a recipe, one axis for each range."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Choice, Float, Int, Range, Recipe

LEARNING_RATE = "learning_rate"
RATES = Float(3e-4, 1e-2)
"""Where a search looks for the learning rate unless it is told."""

DIGITS = 4
"""Significant digits of what a search proposes: enough for any strength, and readable in a recipe."""


@dataclass(frozen=True)
class Axis:
    """One number to find: where to look, and on which scale."""

    name: str
    range: Range
    log: bool


def make_axes(recipe: Recipe, learning_rate: float | Range) -> list[Axis]:
    """What a search over ``recipe`` has to find; the learning rate comes first, on a logarithmic scale."""
    found = [Axis(name, where, spec.log) for name, (where, spec) in recipe.space().items()]
    if not isinstance(learning_rate, Float | Int | Choice):
        return found
    return [Axis(LEARNING_RATE, learning_rate, log=True), *found]


def round_value(value: float) -> float:
    """Return ``value`` with four significant digits.

    >>> round_value(0.30000000000000004), round_value(0.000123456)
    (0.3, 0.0001235)
    """
    return float(f"{value:.{DIGITS}g}")
