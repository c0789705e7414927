"""Measured: what one process found out, and what was seen of it from outside; plain, frozen and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProcessUsage:
    """A process as it was seen from outside.

    Attributes:
        seconds: from its start to its end.
        others: the share of all cores that other programs took meanwhile; None where that cannot be known.
    """

    seconds: float
    others: float | None


@dataclass(frozen=True)
class Measurement:
    """What training a case in one way came to.

    Attributes:
        data: where the rows are from.
        train_rows: rows of the training part.
        processes: processes that trained.
        threads: of each.
        finished: when each run was finished, in order, in seconds from any fixed moment.
        fit_seconds: how long each of these runs trained, where the way records it.
        measure_seconds: how long each finished model was measured beyond that, alike.
        epochs: of each run.
        steps: optimizer steps of each run.
        weights: shapes of the network's kernels and biases, sorted.
        peak_memory_mb: of all processes together.
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
        """What must be equal in all ways, or their times cannot be compared."""
        return {
            "train_rows": self.train_rows,
            "epochs": self.epochs,
            "steps": self.steps,
            "weights": [list(shape) for shape in self.weights],
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Measurement:
        """Read what `to_dict` gave, also after a journey through JSON."""
        listed = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        shapes = tuple(tuple(shape) for shape in fields["weights"])
        return Measurement(**{**fields, **listed, "weights": shapes})
