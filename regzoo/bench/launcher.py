"""Run each job in a fresh process, so that start-up, threads and memory are its own. Imports no TensorFlow."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import time
from typing import Any

from regzoo.bench.machine import read_busy_seconds, read_child_seconds
from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.plan import KERAS_TUNER, Job
from regzoo.bench.worker import CEILING
from regzoo.core.errors import EnvironmentFailure, UnavailableError
from regzoo.system.temporary_folder import temporary_folder

LIMIT = 600.0
"""Seconds after which a process is killed."""


def measure_job(job: Job) -> tuple[Measurement, ProcessUsage]:
    """Run ``job`` in a process of its own; return its measurement, and what the process used.

    Raises:
        UnavailableError: if a package that the way needs is not installed.
        EnvironmentFailure: if the process fails, or takes too long.
    """
    if job.way == KERAS_TUNER.name and importlib.util.find_spec("tensorboard") is None:
        raise UnavailableError(
            "KerasTuner's search imports tensorboard, which is not installed: pip install 'regzoo[tensorboard]'"
        )
    result, usage = _run_worker(dataclasses.asdict(job))
    return Measurement.from_dict(result), usage


def measure_matmul_gflops() -> float:
    """Return the speed of this machine's float32 matrix products, in 10^9 operations a second.

    Raises:
        EnvironmentFailure: if the process fails.
    """
    return float(_run_worker({"way": CEILING})[0]["gflops"])


def _run_worker(job: dict[str, Any]) -> tuple[dict[str, Any], ProcessUsage]:
    with temporary_folder() as folder:
        job_file, result_file = folder / "job.json", folder / "result.json"
        job_file.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "regzoo.bench.worker", str(job_file), str(result_file)]
        began, busy, children = time.perf_counter(), read_busy_seconds(), read_child_seconds()
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise EnvironmentFailure(f"not finished after {LIMIT:.0f} s") from None
        usage = _measure_usage(time.perf_counter() - began, busy, children)
        if done.returncode or not result_file.is_file():
            raise EnvironmentFailure(_find_reason(done))
        return json.loads(result_file.read_text(encoding="utf-8")), usage


def _measure_usage(seconds: float, busy: float | None, children: float) -> ProcessUsage:
    """Return the usage since the readings ``busy`` (of all cores) and ``children`` (of this process's children)."""
    now = read_busy_seconds()
    if busy is None or now is None:
        return ProcessUsage(seconds, None)
    others = (now - busy) - (read_child_seconds() - children)
    return ProcessUsage(seconds, max(0.0, others) / seconds / (os.cpu_count() or 1))


def _find_reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that the process wrote to stderr."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f"its process ended with code {done.returncode}: {lines[-1] if lines else 'it wrote nothing'}"
