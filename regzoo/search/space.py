"""Search space of a recipe, one axis per range, and the grid over it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regzoo.core import Choice, Float, Int, Range, Recipe
from regzoo.core.fields import StrengthSpec
from regzoo.core.ranges import Cycles, PerRun

LEARNING_RATE = "learning_rate"
RATES = Float(3e-4, 1e-2)
"""Default range of the learning rate."""

DIGITS = 4
"""Significant digits of the values that a search proposes: enough for any strength, and readable in a recipe."""


@dataclass(frozen=True)
class Axis:
    """One number to search for.

    Attributes:
        name: its name, ``name.field``.
        range: its range; a `PerRun` is of the number times the learning rate and the steps of the run.
        log: whether its scale is logarithmic.
        complement: whether the scale of 1 - number is.
    """

    name: str
    range: Range
    log: bool
    complement: bool = False

    @property
    def key(self) -> str:
        """Name of what KerasTuner draws."""
        return f"1 - {self.name}" if self.complement and isinstance(self.range, Float) else self.name

    def describe(self) -> str:
        """Return the range and its scale in words."""
        per_run = " / (learning_rate x steps)" if isinstance(self.range, PerRun) else ""
        scale = " (log)" if self.log else " (log of 1 - value)" if self.complement else ""
        return f"{self.range}{per_run}{scale}"

    def place(self, share: float) -> float:
        """Return the number of a real range below which ``share`` of its scale lies, as it is written in recipes."""
        low, high = self.range.values()
        return place_value(low, high, share, self)


def make_axes(
    recipe: Recipe, learning_rate: float | Range, *, epochs: int | None = None, older: bool = False
) -> list[Axis]:
    """Return an axis for each range of ``recipe``; the learning rate, if it is a range, comes first, on a log scale.

    Args:
        recipe: the recipe.
        learning_rate: a number or a range.
        epochs: epochs of a run, to which numbers of cycles are fitted; None if they are not known.
        older: whether scales are those of earlier versions, see `regzoo.core.older_ranges`.
    """
    axes = [
        Axis(
            name,
            range_.fit(epochs) if isinstance(range_, Cycles) and epochs is not None else range_,
            spec.log,
            spec.complement and not older,
        )
        for name, (range_, spec) in recipe.space().items()
    ]
    if not isinstance(learning_rate, Float | Int | Choice):
        return axes
    return [Axis(LEARNING_RATE, learning_rate, log=True), *axes]


def to_strengths(
    space: Sequence[Axis], values: Mapping[str, float], learning_rate: float, steps: int
) -> dict[str, float]:
    """Return the strengths that a run has at the ``values`` of ``space``.

    >>> space = [Axis("weight_decay.decay", PerRun(7e-4, 0.7), log=True)]
    >>> to_strengths(space, {"weight_decay.decay": 0.5}, learning_rate=0.001, steps=2000)
    {'weight_decay.decay': 0.25}
    """
    divided = {axis.name for axis in space if isinstance(axis.range, PerRun)}
    return {
        name: round_value(value / (learning_rate * steps)) if name in divided else value
        for name, value in values.items()
    }


def place_value(low: float, high: float, share: float, scale: Axis | StrengthSpec, digits: int = DIGITS) -> float:
    """Return the number at ``share`` of the way from ``low`` to ``high`` on ``scale``, of this many digits."""
    if scale.complement:
        return round_complement((1.0 - low) * ((1.0 - high) / (1.0 - low)) ** share, digits)
    return round_value(low * (high / low) ** share if scale.log else low + (high - low) * share, digits)


def round_value(value: float, digits: int = DIGITS) -> float:
    """Return ``value`` with ``digits`` significant digits.

    >>> round_value(0.30000000000000004), round_value(0.000123456)
    (0.3, 0.0001235)
    """
    return float(f"{value:.{digits}g}")


def round_complement(complement: float, digits: int = DIGITS) -> float:
    """Return 1 minus ``complement`` of ``digits`` significant digits, without what binary numbers add.

    >>> round_complement(0.001), round_complement(0.0123456)
    (0.999, 0.98765)
    """
    return float(f"{1.0 - round_value(complement, digits):.12g}")


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
    return min(max(axis.place(share), low), high)


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
    if isinstance(axis.range, Int):
        return [round(round_value(low + (high - low) * share)) for share in shares]
    return [axis.place(share) for share in shares]
