"""A job has a process of its own; what goes wrong there is said here."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys

import pytest

from regzoo.bench import machine
from regzoo.bench import measure as measuring
from regzoo.bench.measure import measure
from regzoo.bench.measurement import ProcessUsage
from regzoo.bench.plan import CASES, KERAS_TUNER, ONE, Job
from regzoo.core import EnvironmentFailure
from regzoo.core.errors import UnavailableError

TOO_SMALL = Job(dataclasses.replace(CASES["digits"], rows=3), ONE.name, 3)


def test_what_a_process_raises_is_the_reason() -> None:
    with pytest.raises(EnvironmentFailure, match=r"ended with code 1: .*InputError: .*3 rows are too few"):
        measure(TOO_SMALL)


def test_a_process_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "LIMIT", 0.05)
    with pytest.raises(EnvironmentFailure, match="not finished after 0 s"):
        measure(TOO_SMALL)


def test_without_tensorboard_keras_tuner_cannot_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"pip install 'regzoo\[tensorboard\]'"):
        measure(Job(CASES["digits"], KERAS_TUNER.name, 3))


def test_what_others_take_is_all_work_but_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "busy_seconds", lambda: 107.0)
    monkeypatch.setattr(measuring, "own_seconds", lambda: 15.0)
    monkeypatch.setattr(measuring.os, "cpu_count", lambda: 2)
    # 7 s of work, 4 s of it our own: 3 s of the 20 s that two cores had
    assert measuring._outside(10.0, busy=100.0, own=11.0) == ProcessUsage(10.0, 0.15)
    assert measuring._outside(10.0, busy=None, own=11.0) == ProcessUsage(10.0, None)


def test_work_is_counted() -> None:
    busy, own = machine.busy_seconds(), machine.own_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.4: pass"], check=True)
    assert machine.own_seconds() - own >= 0.375  # each clock is read in hundredths
    assert busy is None or machine.busy_seconds() - busy >= 0.375
