"""Axes of the figures: a scale that suits the numbers, few ticks, and labels that can be distinguished."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, Formatter, MaxNLocator, NullLocator

from regzoo.core.formatting import format_tick

Scale = Literal["linear", "log", "symlog"]


def keep_finite(values: Iterable[float]) -> list[float]:
    """Return the finite numbers among ``values``."""
    return [value for value in values if math.isfinite(value)]


def choose_scale(values: Iterable[float], *, log: bool = False) -> Scale:
    """Return the scale on which ``values`` can be distinguished.

    Logarithmic if all are positive and either span more than two decades or ``log`` asks for it; symmetric
    logarithmic if they span as much and some are not positive; else linear.

    >>> choose_scale([1, 50]), choose_scale([1, 500])
    ('linear', 'log')
    >>> choose_scale([-1, 0.2, 0.3, 0.4, -5000]), choose_scale([1, 2], log=True)
    ('symlog', 'log')
    """
    found = keep_finite(values)
    if not found:
        return "linear"
    if min(found) > 0:
        return "log" if log or max(found) > 100 * min(found) else "linear"
    sizes = [abs(value) for value in found]
    typical = float(np.median(sizes))
    return "symlog" if typical > 0 and max(sizes) > 100 * typical else "linear"


def choose_limits(values: Iterable[float], scale: Scale, margin: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis that leaves ``margin`` of its length free on both sides."""
    found = keep_finite(values) or [0.0, 1.0]
    low, high = min(found), max(found)
    if scale == "log":
        share = max(math.log(high) - math.log(low), 0.2) * margin
        return max(low * math.exp(-share), 1e-307), min(high * math.exp(share), 1e307)
    if scale == "symlog":
        return low - abs(low) * 0.6, high + abs(high) * 0.6
    room = (high - low) * margin
    if room <= 1e-9 * max(abs(low), abs(high)):  # all the same
        room = 0.05 * max(abs(low), abs(high)) or 0.05
    return low - room, high + room


def set_up_axis(axis: Axis, values: Iterable[float], scale: Scale, ticks: int = 5, margin: float = 0.06) -> None:
    """Give an axis its scale, limits that hold ``values``, and about ``ticks`` labeled ticks at most."""
    shown = keep_finite(values)
    low, high = choose_limits(shown, scale, margin)
    name = "x" if isinstance(axis, XAxis) else "y"
    options = {"linthresh": _choose_threshold(shown)} if scale == "symlog" else {}
    getattr(axis.axes, f"set_{name}scale")(scale, **options)
    axis.axes.set(**{f"{name}lim": (low, high)})
    axis.set_major_locator(FixedLocator(_choose_ticks(shown, (low, high), scale, ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(PlainFormatter())


def _choose_threshold(shown: Sequence[float]) -> float:
    """Return the size of a typical value, below which a symmetric scale is linear."""
    return float(np.median([abs(value) for value in shown]))


def _choose_ticks(shown: Sequence[float], ends: tuple[float, float], scale: Scale, most: int) -> Sequence[float]:
    low, high = ends
    if scale == "log":
        return _choose_log_ticks(low, high, most)
    if scale == "symlog":
        first, last = (math.log10(size) for size in (_choose_threshold(shown), max(-low, high)))
        decades = [10.0**k for k in range(math.ceil(first), math.floor(last) + 1)]
        decades = decades[:: math.ceil(2 * len(decades) / most) or 1]
        return [t for t in [-d for d in decades[::-1]] + [0.0, *decades] if low <= t <= high]
    whole = all(value == int(value) for value in shown) and high - low > 2
    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(low, high)
    return [0.0 if abs(t) < 1e-12 * (high - low) else float(t) for t in found if low <= t <= high]


def _choose_log_ticks(low: float, high: float, most: int) -> Sequence[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7)):
        found = [t for k in powers for t in (float(f"{step}e{k}") for step in steps) if low <= t <= high]
        if len(found) > 1:
            return _thin_out(found[:: math.ceil(len(found) / most)], (high / low) ** (1 / most))
    return [float(t) for t in MaxNLocator(nbins=most - 1).tick_values(low, high) if low <= t <= high and t > 0]


def _thin_out(ticks: Sequence[float], factor: float) -> Sequence[float]:
    """Drop ticks that are closer than ``factor`` to the next one kept; the last one stays."""
    kept = [ticks[-1]]
    for tick in ticks[-2::-1]:
        if tick * factor <= kept[0]:
            kept.insert(0, tick)
    return kept if len(kept) > 1 else ticks[:: len(ticks) - 1]


class PlainFormatter(Formatter):
    """Ticks as plain numbers with just enough digits to differ; no offsets, no mathematics.

    >>> PlainFormatter().format_ticks([0.1, 0.15, 0.2]), PlainFormatter().format_ticks([1e-7, 2e-7])
    (['0.1', '0.15', '0.2'], ['1e-7', '2e-7'])
    >>> PlainFormatter().format_ticks([1e6])
    ['1e6']
    """

    def __call__(self, value: float, position: int | None = None) -> str:
        """Return one number, short."""
        return format_tick(value)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return all labels of an axis, with the same number of significant digits at most."""
        ordered = sorted(values)
        step = min((b - a for a, b in itertools.pairwise(ordered)), default=0.0)
        for digits in range(1, 16):
            texts = [format_tick(value, digits) for value in values]
            if all(abs(float(t) - v) <= 1e-3 * min(step or abs(v), abs(v)) for t, v in zip(texts, values, strict=True)):
                break
        return texts
