"""Measure: each job in a fresh process of its own, so start-up, threads and memory are its own. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from regzoo.bench.machine import busy_seconds, own_seconds
from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.plan import KERAS_TUNER, Job
from regzoo.bench.process import CEILING
from regzoo.core import EnvironmentFailure
from regzoo.core.errors import UnavailableError

LIMIT = 600.0
"""Seconds after which a process is given up."""


def measure(job: Job) -> tuple[Measurement, ProcessUsage]:
    """Do ``job``; return what its process found, and what was seen of it from outside.

    Raises:
        UnavailableError: if what the way needs is not installed.
        EnvironmentFailure: if the process fails, or takes too long.
    """
    if job.way == KERAS_TUNER.name and importlib.util.find_spec("tensorboard") is None:
        raise UnavailableError(
            "KerasTuner's search imports tensorboard, which is not installed: pip install 'regzoo[tensorboard]'"
        )
    found, outside = _asked(dataclasses.asdict(job))
    return Measurement.from_dict(found), outside


def ceiling_gflops() -> float:
    """The machine's float32 matrix products, in 10^9 operations a second.

    Raises:
        EnvironmentFailure: if the process fails.
    """
    return float(_asked({"way": CEILING})[0]["gflops"])


def _asked(job: dict[str, Any]) -> tuple[dict[str, Any], ProcessUsage]:
    with tempfile.TemporaryDirectory(prefix="regzoo-") as folder:
        asked, found = Path(folder) / "job.json", Path(folder) / "found.json"
        asked.write_text(json.dumps(job), encoding="utf-8")
        command = [sys.executable, "-m", "regzoo.bench.process", str(asked), str(found)]
        began, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            raise EnvironmentFailure(f"not finished after {LIMIT:.0f} s") from None
        outside = _outside(time.perf_counter() - began, busy, own)
        if done.returncode or not found.is_file():
            raise EnvironmentFailure(_reason(done))
        return json.loads(found.read_text(encoding="utf-8")), outside


def _outside(seconds: float, busy: float | None, own: float) -> ProcessUsage:
    """What was seen since the clocks stood at ``busy`` and ``own``."""
    now = busy_seconds()
    if busy is None or now is None:
        return ProcessUsage(seconds, None)
    others = (now - busy) - (own_seconds() - own)
    return ProcessUsage(seconds, max(0.0, others) / seconds / (os.cpu_count() or 1))


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last thing the process said."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f"its process ended with code {done.returncode}: {lines[-1] if lines else 'it said nothing'}"
