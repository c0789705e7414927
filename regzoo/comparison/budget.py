"""Time budget of a comparison: how many trials and replicates fit into it, equally many for every recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from regzoo.storage.info import BudgetInfo

Stage = Literal["trial", "confirmation", "replicate", "look"]
"""``look``, the word that ledgers keep, stands for the further replicates that an interim analysis asks for."""

Level = tuple[Stage, int]
"""The n-th trial of every search, the confirmations, the n-th replicate of every recipe, or the replicates that the
n-th interim analysis asks for."""

ORDER: tuple[Stage, ...] = ("trial", "confirmation", "replicate", "look")

FEWEST = {"trial": 1, "confirmation": 0, "replicate": 2, "look": 0}
"""Levels that are made whatever the time: with fewer there is no ranking."""

WANTED = 5
"""Replicates for which the search leaves time: fewer pairs show little."""


def get_order(level: Level) -> tuple[int, int]:
    """Return the sort key of a level: trials, confirmations, replicates, then what interim analyses ask for."""
    stage, number = level
    return ORDER.index(stage), number


@dataclass
class Budget:
    """Admits level after level while time lasts; every level includes every recipe.

    A level is admitted if it is expected to end in time, assuming that it lasts as long as the longest one so far. The
    search stops early enough for its confirmations and for five replicates, or for as many as the experiment asks for.
    Decisions are kept, so a
    comparison that is resumed or run again goes exactly as far. A level that was begun is finished.

    Args:
        seconds: limit on the time that is spent, earlier sessions included; None for no limit.
        replicates: number of replicates that the experiment asks for.
        spent: seconds spent in earlier sessions.
        closed: number of levels that earlier sessions made of a stage whose time was up, by stage.
        clock: returns the seconds now.
        least: number of replicates that are made whatever the time.
        admitted: number of levels that earlier sessions began, by stage.
        longest: seconds of the longest level of earlier sessions, for one run of every recipe.
        confirmations: confirmations of a recipe.
    """

    seconds: float | None
    replicates: int
    spent: float = 0.0
    closed: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    least: int = FEWEST["replicate"]
    admitted: dict[str, int] = field(default_factory=dict)
    longest: float = 0.0
    confirmations: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock()
        self._current: tuple[Level, float] | None = None  # and the time at which it was admitted
        self._size = 1

    @property
    def paced(self) -> bool:
        """Whether levels are made one after another."""
        return self.seconds is not None

    def admits(self, level: Level, size: int = 1) -> bool:
        """Return True if ``level``, of ``size`` runs per recipe, may be made; call it once lower levels are done."""
        stage, number = level
        if self._current is not None and self._current[0] == level:
            return True
        if stage in self.closed and number >= self.closed[stage]:
            return False
        now = self.clock()
        if self._current is not None:
            self.longest = max(self.longest, (now - self._current[1]) / self._size)
        least = self.least if stage == "replicate" else FEWEST[stage]
        begun = self.admitted.get(stage, 0)
        if number >= max(least, begun) and not self._fits(stage, now, size):
            self.closed[stage] = number
            return False
        self.admitted[stage] = max(begun, number + 1)
        self._current, self._size = (level, now), size
        return True

    def _fits(self, stage: Stage, now: float, size: int) -> bool:
        if self.seconds is None:
            return True
        remaining = size  # runs of every recipe
        if stage in ("trial", "confirmation"):
            remaining += min(max(WANTED, self.least), self.replicates)
        if stage == "trial":
            remaining += self.confirmations
        return self.spent + now - self.began + remaining * self.longest <= self.seconds

    def to_info(self) -> BudgetInfo:
        """Return the decisions, for the ledger."""
        return BudgetInfo(self.seconds, dict(self.closed), dict(self.admitted), self.longest)
