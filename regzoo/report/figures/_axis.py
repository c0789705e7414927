"""Axes: a scale that suits the numbers, few ticks, and labels that can be told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FixedLocator, Formatter, MaxNLocator, NullLocator

Scale = Literal["linear", "log", "symlog"]


def finite(values: Iterable[float]) -> list[float]:
    """The finite numbers among ``values``."""
    return [value for value in values if math.isfinite(value)]


def scale(values: Iterable[float], *, log: bool = False) -> Scale:
    """Return the scale on which ``values`` can be told apart.

    Logarithmic if they span more than two decades or if ``log`` asks for it, and all are positive; symmetric
    where they span as much and some are not; else linear.

    >>> scale([1, 50]), scale([1, 500]), scale([-1, 0.2, 0.3, 0.4, -5000]), scale([1, 2], log=True)
    ('linear', 'log', 'symlog', 'log')
    """
    found = finite(values)
    if not found:
        return "linear"
    if min(found) > 0:
        return "log" if log or max(found) > 100 * min(found) else "linear"
    sizes = [abs(value) for value in found]
    typical = float(np.median(sizes))
    return "symlog" if typical > 0 and max(sizes) > 100 * typical else "linear"


def limits(values: Iterable[float], kind: Scale, margin: float = 0.06) -> tuple[float, float]:
    """Return ends of an axis that leave ``margin`` of the axis free on both sides."""
    found = finite(values) or [0.0, 1.0]
    low, high = min(found), max(found)
    if kind == "log":
        share = max(math.log(high) - math.log(low), 0.2) * margin
        return max(low * math.exp(-share), 1e-307), min(high * math.exp(share), 1e307)
    if kind == "symlog":
        return low - abs(low) * 0.6, high + abs(high) * 0.6
    room = (high - low) * margin
    if room <= 1e-9 * max(abs(low), abs(high)):  # all the same
        room = 0.05 * max(abs(low), abs(high)) or 0.05
    return low - room, high + room


def dress(axis: Axis, values: Iterable[float], kind: Scale, ticks: int = 5, margin: float = 0.06) -> None:
    """Give one axis its scale, its limits and at most ``ticks`` labelled ticks or so."""
    shown = finite(values)
    low, high = limits(shown, kind, margin)
    name = "x" if isinstance(axis, XAxis) else "y"
    options = {"linthresh": _threshold(shown)} if kind == "symlog" else {}
    getattr(axis.axes, f"set_{name}scale")(kind, **options)
    axis.axes.set(**{f"{name}lim": (low, high)})
    axis.set_major_locator(FixedLocator(_ticks(shown, (low, high), kind, ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(Plain())


def _threshold(shown: Sequence[float]) -> float:
    """Below it, a symmetric scale is linear: the size of a typical value."""
    return float(np.median([abs(value) for value in shown]))


def _ticks(shown: Sequence[float], ends: tuple[float, float], kind: Scale, most: int) -> Sequence[float]:
    low, high = ends
    if kind == "log":
        return _log_ticks(low, high, most)
    if kind == "symlog":
        first, last = (math.log10(size) for size in (_threshold(shown), max(-low, high)))
        decades = [10.0**k for k in range(math.ceil(first), math.floor(last) + 1)]
        decades = decades[:: math.ceil(2 * len(decades) / most) or 1]
        return [t for t in [-d for d in decades[::-1]] + [0.0, *decades] if low <= t <= high]
    whole = all(value == int(value) for value in shown) and high - low > 2
    found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(low, high)
    return [0.0 if abs(t) < 1e-12 * (high - low) else float(t) for t in found if low <= t <= high]


def _log_ticks(low: float, high: float, most: int) -> Sequence[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5, 7)):
        found = [t for k in powers for t in (float(f"{step}e{k}") for step in steps) if low <= t <= high]
        if len(found) > 1:
            return _apart(found[:: math.ceil(len(found) / most)], (high / low) ** (1 / most))
    return [float(t) for t in MaxNLocator(nbins=most - 1).tick_values(low, high) if low <= t <= high and t > 0]


def _apart(ticks: Sequence[float], factor: float) -> Sequence[float]:
    """Drop ticks that lie closer than ``factor`` to the one before, the last one kept."""
    kept = [ticks[-1]]
    for tick in ticks[-2::-1]:
        if tick * factor <= kept[0]:
            kept.insert(0, tick)
    return kept if len(kept) > 1 else ticks[:: len(ticks) - 1]


class Plain(Formatter):
    """Ticks as plain numbers with just enough digits to be told apart; no offsets, no mathematics.

    >>> Plain().format_ticks([0.1, 0.15, 0.2]), Plain().format_ticks([1e-7, 2e-7]), Plain().format_ticks([1e6])
    (['0.1', '0.15', '0.2'], ['1e-7', '2e-7'], ['1e6'])
    """

    def __call__(self, value: float, position: int | None = None) -> str:
        """One number, short."""
        return _short(f"{value:.3g}")

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All labels of an axis, with the same number of significant digits at most."""
        ordered = sorted(values)
        step = min((b - a for a, b in itertools.pairwise(ordered)), default=0.0)
        for digits in range(1, 16):
            texts = [f"{value:.{digits}g}" for value in values]
            if all(abs(float(t) - v) <= 1e-3 * min(step or abs(v), abs(v)) for t, v in zip(texts, values, strict=True)):
                break
        return [_short(text) for text in texts]


def _short(text: str) -> str:
    mantissa, mark, power = text.partition("e")
    if mark and -5 < int(power) < 6:  # 0.00025 and 20000 read better than 2.5e-4 and 2e4
        places = max(0, len(mantissa.partition(".")[2]) - int(power))
        return f"{float(text):.{places}f}"
    return f"{mantissa}e{int(power)}" if mark else text
