"""Progress of a comparison: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from regzoo.comparison.plan import Plan
from regzoo.core import Objective
from regzoo.core.formatting import format_fixed, format_significant
from regzoo.system.console import make_stderr_console
from regzoo.training.records import Record

SECONDS_BETWEEN_LINES = 10.0

UNTIMED_RUNS = 4
"""The time left is estimated from later runs only: the first ones wait for TensorFlow and for their traces."""


class Progress(Protocol):
    """Shows how far a comparison has come."""

    def start(self, plan: Plan) -> None:
        """Begin with the runs of ``plan``."""

    def update(self, record: Record, repeated: bool) -> None:
        """Count ``record``, which is in the ledger; ``repeated`` if an earlier session made it."""

    def show_phase(self, text: str) -> None:
        """Show what the comparison does now."""


class SilentProgress:
    """Progress that shows nothing."""

    label: str = ""

    def print_line(self, text: str) -> None:
        """Show nothing."""

    def start(self, plan: Plan) -> None:
        """Show nothing."""

    def update(self, record: Record, repeated: bool) -> None:
        """Show nothing."""

    def show_phase(self, text: str) -> None:
        """Show nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


@dataclass
class _RecipeProgress:
    name: str
    runs: int
    done: int = 0
    failed: int = 0
    retried: int = 0
    best: float = math.nan
    best_recipe: str = ""


@dataclass
class LiveProgress:
    """A live table: recipe, runs done, best validation score so far, time left.

    Args:
        console: where to write: a live table on a terminal, a line every ten seconds elsewhere, and on a terminal that
            takes plain text only.
        label: which of several comparisons is shown, such as ``repetition 2 of 5``; empty for a single one.
    """

    console: Console
    recipes: dict[str, _RecipeProgress] = field(default_factory=dict)
    objective: Objective = field(default_factory=lambda: Objective("nll", "min"))
    made: int = 0
    timed_since: float = 0.0
    last_line: float = 0.0
    live: Live | None = None
    phase: str = "preparing: starting workers, importing TensorFlow"
    label: str = ""

    def __enter__(self) -> Self:
        self.timed_since = self.last_line = time.monotonic()
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self.live = Live(self._table(), console=self.console, refresh_per_second=4, transient=True)
            self.live.__enter__()
        else:
            self.console.print(Text(self.phase))
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            self.live.__exit__(None, None, None)

    def show_phase(self, text: str) -> None:
        """Show what the comparison does now, in place of the time left."""
        self.phase = text
        if self.live is not None:
            self.live.update(self._table())
        else:
            self.console.print(Text(self._add_label(text)))

    def print_line(self, text: str) -> None:
        """Print a line that stays."""
        self.console.print(Text(text))

    def start(self, plan: Plan) -> None:
        """Show the recipes of ``plan``, none of their runs done."""
        self.phase = ""
        self.objective = plan.objective
        self.recipes = {
            recipe.name: _RecipeProgress(recipe.name, recipe.searched + plan.replicates) for recipe in plan.recipes
        }
        self._show()

    def update(self, record: Record, repeated: bool) -> None:
        """Count ``record`` and show how far its recipe has come."""
        recipe = self.recipes[record.run.name]
        recipe.done += 1
        recipe.failed += record.status in ("diverged", "failed")
        recipe.retried += bool(record.attempts)
        self.made += not repeated
        if self.made < UNTIMED_RUNS:
            self.timed_since = time.monotonic()
        score = record.score(self.objective.metric)
        if not math.isnan(score) and (math.isnan(recipe.best) or self.objective.is_better(score, recipe.best)):
            recipe.best, recipe.best_recipe = score, record.run.recipe_text
        self._show()

    def _show(self) -> None:
        if self.live is not None:
            self.live.update(self._table())
        elif time.monotonic() - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = time.monotonic()
            done, runs = self._counts()
            retried = sum(recipe.retried for recipe in self.recipes.values())
            again = f" ({retried} made again)" if retried else ""
            self.console.print(Text(self._add_label(f"{done} of {runs} runs{again}, {self._time_left()}")))

    def _add_label(self, text: str) -> str:
        return f"{self.label}: {text}" if self.label else text

    def _counts(self) -> tuple[int, int]:
        return sum(recipe.done for recipe in self.recipes.values()), sum(r.runs for r in self.recipes.values())

    def _time_left(self) -> str:
        done, runs = self._counts()
        if self.made < UNTIMED_RUNS:
            return "tracing the first runs"
        seconds = (time.monotonic() - self.timed_since) / (self.made - UNTIMED_RUNS + 1) * max(runs - done, 0)
        left = f"{format_fixed(seconds, 0)} s" if seconds < 90 else f"{format_fixed(seconds / 60, 0)} min"
        return f"about {left} left"

    def _table(self) -> Table | Text:
        if not self.recipes:
            return Text(self._add_label(self.phase))
        table = Table(title=Text(self._add_label(self.phase or self._time_left())), title_justify="left")
        table.add_column("recipe")
        table.add_column("runs", justify="right")
        table.add_column(f"best {self.objective.metric} so far", justify="right")
        table.add_column("with")
        for recipe in self.recipes.values():
            best = "" if math.isnan(recipe.best) else format_significant(recipe.best, 4)
            table.add_row(Text(recipe.name), _describe_runs(recipe), best, Text(recipe.best_recipe))
        return table


def _describe_runs(recipe: _RecipeProgress) -> str:
    counts = {"failed": recipe.failed, "made again": recipe.retried}
    notes = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"{recipe.done}/{recipe.runs}" + (f" ({notes})" if notes else "")


def make_progress(verbose: bool) -> AbstractContextManager[LiveProgress | SilentProgress]:
    """Return progress on stderr, or silent progress."""
    return LiveProgress(make_stderr_console()) if verbose else SilentProgress()
