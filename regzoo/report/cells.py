"""Cells: numbers as a terminal shows them, with no more digits than their spread carries."""

from __future__ import annotations

import math

from regzoo.stats.power import CAP


def digits(spread: float | None, value: float | None) -> int:
    """Decimals that show two digits of the spread, or four of the value if there is no spread."""
    size, shown = (spread, 2) if spread else (value, 4)
    return 4 if not size else min(max(shown - 1 - math.floor(math.log10(abs(size))), 0), 8)


def number(value: float | None, decimals: int, sign: str = "") -> str:
    """The number, or nothing for None; ``sign`` is ``+`` to show it always."""
    return "" if value is None else f"{value:{sign}.{decimals}f}"


def chance(p: float | None) -> str:
    """A p-value: ``.034``, ``<.001``, or nothing for None."""
    return "" if p is None else "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def reach(low: float | None, high: float | None) -> float | None:
    """Half the width of an interval; None where it is not known."""
    return None if low is None or high is None or math.isnan(high - low) else (high - low) / 2


def gain(value: float | None, low: float | None, high: float | None, between: str = " ") -> str:
    """A gain with its interval, which needs two pairs.

    >>> gain(0.0123, 0.0081, 0.0159), gain(0.0123, None, None)
    ('+0.0123 [+0.0081, +0.0159]', '+0.01230')
    """
    decimals = digits(reach(low, high), value)
    if reach(low, high) is None:
        return number(value, decimals, "+")
    return f"{number(value, decimals, '+')}{between}[{number(low, decimals, '+')}, {number(high, decimals, '+')}]"


def verdict(word: str | None, needed: int | None) -> str:
    """The verdict, or how many replicates in all it would take to reach one.

    >>> verdict("conclusive", None), verdict("inconclusive", 36), verdict("inconclusive", 1000)
    ('conclusive', '36 needed', '1000+ needed')
    """
    if needed is None:
        return word or ""
    return f"{CAP}+ needed" if needed >= CAP else f"{needed} needed"
