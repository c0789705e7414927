"""`ElapsedTime`: time is counted as it passes, over all sessions, however each of them ends."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.comparison import elapsed as elapsed_module
from regzoo.comparison.elapsed import ElapsedTime
from regzoo.comparison.metadata import write_metadata
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import SilentProgress
from regzoo.comparison.setup import make_setup
from regzoo.config import from_keywords
from regzoo.core import EnvironmentFailure, InputError
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record
from tests.comparison.test_procedure import FakeExecutor, Interrupted


@dataclass
class Clock:
    """A clock that a test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Timed(FakeExecutor):
    """An executor whose runs take ten seconds each."""

    clock: Clock | None = None

    def collect(self) -> list[tuple[Record, Any]]:
        assert self.clock is not None
        self.clock.now += 10.0
        return super().collect()


class Lost(Ledger):
    """A ledger whose process is killed: nothing is written at the end."""

    def set_seconds(self, seconds: float) -> None:
        """Write nothing."""


@pytest.fixture
def begin(rows: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> Any:
    """A function that begins a comparison with a budget in a folder, and returns its plan."""

    def make(folder: Path, budget: str | None) -> Plan:
        search = {"tuner": "random", "trials": 8}
        keywords: Any = {
            "backbone": "mlp([8])",
            "recipes": ["none", "dropout"],
            "search": search,
            "vary": ["seed"],
            "replicates": 8,
        }
        experiment = from_keywords(**keywords, budget=budget)
        data = prepare_fold(from_arrays(*rows), experiment.split, experiment.seed)
        setup = make_setup(experiment, data)
        folder.mkdir(exist_ok=True)
        with Ledger(folder, create=True) as ledger:
            write_metadata(ledger, experiment, data, setup, "regzoo compare")
        return make_plan(experiment, data, setup)

    return make


def run_session(plan: Plan, folder: Path, most: float, preparation: float = 0.0, lost: bool = False) -> float:
    """Make up to ``most`` runs in a session whose preparation takes some seconds; return the seconds that it took."""
    clock = Clock()
    executor, elapsed = Timed(most=most, clock=clock), ElapsedTime(clock)
    clock.now += preparation
    with (Lost if lost else Ledger)(folder) as ledger, contextlib.suppress(Interrupted), elapsed.keep(ledger):
        make_runs(plan, executor, ledger, SilentProgress(), elapsed)
    return clock.now


def seconds(folder: Path) -> float:
    with Ledger(folder) as ledger:
        info = ledger.get_comparison_info()
    assert info is not None
    return info.seconds or 0.0


def count(folder: Path) -> int:
    with Ledger(folder) as ledger:
        return len(ledger.records())


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("most", [1, 5])
def test_a_budget_is_kept_over_any_number_of_sessions(most: int, lost: bool, begin: Any, tmp_path: Path) -> None:
    """Each session but the last ends in the middle of a run; one that is killed loses that run's seconds, no others."""
    straight, folder = tmp_path / "straight", tmp_path / "interrupted"
    run_session(begin(straight, "160s"), straight, np.inf)
    assert seconds(straight) <= 160.0
    spent, sessions = 0.0, 0
    while run_session(plan := begin(folder, "160s"), folder, 0, lost=True) > 0.0:  # something is left to do
        spent += run_session(plan, folder, most, 1.0, lost)
        sessions += 1
        assert spent - (10.0 * sessions if lost else 0.0) <= seconds(folder) <= spent
    assert sessions > 1
    assert 0 < count(folder) <= count(straight)
    begun = 2 * (10.0 + 10.0 + 1.0)  # what was begun is finished: two runs, each perhaps in a session of its own
    assert seconds(folder) <= 160.0 + begun
    with Ledger(folder) as ledger:
        stages = [(record.run.stage, record.run.number) for record in ledger.records()]
    assert all(stages.count(stage) == 2 for stage in stages)  # no recipe has gone further than the other


def test_time_is_kept_with_every_record(begin: Any, tmp_path: Path) -> None:
    plan = begin(tmp_path / "a", None)
    run_session(plan, tmp_path / "a", most=4, preparation=2.5, lost=True)
    assert seconds(tmp_path / "a") == 2.5 + 4 * 10.0


def test_time_is_kept_during_a_long_run(begin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elapsed_module, "TICK", 0.001)
    begin(tmp_path / "a", None)
    clock, written = Clock(), threading.Event()

    def set_seconds(self: Ledger, value: float) -> None:
        write(self, value)
        written.set()

    write = Ledger.set_seconds
    monkeypatch.setattr(Ledger, "set_seconds", set_seconds)
    with Ledger(tmp_path / "a") as ledger, ElapsedTime(clock) as elapsed, elapsed.keep(ledger):
        for now in (5.0, 9.0):
            written.clear()
            clock.now = now
            assert written.wait(60.0)
            assert seconds(tmp_path / "a") == now
        clock.now = 9.5
    assert seconds(tmp_path / "a") == 9.5


def test_a_ledger_that_cannot_be_written_for_a_while_does_not_disturb_the_clock(
    begin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elapsed_module, "TICK", 0.001)
    monkeypatch.setattr(elapsed_module, "HEARTBEAT", 0.0)
    begin(tmp_path / "a", None)
    tried, written, write = threading.Event(), threading.Event(), Ledger.set_seconds

    def fail(self: Ledger, value: float) -> None:
        tried.set()
        raise EnvironmentFailure("the disk is full")

    def succeed(self: Ledger, value: float) -> None:
        write(self, value)
        written.set()

    with Ledger(tmp_path / "a") as ledger, ElapsedTime(Clock(7.0)) as elapsed, elapsed.keep(ledger):
        monkeypatch.setattr(Ledger, "set_seconds", fail)
        assert tried.wait(60.0)
        assert elapsed() == 7.0
        monkeypatch.setattr(Ledger, "set_seconds", succeed)
        assert written.wait(60.0)
    assert seconds(tmp_path / "a") == 7.0


def test_the_seconds_of_older_ledgers_count(begin: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    begin(tmp_path / "a", None)
    with Ledger(tmp_path / "a") as ledger:
        info = ledger.get_comparison_info()
        assert info is not None
        ledger.set_comparison_info(replace(info, seconds=40.0))
        elapsed = ElapsedTime(Clock(2.0))
        with elapsed.keep(ledger):
            assert elapsed() == 42.0
    assert seconds(tmp_path / "a") == 42.0


def test_no_time_is_written_to_a_ledger_that_takes_the_name(begin: Any, tmp_path: Path) -> None:
    """Between the opening of the ledger and the first heartbeat, someone moves the folder away and begins anew."""
    begin(tmp_path / "a", None)
    begin(tmp_path / "b", None)
    with Ledger(tmp_path / "a", create=True) as ledger:
        (tmp_path / "a").rename(tmp_path / "mine")
        with pytest.raises(InputError, match="holds no comparison"):
            ledger.open_again()
        assert not (tmp_path / "a").exists()
        (tmp_path / "b").rename(tmp_path / "a")
        with pytest.raises(EnvironmentFailure, match="was replaced by another file meanwhile"):
            ledger.open_again()
        elapsed = ElapsedTime(Clock(5.0))
        with elapsed.keep(ledger):
            pass
    assert seconds(tmp_path / "a") == 0.0
    assert seconds(tmp_path / "mine") == 0.0  # SQLite refuses to write to a file that was moved


def test_a_reader_writes_to_no_other_file_of_the_same_name(begin: Any, tmp_path: Path) -> None:
    begin(tmp_path / "a", None)
    begin(tmp_path / "b", None)
    with Ledger(tmp_path / "a") as reader:
        (tmp_path / "a").rename(tmp_path / "mine")
        (tmp_path / "b").rename(tmp_path / "a")
        with pytest.raises(EnvironmentFailure, match="was replaced by another file meanwhile"):
            reader.set_seconds(5.0)
    assert seconds(tmp_path / "a") == 0.0
