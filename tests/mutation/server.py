"""Run the tests of many mutants, each in a fork of this process, which has imported TensorFlow and no regzoo.

A fork starts in no time, and its first import of the mutated module finds the mutant: in a file of its own, since
TensorFlow's AutoGraph reads the sources of functions again.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import math
import os
import re
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.choose_tests import split_names
from tests.mutation.mutants import ROOT, list_modules

OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib", "--strict-markers"]

WAITING, PATIENCE = 300.0, 20.0
"""Seconds after which a run has stopped working: these, and so many times its limit of processor time."""

PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

SETTINGS = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}


SHARED = (
    "regzoo.api",
    "regzoo.execution.tf_runtime",
    "regzoo.testing.checks",
    "regzoo.testing.harness",
    "regzoo.training.engine.program",
    "regzoo.training.engine.trainer",
    "regzoo.training.model.build",
)
"""What imports neither a regularizer nor a backbone until one is used."""


def import_libraries() -> None:
    """Import what the tests import except what is mutated; no operation is run, so that TensorFlow has no threads."""
    os.environ.update(SETTINGS)
    os.chdir(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("tensorflow", "keras", "keras_tuner", "pandas", "scipy.stats", "sklearn.datasets", *SHARED):
            importlib.import_module(name)
    if loaded := list_modules().keys() & sys.modules.keys():
        raise RuntimeError(f"the server has imported {min(loaded)}: a mutant of it would not be seen")
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Job:
    """Tests to run with one module replaced.

    Attributes:
        module: name of the module.
        source: its text in this run.
        tests: pytest's arguments (see `choose_tests.list_stages`).
        limit: seconds of processor time after which the run is ended.
        kills: numbers of mutants that tests have killed; those are run first.
        durations: seconds that tests have taken; of the others the quickest are run first.
    """

    module: str
    source: str
    tests: tuple[str, ...]
    limit: float
    kills: Mapping[str, int] = field(default_factory=dict)
    durations: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How the tests ended.

    Attributes:
        passed: whether all of them passed.
        reason: the first test that failed, or what else ended the run.
        seconds: processor time taken.
        durations: seconds of each test.
    """

    passed: bool
    reason: str
    seconds: float
    durations: Mapping[str, float] = field(default_factory=dict)


class Running:
    """A job in a process of its own."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.started = time.monotonic()
        self.report = tempfile.NamedTemporaryFile("r", suffix=".json")  # noqa: SIM115
        self.pid = os.fork()
        if not self.pid:
            _run_in_fork(job, Path(self.report.name))

    def poll(self) -> Outcome | None:
        """Return the outcome, or None as long as the tests run."""
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid:
            self._end_group()
            return self._read(status, usage.ru_utime + usage.ru_stime)
        if time.monotonic() - self.started < WAITING + PATIENCE * self.job.limit:
            return None
        self.end()
        return Outcome(False, "it waits for ever", 0.0)

    def end(self) -> None:
        """End the tests and every process that they have started."""
        self._end_group()
        os.waitpid(self.pid, 0)
        self.report.close()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _read(self, status: int, seconds: float) -> Outcome:
        text = Path(self.report.name).read_text(encoding="utf-8")
        self.report.close()
        if not text:
            return Outcome(False, f"the process ended with status {os.waitstatus_to_exitcode(status)}", seconds)
        result = json.loads(text)
        return Outcome(result["code"] in PASSED, result["reason"], seconds, result["durations"])


def _run_in_fork(job: Job, report: Path) -> None:
    """Run the tests, write the report, and end the process."""
    code = 70
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(job.limit), resource.RLIM_INFINITY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"{job.module.rpartition('.')[2]}.py")
            file.write_text(job.source, encoding="utf-8")
            sys.meta_path.insert(0, Replaced(job.module, file))
            tests, names = split_names(job.tests)
            watch = Watch(names, job.kills, job.durations)
            code = int(pytest.main([*OPTIONS, "--basetemp", f"{folder}/pytest", *tests], plugins=[watch]))
            result = {"code": code, "reason": watch.reason, "durations": watch.durations}
            report.write_text(json.dumps(result), encoding="utf-8")
    finally:
        os._exit(code)


class Replaced(importlib.abc.MetaPathFinder):
    """Finds one module in another file."""

    def __init__(self, module: str, file: Path) -> None:
        self.module, self.file = module, file

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the other file's spec, or None for every other module."""
        return importlib.util.spec_from_file_location(fullname, self.file) if fullname == self.module else None


class Watch:
    """Sorts the tests, and runs of the files in ``names`` only those whose parameter matches the file's pattern.

    Attributes:
        reason: the first failure.
        durations: seconds of each test.
    """

    def __init__(self, names: Mapping[str, str], kills: Mapping[str, int], durations: Mapping[str, float]) -> None:
        self.names = names
        self.kills, self.known = kills, durations
        self.reason = ""
        self.durations: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what is not wanted, and sort."""
        for file, names in self.names.items():
            wanted = re.compile(rf"\[(.*-)?({names})\b")
            items[:] = [item for item in items if not item.nodeid.startswith(file) or wanted.search(item.nodeid)]
        items.sort(key=lambda item: (-self.kills.get(item.nodeid, 0), self.known.get(item.nodeid, 1.0)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a test file that cannot be imported."""
        if report.failed:
            self.reason = self.reason or f"{report.nodeid}: not imported"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a test that fails, and how long each takes."""
        self.durations[report.nodeid] = self.durations.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.reason = self.reason or report.nodeid
