"""Intervals of allowed numbers, such as ``[0, 1)``, and the text form of numbers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_INTERVAL = re.compile(r"([\[(])\s*(\S+)\s*,\s*(\S+)\s*([\])])")


@dataclass(frozen=True)
class Domain:
    """An interval such as ``[0, 1)`` or ``[0, inf)``.

    >>> 1.0 in Domain("[0, 1)"), 0.0 in Domain("[0, 1)")
    (False, True)
    """

    text: str

    def __post_init__(self) -> None:
        if not _INTERVAL.fullmatch(self.text):
            raise ValueError(f"a domain is written '[low, high)', received {self.text!r}")

    def __contains__(self, value: float) -> bool:
        match = _INTERVAL.fullmatch(self.text)
        assert match  # __post_init__ has checked it
        low, high = float(match[2]), float(match[3])
        above = value >= low if match[1] == "[" else value > low
        below = value <= high if match[4] == "]" else value < high
        return not math.isnan(value) and above and below

    def __str__(self) -> str:
        return self.text


def is_integer(value: float) -> bool:
    """Return True for a whole number of any type; infinity and NaN are not whole.

    >>> is_integer(3.0), is_integer(2.5), is_integer(float("inf"))
    (True, False, False)
    """
    return math.isfinite(value) and value == int(value)


def format_literal(value: float) -> str:
    """Return the shortest text of a number that reads back equal: ``float(format_literal(x)) == x``.

    >>> format_literal(0.5), format_literal(1e-4), format_literal(3.0), format_literal(12)
    ('0.5', '0.0001', '3.0', '12')
    """
    return repr(value)
