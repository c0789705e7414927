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


def test_runs_of_several_searches_have_the_number_of_the_search(draw: Draw) -> None:
    runs = [Run("confirmation", "l2", "l2(0.5)", 0, 1, 0.001, 60, "study", search=search) for search in (0, 1)]
    lines = draw(make_failures_table([Record(run, "diverged") for run in runs])).splitlines()
    assert lines[0].split()[:4] == ["recipe", "stage", "search", "number"]
    assert [line.split()[2:4] for line in lines[1:]] == [["0", "0"], ["1", "0"]]
