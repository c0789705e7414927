"""A job runs in a process of its own, and its error becomes the reason."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys

import pytest

from regzoo.bench import launcher, machine
from regzoo.bench.launcher import measure_job
from regzoo.bench.measurement import ProcessUsage
from regzoo.bench.plan import CASES, KERAS_TUNER, ONE, Job
from regzoo.core import EnvironmentFailure
from regzoo.core.errors import UnavailableError

TOO_SMALL = Job(dataclasses.replace(CASES["digits"], rows=3), ONE.name, 3)


def test_what_a_process_raises_is_the_reason() -> None:
    with pytest.raises(EnvironmentFailure, match=r"ended with code 1: .*InputError: .*3 rows are too few"):
        measure_job(TOO_SMALL)


def test_a_process_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "LIMIT", 0.05)
    with pytest.raises(EnvironmentFailure, match="not finished after 0 s"):
        measure_job(TOO_SMALL)


def test_without_tensorboard_keras_tuner_cannot_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"pip install 'regzoo\[tensorboard\]'"):
        measure_job(Job(CASES["digits"], KERAS_TUNER.name, 3))


def test_what_others_take_is_all_work_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "read_busy_seconds", lambda: 107.0)
    monkeypatch.setattr(launcher, "read_child_seconds", lambda: 15.0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    # 7 s of work, 4 s of it our own: 3 s of the 20 s that two cores had
    assert launcher._measure_usage(10.0, busy=100.0, children=11.0) == ProcessUsage(10.0, 0.15)
    assert launcher._measure_usage(10.0, busy=None, children=11.0) == ProcessUsage(10.0, None)


def test_work_is_counted() -> None:
    busy, children = machine.read_busy_seconds(), machine.read_child_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.4: pass"], check=True)
    assert machine.read_child_seconds() - children >= 0.375  # each clock is read in hundredths
    now = machine.read_busy_seconds()
    assert busy is None or now is None or now - busy >= 0.375
