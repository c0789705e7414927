"""A job has a process of its own; what goes wrong there is said here."""

from __future__ import annotations

import dataclasses
import importlib.util

import pytest

from regzoo.bench import measure as measuring
from regzoo.bench.measure import UnavailableError, measure
from regzoo.bench.plan import CASES, KERAS_TUNER, ONE, Job
from regzoo.language import EnvironmentFailure

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
