"""`ProcessPool`: the same results as in this process; a worker that dies costs one run."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo import core
from regzoo.core import EnvironmentFailure, Recipe, registry
from regzoo.execution.executor import Executor, Outcome
from regzoo.execution.process_pool import ProcessPool, _program_key, _Worker
from regzoo.execution.serial import SerialExecutor
from regzoo.execution.worker_process import WorkerProcess
from regzoo.training.records import Record, Run, list_members
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")

MISHAPS = '''
"""Regularizers that go wrong while a program is traced."""

import os
import signal
import time
from dataclasses import dataclass

from regzoo import register
from regzoo.core import Float, OnBatch, Strength, strength


@dataclass(frozen=True)
class _Mishap(OnBatch):
    rate: Strength = strength(Float(0.0, 1.0), neutral=0.0, domain="[0, 1]")


@register
@dataclass(frozen=True)
class Raising(_Mishap):
    def batch(self, x, y, seed):
        raise ZeroDivisionError("out of luck")


@register
@dataclass(frozen=True)
class Leaving(_Mishap):
    def batch(self, x, y, seed):
        os._exit(7)


@register
@dataclass(frozen=True)
class Killed(_Mishap):
    def batch(self, x, y, seed):
        os.kill(os.getpid(), signal.SIGKILL)


@register
@dataclass(frozen=True)
class Hanging(_Mishap):
    def batch(self, x, y, seed):
        time.sleep(600.0)


@register
@dataclass(frozen=True)
class Seeing(_Mishap):
    def batch(self, x, y, seed):
        raise ValueError(f"sees {os.environ['CUDA_VISIBLE_DEVICES']}")



@register
@dataclass(frozen=True)
class Shouting(_Mishap):
    def batch(self, x, y, seed):
        return x * 1.0, y
'''


def run(recipe: str, number: int = 0) -> Run:
    """Return a replicate of ``recipe``."""
    return Run("replicate", recipe, recipe, number, 5 + number, 0.01, 3, SETUP.digest)


GOOD = [run("none"), run("dropout(0.5)"), run("none", 1), run("ensemble(2)")]


def data(rows: Rows) -> dict[str, Rows]:
    """Return the three parts."""
    x, y = rows
    return {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])}


def make_all(executor: Executor, runs: list[Run]) -> dict[Run, Outcome]:
    """Make all ``runs`` as a comparison does; return what each left."""
    waiting = list(runs)
    done: dict[Run, Outcome] = {}
    while len(done) < len(runs):
        while waiting and executor.has_idle_worker():
            chosen = executor.pick(waiting)
            waiting.remove(chosen)
            executor.start(chosen)
        done |= {record.run: (record, weights) for record, weights in executor.collect()}
    return done


def timeless(record: Record) -> Record:
    return replace(record, fit_seconds=0.0, measure_seconds=0.0, predict_ms=0.0)


@pytest.fixture
def mishaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's own module, importable here and in workers; forgotten afterwards."""
    (tmp_path / "mishaps.py").write_text(MISHAPS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_registered", {})
    importlib.import_module("mishaps")
    yield
    del sys.modules["mishaps"]


@pytest.fixture(scope="module")
def here(tensorflow: None, rows: Rows) -> dict[Run, Outcome]:
    """The good runs, made in this process."""
    with SerialExecutor() as executor:
        executor.open(SETUP, data(rows))
        return make_all(executor, GOOD)


def assert_same(found: dict[Run, Outcome], wanted: dict[Run, Outcome]) -> None:
    for key, (record, weights) in wanted.items():
        assert timeless(found[key][0]) == timeless(record)
        for ours, theirs in zip(found[key][1], weights, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_two_workers_give_what_this_process_gives_and_what_dies_costs_one_run(
    rows: Rows, here: dict[Run, Outcome], mishaps: None, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = [run("leaving(0.5)"), run("killed(0.5)"), run("raising(0.5)")]
    with ProcessPool(2) as executor:
        executor.open(SETUP, data(rows))
        found = make_all(executor, [bad[0], GOOD[0], bad[1], *GOOD[1:], bad[2], run("shouting(0.5)")])
    assert_same(found, here)
    records = [found[one][0] for one in bad]
    assert [record.status for record in records] == ["failed"] * 3
    assert records[0].error == "the worker ended (exit code 7)"
    assert records[1].error == "the worker was killed (signal 9): out of memory, or killed from outside"
    assert "out of luck" in str(records[2].error)
    assert all(record.fit_seconds > 0.0 for record in records)  # the time that was lost
    assert [found[one][1] for one in bad] == [None] * 3
    assert found[run("shouting(0.5)")][0].status == "ok"
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_what_hangs_is_stopped_and_who_is_killed_idle_is_replaced(
    rows: Rows, here: dict[Run, Outcome], mishaps: None
) -> None:
    with ProcessPool(1, limit=1.0) as executor:
        assert not executor.has_idle_worker()  # it starts
        executor.open(SETUP, data(rows))
        found = make_all(executor, [run("hanging(0.5)")])
        record, weights = found[run("hanging(0.5)")]
        assert (record.status, record.error, weights) == ("failed", "ran past its limit of 1 s", None)
        assert 1.0 <= record.fit_seconds < 600.0  # it would sleep so long
        executor.limit = None
        while not executor.has_idle_worker():
            assert executor.collect() == []
        os.kill(executor._workers[0].process.pid, signal.SIGKILL)
        assert executor.collect() == []
        assert_same(make_all(executor, GOOD[:1]), {GOOD[0]: here[GOOD[0]]})


def test_a_worker_that_is_killed_whenever_it_starts_ends_it_all(rows: Rows) -> None:
    with ProcessPool(1) as executor:
        executor.open(SETUP, data(rows))
        pids = []
        for _ in range(3):
            pids.append(executor._workers[0].process.pid)
            os.kill(pids[-1], signal.SIGKILL)
            if len(pids) < 3:
                assert executor.collect() == []
        with pytest.raises(EnvironmentFailure, match=r"cannot start: .*killed \(signal 9\).*use fewer workers"):
            executor.collect()
    assert len(set(pids)) == 3


def test_a_worker_that_cannot_start_says_why(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.execution.worker_process.registered_modules", lambda: ("no_such_module",))
    with ProcessPool(1) as executor:
        executor.open(SETUP, data(rows))
        with pytest.raises(EnvironmentFailure, match="cannot start: ModuleNotFoundError: No module named 'no_such_mo"):
            executor.collect()


def test_one_that_is_not_ready_in_time_ends_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.execution.process_pool.START_LIMIT", 0.1)
    with ProcessPool(1) as executor, pytest.raises(EnvironmentFailure, match=r"not ready 0\.1 s after it was started"):
        executor.collect()  # it waits to be opened, so it will not be ready


def test_each_worker_has_its_card_and_where_none_can_be_used_there_is_one_for_each_core(
    rows: Rows, mishaps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no card here: TensorFlow will find that the one it is shown does not work."""
    monkeypatch.setattr("regzoo.execution.process_pool.list_gpus", lambda: ("5",))
    monkeypatch.setattr("regzoo.execution.process_pool.count_cores", lambda: 3)
    with ProcessPool() as executor:
        assert [worker.device for worker in executor._workers] == ["5"]
        executor.open(SETUP, data(rows))
        record, _ = make_all(executor, [run("seeing(0.5)")])[run("seeing(0.5)")]
        assert "sees 5" in str(record.error)
        assert [worker.device for worker in executor._workers] == ["5", None, None]
    monkeypatch.setattr(WorkerProcess, "__init__", lambda self, folder, device: None)
    monkeypatch.setattr(WorkerProcess, "stop", lambda self: None)
    monkeypatch.setattr("regzoo.execution.process_pool.list_gpus", lambda: ("0", "1"))
    for count, devices in ((None, ["0", "1"]), (1, ["0"]), (3, ["0", "1", "0"])):
        with ProcessPool(count) as executor:
            assert [worker.device for worker in executor._workers] == devices


@pytest.mark.slow
def test_a_worker_that_swells_is_replaced_between_two_runs(rows: Rows, here: dict[Run, Outcome]) -> None:
    with ProcessPool(1, growth=0) as executor:  # whoever makes a second program grows
        executor.open(SETUP, data(rows))
        pids = []
        for one in GOOD[:3]:
            assert_same(make_all(executor, [one]), {one: here[one]})
            pids.append(executor._workers[0].process.pid)
    assert pids[0] != pids[1] == pids[2]


@pytest.mark.slow
def test_a_thousand_runs_leave_a_worker_its_size(rows: Rows) -> None:
    """Less than 100 MB, programs and all; nobody is replaced."""
    recipes = ["none", "dropout(0.3)", "l2(0.01)"]
    with ProcessPool(1, growth=100_000_000) as executor:
        executor.open(SETUP, data(rows))
        while not executor.has_idle_worker():
            executor.collect()
        pid = executor._workers[0].process.pid
        for number in range(1000):
            executor.start(run(recipes[number % 3], number))
            [(record, _)] = executor.collect()
            assert record.status == "ok"
        assert executor._workers[0].process.pid == pid


ORPHANS = """
import time
from regzoo.execution.process_pool import ProcessPool

with ProcessPool(2) as executor:
    print(*[worker.process.pid for worker in executor._workers], flush=True)
    time.sleep(600.0)
"""


def test_workers_do_not_outlive_who_started_them(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert all(alive(pid) for pid in pids)
        parent.kill()
    until = time.monotonic() + 300.0
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


SPARING = """
import sys
from regzoo.execution.spawn import start_worker

start_worker(())
import keras
assert "sklearn" not in sys.modules, "Keras imported it"
import sklearn.base, matplotlib.pyplot, pandas
"""


def test_a_process_spares_what_training_does_not_need_and_can_import_it() -> None:
    done = subprocess.run([sys.executable, "-c", SPARING], check=False)
    assert done.returncode == 0


def alive(pid: int) -> bool:
    """Whether there is such a process, and it runs."""
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_worker_prefers_what_it_has_traced_then_what_nobody_has() -> None:
    executor = ProcessPool(2)
    nowhere: Any = None
    busy = _Worker(None, nowhere, ready=True, run=GOOD[0], programs={_program_key(run("dropout(0.5)"))})
    starting = _Worker(None, nowhere)
    free = _Worker(None, nowhere, ready=True, programs={_program_key(run("l2(0.1)"))})
    executor._workers = [busy, starting, free]
    dropouts, l2s, noises = run("dropout(0.1)"), run("l2(0.2)"), run("gaussian_noise(0.1)")
    assert executor.pick([dropouts, noises, l2s]) == l2s
    assert executor.pick([dropouts, noises]) == noises
    assert executor.pick([dropouts]) == dropouts
    assert executor.pick([dropouts, replace(l2s, fold=1), l2s]) == l2s  # another cut has other data


def test_picking_among_many_waiting_runs_parses_no_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes were parsed when the runs were scheduled, and what determines their programs is computed once."""
    waiting = [run(f"dropout({0.1 + number / 1000:.3f}) + l2(0.{number + 1:03})", number) for number in range(200)]
    assert all(list_members(one) == [one] for one in waiting)  # as the scheduler asks of every run
    parsed: list[str] = []
    structures: list[Recipe] = []

    def parse(text: str) -> Recipe:
        parsed.append(text)
        return core.parse(text)

    def structure(recipe: Recipe) -> Any:
        structures.append(recipe)
        return computed(recipe)

    computed = Recipe.structure
    monkeypatch.setattr("regzoo.training.records.parse", parse)
    monkeypatch.setattr(Recipe, "structure", structure)
    executor = ProcessPool(1)
    nowhere: Any = None
    executor._workers = [_Worker(None, nowhere, ready=True)]
    for count in range(200, 0, -1):
        assert executor.pick(waiting[:count]) == waiting[0]
    assert parsed == []
    assert len(structures) <= 200
    assert run("dropout(0.9)").recipe == core.parse("dropout(0.9)")
    assert parsed == ["dropout(0.9)"]  # a parse is counted


SCRIPT = """
import sys
import numpy as np
import regzoo

y = np.arange(60) % 3
x = np.random.default_rng(0).normal(size=(60, 4)) + y[:, None]
result = regzoo.compare(x, y, backbone="mlp([4])", recipes=["none", "l2(0.1)"], replicates=2, workers=1,
                        training={"epochs": 2, "learning_rate": 0.01})
print(len(result.leaderboard), result.best, result.folder)
"""


@pytest.mark.slow
def test_a_script_without_a_main_guard_compares(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=900
    )
    assert (done.returncode, done.stderr) == (0, "")
    count, best, folder = done.stdout.split()  # printed once: a worker did not run the script again
    assert (count, best in ("none", "l2(0.1)")) == ("2", True)
    assert not Path(folder).exists()  # no out= was given, so nothing is left behind
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
