"""Strengths read from a recipe's text, by ``name.field``: their searched ranges and scales."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import InputError, Recipe, parse
from regzoo.core.formatting import format_strength
from regzoo.core.ranges import Float, Int


@dataclass(frozen=True)
class SearchedRange:
    """A range that was left to the search; ``log`` if its strength is sampled on a logarithmic scale."""

    low: float
    high: float
    log: bool

    def at_edge(self, value: float, share: float = 0.02) -> bool:
        """Return True if ``value`` lies within the outer ``share`` of the range: the best may lie beyond."""
        low, high, at = self.low, self.high, value
        if self.log and low > 0:
            at, low, high = at / low, 1.0, high / low
            return at <= high**share or at >= high ** (1 - share)
        return (at - low) / (high - low) <= share or (high - at) / (high - low) <= share

    def __str__(self) -> str:
        return f"{format_strength(self.low)} to {format_strength(self.high)}"


def read_ranges(name: str) -> dict[str, SearchedRange]:
    """Return the ranges in a recipe as the config writes it; empty if the recipe is unknown here.

    >>> read_ranges("dropout(0.1..0.5)")["dropout.rate"].high
    0.5
    """
    return {
        key: SearchedRange(float(searched.low), float(searched.high), spec.log)
        for key, (searched, spec) in parse_or_empty(name).space().items()
        if isinstance(searched, Float | Int)
    }


def find_log_strengths(name: str) -> set[str]:
    """Return the strengths of a recipe that are declared to have a logarithmic scale."""
    return {
        f"{key}.{field}"
        for key, regularizer in parse_or_empty(name).items()
        for field, spec in regularizer.strengths().items()
        if spec.log
    }


def parse_or_empty(name: str) -> Recipe:
    """Return the recipe ``name``; the empty recipe for a placebo and for regularizers that are not registered here."""
    try:
        return parse(name)
    except InputError:
        return Recipe()
