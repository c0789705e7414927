"""Progress: what a comparison does, on one screen; plain lines where there is no terminal."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from regzoo.comparison.plan import Plan
from regzoo.core import Objective
from regzoo.training.records import Record

SECONDS_BETWEEN_LINES = 10.0

FIRST = 4
"""Runs from which on the time left is foretold: the first ones wait for TensorFlow and for their traces."""


class SilentProgress:
    """Says nothing."""

    def planned(self, plan: Plan) -> None:
        """The plan is made."""

    def recorded(self, record: Record, again: bool) -> None:
        """A run is done."""

    def phase(self, text: str) -> None:
        """Another phase begins."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


@dataclass
class _Arm:
    name: str
    runs: int
    done: int = 0
    failed: int = 0
    best: float = math.nan
    best_recipe: str = ""


@dataclass
class LiveProgress:
    """A live table: recipe, runs done, best validation score so far, time left.

    Args:
        console: where to; a table that changes on a terminal, a line every ten seconds elsewhere.
    """

    console: Console
    arms: dict[str, _Arm] = field(default_factory=dict)
    objective: Objective = field(default_factory=lambda: Objective("nll", "min"))
    steady: float = 0.0
    made: int = 0
    said: float = 0.0
    live: Live | None = None
    doing: str = "preparing: workers start, TensorFlow is imported"

    def __enter__(self) -> Self:
        self.steady = self.said = time.monotonic()
        if self.console.is_terminal:
            self.live = Live(self._table(), console=self.console, refresh_per_second=4, transient=True)
            self.live.__enter__()
        else:
            self.console.print(self.doing, highlight=False)
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            self.live.__exit__(None, None, None)

    def phase(self, text: str) -> None:
        """Say what is done now, in place of the time left."""
        self.doing = text
        if self.live is not None:
            self.live.update(self._table())
        else:
            self.console.print(text, highlight=False)

    def planned(self, plan: Plan) -> None:
        """Learn what is to come."""
        self.doing = ""
        self.objective = plan.objective
        self.arms = {arm.name: _Arm(arm.name, arm.trials + plan.replicates) for arm in plan.arms}
        self._show()

    def recorded(self, record: Record, again: bool) -> None:
        """Count ``record`` and show where things stand."""
        arm = self.arms[record.run.name]
        arm.done += 1
        arm.failed += record.status in ("diverged", "failed")
        self.made += not again
        if self.made < FIRST:
            self.steady = time.monotonic()
        score = record.score(self.objective.metric)
        if not math.isnan(score) and (math.isnan(arm.best) or self.objective.better(score, arm.best)):
            arm.best, arm.best_recipe = score, record.run.recipe_text
        self._show()

    def _show(self) -> None:
        if self.live is not None:
            self.live.update(self._table())
        elif time.monotonic() - self.said >= SECONDS_BETWEEN_LINES:
            self.said = time.monotonic()
            done, runs = self._counts()
            self.console.print(f"{done} of {runs} runs, {self._time_left()}", highlight=False)

    def _counts(self) -> tuple[int, int]:
        return sum(arm.done for arm in self.arms.values()), sum(arm.runs for arm in self.arms.values())

    def _time_left(self) -> str:
        done, runs = self._counts()
        if self.made < FIRST:
            return "the first runs are traced"
        seconds = (time.monotonic() - self.steady) / (self.made - FIRST + 1) * max(runs - done, 0)
        return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"

    def _table(self) -> Table | Text:
        if not self.arms:
            return Text(self.doing)
        table = Table(title=self.doing or self._time_left(), title_justify="left")
        table.add_column("recipe")
        table.add_column("runs", justify="right")
        table.add_column(f"best {self.objective.metric} so far", justify="right")
        table.add_column("with")
        for arm in self.arms.values():
            best = "" if math.isnan(arm.best) else f"{arm.best:.4g}"
            runs = f"{arm.done}/{arm.runs}" + (f" ({arm.failed} failed)" if arm.failed else "")
            table.add_row(Text(arm.name), runs, best, Text(arm.best_recipe))
        return table
