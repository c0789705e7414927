"""Strengths read from a recipe's text, by ``name.field``: their searched ranges and scales."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from regzoo.core import InputError, Recipe, parse
from regzoo.core.augmentation import count_copies
from regzoo.core.formatting import format_strength
from regzoo.core.older_ranges import with_older_ranges
from regzoo.core.ranges import Float, Int, PerRun


@dataclass(frozen=True)
class SearchedRange:
    """A range that was left to the search.

    Attributes:
        low: its lowest value.
        high: its highest value.
        log: whether its strength is sampled on a logarithmic scale.
        complement: whether 1 - strength is.
        per_run: whether it is of the strength times the learning rate and the steps of the run.
    """

    low: float
    high: float
    log: bool
    complement: bool = False
    per_run: bool = False

    def at_edge(self, value: float, share: float = 0.02, per_strength: float = math.nan) -> bool:
        """Return True if ``value`` lies within the outer ``share`` of the range: the best may lie beyond.

        A range that is relative to the run begins at no effect, and nothing weaker is to be tried.

        Args:
            value: a strength.
            share: of the range, on its scale.
            per_strength: learning rate times steps of the run, for a range that is relative to it.
        """
        low, high, at = self.low, self.high, value
        if self.per_run:
            at *= per_strength
        if self.complement:
            low, high, at = 1 - high, 1 - low, 1 - at
        if (self.log or self.complement) and low > 0:
            at, low, high = at / low, 1.0, high / low
            return (at <= high**share and not self.per_run) or at >= high ** (1 - share)
        return (at - low) / (high - low) <= share or (high - at) / (high - low) <= share

    def __str__(self) -> str:
        text = f"{format_strength(self.low)} to {format_strength(self.high)}"
        return f"{text} / (learning rate x steps)" if self.per_run else text


def read_ranges(name: str, older: bool = False) -> dict[str, SearchedRange]:
    """Return the ranges in a recipe as the config writes it; empty if the recipe is unknown here.

    Args:
        name: the recipe.
        older: whether a version with other ranges made the comparison, see `regzoo.core.older_ranges`.

    >>> read_ranges("dropout(0.1..0.5)")["dropout.rate"].high
    0.5
    """
    recipe = parse_or_empty(name)
    return {
        key: SearchedRange(
            float(searched.low), float(searched.high), spec.log, spec.complement, isinstance(searched, PerRun)
        )
        for key, (searched, spec) in (with_older_ranges(recipe) if older else recipe).space().items()
        if isinstance(searched, Float | Int)
    }


def find_edges(
    name: str, strengths: Mapping[str, float], learning_rate: float, steps: int | None
) -> dict[str, SearchedRange]:
    """Return the ranges of a recipe at whose edge a chosen strength lies, by ``name.field``.

    Args:
        name: the recipe as the config writes it.
        strengths: the chosen ones.
        learning_rate: the chosen one.
        steps: training steps of a run without copies of the rows; None if an earlier version began the comparison.
    """
    per_strength = learning_rate * (steps or 0) * (1 + count_copies(parse_or_empty(name)))
    return {
        key: searched
        for key, searched in read_ranges(name, older=steps is None).items()
        if key in strengths and searched.at_edge(strengths[key], per_strength=per_strength)
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
