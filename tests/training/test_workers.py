"""Workers: the same results as in this process, and what dies costs one run."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.language import parse, registry
from regzoo.training.record import Record, Run
from regzoo.training.study import Study
from regzoo.training.task import Task
from regzoo.training.executor import Executor, Outcome
from regzoo.training.in_process import InProcess
from regzoo.training.process import Process
from regzoo.training.workers import Workers, _Worker

Rows = tuple[np.ndarray, np.ndarray]
STUDY = Study("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")

MISHAPS = '''
"""Regularizers that go wrong while a program is traced."""

import os
import signal
from dataclasses import dataclass

from regzoo import register
from regzoo.language import Float, OnBatch, Strength, strength


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
class Shouting(_Mishap):
    def batch(self, x, y, seed):
        return x * 1.0, y
'''


def run(recipe: str, number: int = 0) -> Run:
    return Run("replicate", recipe, recipe, number, 5 + number, 0.01, 3, STUDY.digest)


GOOD = [run("none"), run("dropout(0.5)"), run("none", 1), run("ensemble(2)")]


def data(rows: Rows) -> dict[str, Rows]:
    x, y = rows
    return {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])}


def made(executor: Executor, runs: list[Run]) -> dict[Run, Outcome]:
    waiting, done = list(runs), {}
    while len(done) < len(runs):
        while waiting and executor.room():
            chosen = executor.pick(waiting)
            waiting.remove(chosen)
            executor.start(chosen)
        done |= {record.run: (record, weights) for record, weights in executor.collect()}
    return done


def timeless(record: Record) -> Record:
    return replace(record, fit_seconds=0.0, predict_ms=0.0)


@pytest.fixture
def mishaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's own module, importable here and in workers; forgotten afterwards."""
    (tmp_path / "mishaps.py").write_text(MISHAPS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_own", {})
    importlib.import_module("mishaps")
    yield
    del sys.modules["mishaps"]


@pytest.fixture(scope="module")
def here(tensorflow: None, rows: Rows) -> dict[Run, Outcome]:
    """The good runs, made in this process."""
    with InProcess(STUDY, data(rows)) as executor:
        return made(executor, GOOD)


def assert_same(found: dict[Run, Outcome], wanted: dict[Run, Outcome]) -> None:
    for key, (record, weights) in wanted.items():
        assert timeless(found[key][0]) == timeless(record)
        for ours, theirs in zip(found[key][1], weights, strict=True):
            for one, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)


def test_two_workers_give_what_this_process_gives_and_what_dies_costs_one_run(
    rows: Rows, here: dict[Run, Outcome], mishaps: None, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = [run("leaving(0.5)"), run("killed(0.5)"), run("raising(0.5)")]
    with Workers(STUDY, data(rows), 2) as executor:
        found = made(executor, [bad[0], GOOD[0], bad[1], *GOOD[1:], bad[2], run("shouting(0.5)")])
    assert_same(found, here)
    records = [found[one][0] for one in bad]
    assert [record.status for record in records] == ["failed"] * 3
    assert records[0].error == "the worker died (exit code 7)"
    assert records[1].error == "the worker died (exit code -9)"
    assert "out of luck" in str(records[2].error)
    assert [found[one][1] for one in bad] == [None] * 3
    assert found[run("shouting(0.5)")][0].status == "ok"
    assert capfd.readouterr() == ("", "")


def test_one_worker_gives_the_same(rows: Rows, here: dict[Run, Outcome]) -> None:
    with Workers(STUDY, data(rows), 1) as executor:
        assert executor.room()
        executor.start(GOOD[0])
        assert not executor.room()
        found = {record.run: (record, weights) for record, weights in executor.collect()}
        assert_same(found | made(executor, GOOD[1:]), here)


def test_a_worker_prefers_what_it_has_traced_then_what_nobody_has(rows: Rows) -> None:
    pool: Any = Workers(STUDY, data(rows), 2)

    def structure(recipe: str) -> Any:
        return parse(recipe).structure()

    busy = _Worker(pool=None, run=GOOD[0], structures={structure("dropout(0.5)")})
    free = _Worker(pool=None, structures={structure("l2(0.1)")})
    pool._workers = [busy, free]
    dropouts, l2s, noises = run("dropout(0.1)"), run("l2(0.2)"), run("gaussian_noise(0.1)")
    assert pool.pick([dropouts, noises, l2s]) == l2s
    assert pool.pick([dropouts, noises]) == noises
    assert pool.pick([dropouts]) == dropouts


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


def test_a_script_without_a_main_guard_compares(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    count, best, folder = done.stdout.split()  # printed once: a worker did not run the script again
    assert (count, best in ("none", "l2(0.1)")) == ("2", True)
    assert not Path(folder).exists()  # no out= was given, so nothing is left behind
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
