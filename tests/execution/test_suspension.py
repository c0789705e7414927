"""A run's limit counts the time in which its worker could work: not that of a suspended worker, process or machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from regzoo.core import EnvironmentFailure
from regzoo.execution import process_pool, worker_process
from regzoo.execution.process_pool import ProcessPool
from regzoo.system.work_clock import WorkClock
from regzoo.training.records import Record, Run
from tests.execution.test_litter import wait_until

FIXTURES = Path(__file__).parents[1] / "fixtures"


class Clock:
    """A clock that goes on by ``step`` seconds whenever it is read, and makes ``events`` at some of these moments."""

    def __init__(self) -> None:
        self.step = self.now = 0.0
        self.readings = 0
        self.events: dict[int, Callable[[], None]] = {}

    def __call__(self) -> float:
        self.readings += 1
        self.now += self.step
        self.events.pop(self.readings, lambda: None)()
        return self.now

    def soon(self, readings: int, event: Callable[[], None]) -> None:
        """Make ``event`` after so many further readings."""
        self.events[self.readings + readings] = event


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make workers that need no TensorFlow, and look at them often."""
    monkeypatch.syspath_prepend(FIXTURES)
    monkeypatch.setenv("TINY_WORKERS", str(tmp_path))
    import tiny_workers  # type: ignore[import-not-found]

    monkeypatch.setattr(worker_process, "_run_worker", tiny_workers.run_worker)
    monkeypatch.setattr(process_pool, "TICK", 0.002)


def start(pool: ProcessPool, tmp_path: Path) -> int:
    """Start a run that hangs; return the process id of the worker."""
    setup: Any = SimpleNamespace(model=None, folds=(), for_fold=int)
    pool.open(setup, {})
    while not pool.has_idle_worker():
        pool.collect()
    pool.start(Run("replicate", "running", "none", 0, 1, 0.1, 1, "setup"))
    held = tmp_path / "running.pid"
    wait_until(lambda: held.is_file() and held.read_text().endswith("\n"), seconds=60)
    return int(held.read_text())


def collect(pool: ProcessPool) -> Record:
    """Return the record of the run that ends."""
    outcomes: list[Any] = []
    while not outcomes:
        outcomes = pool.collect()
    record: Record = outcomes[0][0]
    return record


def test_a_suspended_worker_is_not_charged_and_one_that_hangs_is_stopped(tmp_path: Path) -> None:
    clock = Clock()
    with ProcessPool(1, limit=100.0, clock=clock) as pool:
        worker = start(pool, tmp_path)
        os.kill(worker, signal.SIGSTOP)
        wait_until(pool._workers[0].process.is_suspended, seconds=60)
        before, clock.step = clock.readings, 10.0
        clock.soon(50, lambda: os.kill(worker, signal.SIGCONT))
        record = collect(pool)
        assert clock.readings >= before + 50  # it was suspended for 500 s
    assert (record.status, record.error) == ("failed", "ran past its limit of 100 s")
    assert 100.0 <= record.fit_seconds < 150.0


@pytest.mark.parametrize("gap", [3.0, 10_000.0])
def test_time_in_which_this_process_is_suspended_is_not_charged(gap: float, tmp_path: Path) -> None:
    clock = Clock()

    def jump() -> None:
        clock.now += gap
        clock.soon(2, jump)

    with ProcessPool(1, limit=60.0, clock=WorkClock(clock, lambda: 0.0)) as pool:
        start(pool, tmp_path)
        before, began, clock.step = clock.readings, clock.now, 1.0
        clock.soon(1, jump)
        record = collect(pool)
        assert clock.readings - before >= 60
        assert clock.now - began > 60.0 + 20 * gap
    assert (record.status, record.error) == ("failed", "ran past its limit of 60 s")
    assert 60.0 <= record.fit_seconds < 70.0


def test_a_death_is_noticed_where_processes_have_no_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that the worker started keeps its pipe open."""
    monkeypatch.setattr(worker_process, "_open_process", lambda _: None)
    with ProcessPool(1) as pool:
        os.kill(start(pool, tmp_path), signal.SIGTERM)
        record = collect(pool)
    assert record.status == "ok"
    assert [attempt["error"] for attempt in record.attempts] == ["the worker was killed (signal 15): Terminated"]


def test_a_worker_that_is_suspended_while_it_starts_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "START_LIMIT", 100.0)
    clock = Clock()
    with ProcessPool(1, clock=clock) as pool:
        worker = pool._workers[0].process  # it waits to be opened, so it will not be ready
        os.kill(worker.pid, signal.SIGSTOP)
        wait_until(worker.is_suspended, seconds=60)
        before, clock.step = clock.readings, 10.0
        clock.soon(50, lambda: os.kill(worker.pid, signal.SIGCONT))
        with pytest.raises(EnvironmentFailure, match="not ready 100 s after it was started"):
            pool.collect()
        assert clock.readings >= before + 50
