"""`ProcessPool`: results equal those of this process, and a worker that dies costs one run."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from regzoo.core import EnvironmentFailure, registry
from regzoo.execution.executor import Executor, Outcome
from regzoo.execution.process_pool import ProcessPool
from regzoo.execution.serial import SerialExecutor
from regzoo.execution.worker_process import WorkerProcess
from regzoo.training.records import Record, Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
FIXTURES = Path(__file__).parents[1] / "fixtures"
SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")


def run(recipe: str, number: int = 0) -> Run:
    """Return a replicate of ``recipe``."""
    return Run("replicate", recipe, recipe, number, 5 + number, 0.01, 3, SETUP.digest)


GOOD = [run("none"), run("dropout(0.5)"), run("none", 1), run("ensemble(2)")]


def split(rows: Rows) -> dict[str, Rows]:
    """Return the three parts."""
    x, y = rows
    return {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])}


def make_runs(executor: Executor, runs: list[Run]) -> dict[Run, Outcome]:
    """Make all ``runs`` as a comparison does; return the outcomes."""
    waiting = list(runs)
    outcomes: dict[Run, Outcome] = {}
    while len(outcomes) < len(runs):
        while waiting and executor.has_idle_worker():
            chosen = executor.pick(waiting)
            waiting.remove(chosen)
            executor.start(chosen)
        outcomes |= {record.run: (record, weights) for record, weights in executor.collect()}
    return outcomes


def without_times(record: Record) -> Record:
    """Return ``record`` without what differs from one process to another."""
    return replace(record, fit_seconds=0.0, measure_seconds=0.0, predict_ms=0.0)


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Import a module of the user's with failing regularizers, here and in workers; forget it afterwards."""
    shutil.copy(FIXTURES / "failing_always.py", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_registered", {})
    importlib.import_module("failing_always")
    yield
    del sys.modules["failing_always"]


@pytest.fixture(scope="module")
def expected(tensorflow: None, rows: Rows) -> dict[Run, Outcome]:
    """The outcomes of the good runs in this process."""
    with SerialExecutor() as executor:
        executor.open(SETUP, split(rows))
        return make_runs(executor, GOOD)


def assert_same(found: dict[Run, Outcome], expected: dict[Run, Outcome]) -> None:
    for key, (record, weights) in expected.items():
        assert without_times(found[key][0]) == without_times(record)
        for ours, theirs in zip(found[key][1], weights, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_workers_give_the_results_of_this_process_and_a_death_costs_one_run(
    rows: Rows, expected: dict[Run, Outcome], failing: None, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = [run("leaving(0.5)"), run("killed(0.5)"), run("raising(0.5)")]
    with ProcessPool(2) as executor:
        executor.open(SETUP, split(rows))
        found = make_runs(executor, [bad[0], GOOD[0], bad[1], *GOOD[1:], bad[2], run("working(0.5)")])
    assert_same(found, expected)
    records = [found[one][0] for one in bad]
    assert [record.status for record in records] == ["failed"] * 3
    assert records[0].error == "the worker ended (exit code 7)"
    assert records[1].error == "the worker was killed (signal 9): out of memory, or killed from outside"
    assert [len(record.attempts) for record in records] == [0, 2, 0]
    assert "out of luck" in str(records[2].error)
    assert all(record.fit_seconds > 0.0 for record in records)  # the time that was lost
    assert [found[one][1] for one in bad] == [None] * 3
    assert found[run("working(0.5)")][0].status == "ok"
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_run_that_hangs_is_stopped_and_a_worker_that_is_killed_idle_is_replaced(
    rows: Rows, expected: dict[Run, Outcome], failing: None
) -> None:
    with ProcessPool(1, limit=1.0) as executor:
        assert not executor.has_idle_worker()  # it starts
        executor.open(SETUP, split(rows))
        found = make_runs(executor, [run("hanging(0.5)")])
        record, weights = found[run("hanging(0.5)")]
        assert (record.status, record.error, weights) == ("failed", "ran past its limit of 1 s", None)
        assert 1.0 <= record.fit_seconds < 600.0  # as long as it would hang
        executor.limit = None
        while not executor.has_idle_worker():
            assert executor.collect() == []
        os.kill(executor._workers[0].process.pid, signal.SIGKILL)
        assert executor.collect() == []
        assert_same(make_runs(executor, GOOD[:1]), {GOOD[0]: expected[GOOD[0]]})


def test_a_worker_that_is_killed_whenever_it_starts_is_an_error(rows: Rows) -> None:
    with ProcessPool(1) as executor:
        executor.open(SETUP, split(rows))
        pids = []
        for _ in range(3):
            pids.append(executor._workers[0].process.pid)
            os.kill(pids[-1], signal.SIGKILL)
            if len(pids) < 3:
                assert executor.collect() == []
        with pytest.raises(EnvironmentFailure, match=r"cannot start: .*killed \(signal 9\).*use fewer workers"):
            executor.collect()
    assert len(set(pids)) == 3


@pytest.mark.slow
def test_a_worker_that_cannot_start_gives_the_reason(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.execution.worker_process.list_registered_modules", lambda: ("no_such_module",))
    with ProcessPool(1) as executor:
        executor.open(SETUP, split(rows))
        with pytest.raises(EnvironmentFailure, match="cannot start: ModuleNotFoundError: No module named 'no_such_mo"):
            executor.collect()


def test_a_worker_that_is_not_ready_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.execution.process_pool.START_LIMIT", 0.1)
    with ProcessPool(1) as executor, pytest.raises(EnvironmentFailure, match=r"not ready 0\.1 s after it was started"):
        executor.collect()  # it waits to be opened, so it will not be ready


@pytest.mark.slow
def test_each_worker_has_its_card_and_without_a_usable_card_there_is_a_worker_for_each_core(
    rows: Rows, failing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no GPU here: TensorFlow finds that the one it is shown does not work."""
    monkeypatch.setattr("regzoo.execution.process_pool.list_gpus", lambda: ("5",))
    monkeypatch.setattr("regzoo.execution.process_pool.count_cores", lambda: 3)
    with ProcessPool() as executor:
        assert [worker.device for worker in executor._workers] == ["5"]
        executor.open(SETUP, split(rows))
        record, _ = make_runs(executor, [run("seeing(0.5)")])[run("seeing(0.5)")]
        assert "sees 5" in str(record.error)
        assert [worker.device for worker in executor._workers] == ["5", None, None]
    monkeypatch.setattr(WorkerProcess, "__init__", lambda self, *arguments: None)
    monkeypatch.setattr(WorkerProcess, "stop", lambda self: None)
    monkeypatch.setattr(WorkerProcess, "pid", 1 << 30)  # no process has it
    monkeypatch.setattr("regzoo.execution.process_pool.list_gpus", lambda: ("0", "1"))
    for count, devices in ((None, ["0", "1"]), (1, ["0"]), (3, ["0", "1", "0"])):
        with ProcessPool(count) as executor:
            assert [worker.device for worker in executor._workers] == devices


@pytest.mark.slow
def test_a_worker_that_grows_too_large_is_replaced_between_two_runs(rows: Rows, expected: dict[Run, Outcome]) -> None:
    with ProcessPool(1, growth=0) as executor:  # a second program makes any worker grow
        executor.open(SETUP, split(rows))
        pids = []
        for one in GOOD[:3]:
            assert_same(make_runs(executor, [one]), {one: expected[one]})
            pids.append(executor._workers[0].process.pid)
    assert pids[0] != pids[1] == pids[2]


@pytest.mark.slow
def test_a_worker_does_not_grow_over_a_thousand_runs(rows: Rows) -> None:
    """It grows by less than 100 MB, programs included, so it is not replaced."""
    recipes = ["none", "dropout(0.3)", "l2(0.01)"]
    with ProcessPool(1, growth=100_000_000) as executor:
        executor.open(SETUP, split(rows))
        while not executor.has_idle_worker():
            executor.collect()
        pid = executor._workers[0].process.pid
        for number in range(1000):
            executor.start(run(recipes[number % 3], number))
            [(record, _)] = executor.collect()
            assert record.status == "ok"
        assert executor._workers[0].process.pid == pid
