"""Ranges of strengths that are left to the search: real numbers, whole numbers, or a choice.

The declaration of the strength (`strength(..., log=True)`), not the recipe, decides if a range is sampled on a
logarithmic scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core.domain import format_literal, is_integer

SHORTEST_CYCLE = 10
"""Epochs of a cycle of the learning rate, at least, where a search chooses the number of cycles."""


@dataclass(frozen=True)
class Float:
    """A real number between ``low`` and ``high``, written ``0.1..0.5``.

    >>> str(Float(0.1, 0.5))
    '0.1..0.5'
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        _check_order(self.low, self.high)

    def values(self) -> tuple[float, ...]:
        """Return the two ends; they must lie in the strength's domain."""
        return self.low, self.high

    def __str__(self) -> str:
        return f"{format_literal(self.low)}..{format_literal(self.high)}"


@dataclass(frozen=True)
class Int:
    """A whole number from ``low`` to ``high``, both included, written ``3..30``."""

    low: int
    high: int

    def __post_init__(self) -> None:
        for end in (self.low, self.high):
            if not is_integer(end):
                raise ValueError(f"a range of whole numbers has whole ends, received {self.low}..{self.high}")
        object.__setattr__(self, "low", int(self.low))
        object.__setattr__(self, "high", int(self.high))
        _check_order(self.low, self.high)

    def values(self) -> tuple[int, ...]:
        """Return the two ends; they must lie in the strength's domain."""
        return self.low, self.high

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"


@dataclass(frozen=True)
class PerRun(Float):
    """A range of strength x learning rate x steps: of what a strength that acts in every step does in a whole run.

    A search divides it by the learning rate and the steps of its run. Where there is no run, it is that of a run whose
    learning rate times steps is 1, such as 1,000 steps at 0.001. Only a declaration has such a range; one that is
    written in a recipe is of the strength itself.
    """


@dataclass(frozen=True)
class Cycles(Int):
    """A range of numbers of cycles in a run; only a declaration has one, as `PerRun`."""

    def fit(self, epochs: int) -> Int:
        """Return the range in a run of ``epochs``: as many cycles at most as leave 10 epochs for each, but 2 anyway.

        >>> [str(Cycles(3, 6).fit(epochs)) for epochs in (300, 60, 45, 30, 8)]
        ['3..6', '3..6', '3..4', '2..3', '1..2']
        """
        high = max(2, min(self.high, epochs // SHORTEST_CYCLE))
        return Int(min(self.low, high - 1), high)


class DefaultCount(int):
    """A whole number that a strength has if none is given: it costs time, so it is searched only if a recipe says so.

    A recipe that gives the same number has an int, and is printed with it.
    """


@dataclass(frozen=True)
class Choice:
    """One of the listed numbers, written ``0.1|0.2|0.5``."""

    options: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(self.options))
        if len(set(self.options)) < 2 or len(set(self.options)) < len(self.options):
            raise ValueError(f"a choice needs at least two different numbers, received {self}")

    def values(self) -> tuple[float, ...]:
        """Return all options; they must lie in the strength's domain."""
        return self.options

    def __str__(self) -> str:
        return "|".join(format_literal(option) for option in self.options)


Range = Float | Int | Choice


def _check_order(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"a range goes from low to high, received {format_literal(low)}..{format_literal(high)}")
