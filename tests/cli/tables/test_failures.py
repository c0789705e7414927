"""The table of runs that left no score."""

from __future__ import annotations

from collections.abc import Callable

from regzoo.cli.tables.failures import make_failures_table
from regzoo.training.records import Record, Run

Draw = Callable[..., str]


def test_the_table_of_failures_gives_the_reason(draw: Draw) -> None:
    run = Run("trial", "dropout", "dropout(0.5)", 3, 1, 0.001, 60, "study")
    text = draw(make_failures_table([Record(run, "failed", error="ValueError: [bold]no[/bold]", fit_seconds=1.25)]))
    row = text.splitlines()[1].split()
    assert row[:6] == ["dropout(0.5)", "trial", "3", "failed", "0", "1.2"]
    assert "ValueError: [bold]no[/bold]" in text
