"""Budget: how far a comparison goes when its time is limited, equally far for every recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["trial", "replicate", "look"]
Level = tuple[Stage, int]
"""The n-th trial or replicate of every recipe, or what the n-th look at the replicates asks for."""

ORDER: tuple[Stage, ...] = ("trial", "replicate", "look")

NOTE = "budget"
"""Where the ledger keeps what was decided."""

FEWEST = {"trial": 1, "replicate": 2, "look": 0}
"""Levels that are made whatever the time: below, there is no ranking."""

WANTED = 5
"""Replicates for which a search leaves time: fewer pairs tell little apart."""


@dataclass
class Budget:
    """Admits level after level while the time lasts; every recipe takes part in every level.

    A level is admitted if it can be expected to end in time: it is taken to last as long as the longest one so far. The
    search stops early enough for five replicates (or as many as were asked for). What was decided is kept, so that a
    comparison that is resumed or run again goes exactly as far.

    Args:
        seconds: of wall-clock time in all, resumptions included; None for no limit.
        replicates: how many are asked for.
        least: how many are made whatever the time.
        spent: seconds spent in earlier sittings.
        closed: how many levels of a stage were made when its time was up, from earlier sittings.
        clock: seconds now.
    """

    seconds: float | None
    replicates: int
    spent: float = 0.0
    closed: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    least: int = FEWEST["replicate"]

    def __post_init__(self) -> None:
        self.began = self.clock()
        self._entered: tuple[Level, float] | None = None
        self._longest = 0.0  # seconds, for one run of every recipe
        self._size = 1

    @property
    def paced(self) -> bool:
        """Whether levels are made one after the other."""
        return self.seconds is not None

    def admits(self, level: Level, size: int = 1) -> bool:
        """Whether ``level``, of ``size`` runs a recipe, is to be made; asked when all lower levels are done."""
        stage, number = level
        if self._entered is not None and self._entered[0] == level:
            return True
        if stage in self.closed and number >= self.closed[stage]:
            return False
        now = self.clock()
        if self._entered is not None:
            self._longest = max(self._longest, (now - self._entered[1]) / self._size)
        least = self.least if stage == "replicate" else FEWEST[stage]
        if number >= least and not self._fits(stage, now, size):
            self.closed[stage] = number
            return False
        self._entered, self._size = (level, now), size
        return True

    def _fits(self, stage: Stage, now: float, size: int) -> bool:
        if self.seconds is None:
            return True
        still = size + (min(WANTED, self.replicates) if stage == "trial" else 0)  # levels
        return self.spent + now - self.began + still * self._longest <= self.seconds

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the ledger."""
        return {"seconds": self.seconds, "closed": self.closed}
