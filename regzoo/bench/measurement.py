"""Measurements of one process, and its use of the machine: frozen values that go through JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProcessUsage:
    """Use of the machine by a process, as its parent saw it.

    Attributes:
        seconds: wall time from its start to its end.
        others: share of all cores that other programs took meanwhile; None where that cannot be known.
    """

    seconds: float
    others: float | None


@dataclass(frozen=True)
class Measurement:
    """Measurements of a case that was trained in one way.

    Attributes:
        data: source of the rows.
        train_rows: number of training rows.
        processes: number of processes that trained.
        threads: threads of each process.
        finished: when each run was finished, in order, in seconds from any fixed moment.
        fit_seconds: how long each of these runs trained, where the way records it.
        measure_seconds: how long it took to measure each finished model, where the way does it.
        epochs: epochs of each run.
        steps: optimizer steps of each run.
        weights: shapes of the network's kernels and biases, sorted.
        peak_memory_mb: peak memory of all processes together; None where that cannot be known.
    """

    data: str
    train_rows: int
    processes: int
    threads: int
    finished: tuple[float, ...]
    fit_seconds: tuple[float, ...]
    measure_seconds: tuple[float, ...]
    epochs: int
    steps: int
    weights: tuple[tuple[int, ...], ...]
    peak_memory_mb: float | None

    @property
    def work(self) -> dict[str, Any]:
        """The amount of work, which must be equal in all ways for their times to be compared."""
        return {
            "train_rows": self.train_rows,
            "epochs": self.epochs,
            "steps": self.steps,
            "weights": [list(shape) for shape in self.weights],
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Measurement:
        """Read what `to_dict` returned, also after a round trip through JSON."""
        lists = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        shapes = tuple(tuple(shape) for shape in fields["weights"])
        return Measurement(**{**fields, **lists, "weights": shapes})
