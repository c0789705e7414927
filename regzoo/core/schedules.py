"""Schedules of strengths that change over epochs: constant, linear, cosine, step.

Early, late, annealed and curriculum dropout (Liu et al. 2023, https://arxiv.org/abs/2303.01500;
Morerio et al. 2017, https://arxiv.org/abs/1703.06229; Rennie et al. 2014) are a dropout with a schedule.
Epochs count from 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields

from regzoo.core.domain import format_literal, is_integer


class Schedule(ABC):
    """A strength for each epoch."""

    @abstractmethod
    def value(self, epoch: int) -> float:
        """Return the strength during ``epoch``, counted from 0."""

    @abstractmethod
    def values(self) -> tuple[float, ...]:
        """Return its extreme values; they must lie in the strength's domain."""

    def __str__(self) -> str:
        written = ", ".join(
            f"epochs={value}" if name == "epochs" else format_literal(value)
            for name, value in ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        )
        return f"{type(self).__name__.lower()}({written})"


@dataclass(frozen=True)
class Constant(Schedule):
    """The same strength in every epoch."""

    strength: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", float(self.strength))

    def value(self, epoch: int) -> float:
        """Return the strength, the same in every epoch."""
        return self.strength

    def values(self) -> tuple[float, ...]:
        """Return the one value."""
        return (self.strength,)

    __str__ = Schedule.__str__


@dataclass(frozen=True)
class _Ramp(Schedule):
    """From ``start`` in epoch 0 to ``end`` from epoch ``epochs`` on."""

    start: float
    end: float
    epochs: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", float(self.start))
        object.__setattr__(self, "end", float(self.end))
        if not is_integer(self.epochs) or self.epochs < 1:
            raise ValueError(f"a schedule lasts a whole number of epochs from 1, received epochs={self.epochs}")
        object.__setattr__(self, "epochs", int(self.epochs))

    def value(self, epoch: int) -> float:
        """Return the strength during ``epoch``, counted from 0."""
        done = self.progress(min(epoch / self.epochs, 1.0))
        return self.start * (1.0 - done) + self.end * done

    @abstractmethod
    def progress(self, time: float) -> float:
        """Return the progress from start to end, 0 to 1, after the fraction ``time`` (0 to 1) of the epochs."""

    def values(self) -> tuple[float, ...]:
        """Return the two ends."""
        return self.start, self.end

    __str__ = Schedule.__str__


class Linear(_Ramp):
    """From ``start`` to ``end`` in equal steps.

    >>> [Linear(0.5, 0.0, epochs=2).value(epoch) for epoch in range(4)]
    [0.5, 0.25, 0.0, 0.0]
    """

    def progress(self, time: float) -> float:
        """Return ``time``."""
        return time


class Cosine(_Ramp):
    """From ``start`` to ``end`` along half a cosine: slow, fast, slow."""

    def progress(self, time: float) -> float:
        """Return half a cosine wave, from 0 to 1."""
        return (1.0 - math.cos(math.pi * time)) / 2.0


class Step(_Ramp):
    """At ``start`` until epoch ``epochs``, then at ``end``: early dropout is ``step(0.5, 0.0, epochs=20)``."""

    def progress(self, time: float) -> float:
        """Return 0 before the end, then 1."""
        return 1.0 if time >= 1.0 else 0.0


SCHEDULES: dict[str, type[Schedule]] = {kind.__name__.lower(): kind for kind in (Constant, Linear, Cosine, Step)}
"""The schedules by their name in a recipe."""
