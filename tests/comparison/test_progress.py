"""Progress: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.progress import LiveProgress, SilentProgress
from regzoo.config import from_keywords
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.training.records import Record, Run


@pytest.fixture
def plan(rows: tuple[np.ndarray, np.ndarray]) -> Plan:
    """Two recipes, 2 + 2 runs each."""
    experiment = from_keywords(
        backbone="mlp", recipes=["dropout(0.1|0.5)"], search={"trials": 2}, vary=["seed"], replicates=2
    )
    return make_plan(experiment, prepare_fold(from_arrays(*rows), experiment.split, experiment.seed))


def record(name: str, nll: float, status: Any = "ok") -> Record:
    run = Run("trial", name, name.replace("0.1|0.5", "0.5"), 0, 1, 0.001, 3, "setup")
    return Record(run, status, metrics={"validation": {"nll": nll}})


@pytest.fixture(autouse=True)
def terminal_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the terminal a type: a dumb one gets lines."""
    monkeypatch.setenv("TERM", "xterm")


def make_console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_silence() -> None:
    with SilentProgress() as silent:
        silent.update(record("none", 0.5), repeated=False)


def test_a_table_shows_how_far_each_recipe_is_and_its_best(plan: Plan) -> None:
    console = make_console(terminal=True)
    with LiveProgress(console) as screen:
        screen.start(plan)
        screen.update(record("none", 0.5), repeated=False)
        screen.update(record("dropout(0.1|0.5)", 0.25), repeated=False)
        screen.update(record("dropout(0.1|0.5)", 0.75), repeated=True)
        screen.update(record("dropout(0.1|0.5)", float("nan"), "diverged"), repeated=False)
        console.print(screen._table())
    lines = [line for line in written(console).splitlines() if "dropout(0.1|0.5)" in line]
    assert "3/4 (1 failed)" in lines[-1]
    assert "0.25" in lines[-1]
    assert "dropout(0.5)" in lines[-1]


def test_elsewhere_plain_lines_not_too_many(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console = make_console(terminal=False)
    with LiveProgress(console) as screen:
        screen.start(plan)
        for seconds in (4.0, 8.0, 12.0, 16.0, 20.0, 24.0):
            clock[0] = seconds
            screen.update(record("none", 0.5), repeated=False)
        screen.show_phase("writing the report")
    # Runs 4 to 6 took 12 seconds, so the 2 that are left take 8; the first ones do not count.
    assert written(console).splitlines()[1:] == [
        "3 of 8 runs, tracing the first runs",
        "6 of 8 runs, about 8 s left",
        "writing the report",
    ]
    assert "\x1b" not in written(console)


def test_runs_of_an_earlier_session_do_not_count_as_speed(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    console = make_console(terminal=False)
    with LiveProgress(console) as screen:
        screen.start(plan)
        for _ in range(3):
            screen.update(record("none", 0.5), repeated=True)
        for seconds in (600.0, 1200.0, 1800.0, 2400.0):
            clock[0] = seconds
            screen.update(record("none", 0.5), repeated=False)
    assert written(console).splitlines()[-1] == "7 of 8 runs, about 10 min left"  # one run of 600 seconds


def test_before_the_plan_there_is_no_table() -> None:
    """Its columns would be empty, and would wrap the sentence above them."""
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)
    with LiveProgress(console):
        pass
    assert "preparing: starting workers, importing TensorFlow" in written(console)
    assert "recipe" not in written(console)


@pytest.mark.parametrize("terminal", [True, False])
def test_one_of_several_comparisons_has_a_label(terminal: bool, plan: Plan) -> None:
    console = make_console(terminal)
    with LiveProgress(console) as screen:
        screen.print_line("2 repetitions to make: [red]about 1 min[/red]")
        screen.label = "repetition 2 of 2"
        screen.show_phase("checking the recipes")
        console.print(screen._table())
        screen.start(plan)
        screen.last_line = 0.0
        screen.update(record("none", 0.5), repeated=False)
        console.print(screen._table())
    text = written(console)
    assert "2 repetitions to make: [red]about 1 min[/red]\n" in text
    assert "repetition 2 of 2: checking the recipes" in text
    assert ("repetition 2 of 2: tracing the first runs" if terminal else "repetition 2 of 2: 1 of 8 runs") in text
