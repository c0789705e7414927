"""This computer: its description, its fastest matrix products, and the processor time and memory in use."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

VERSIONS = ("regzoo", "tensorflow", "keras", "keras-tuner", "numpy")
SIZE = 2048
"""Rows and columns of the matrices that are multiplied."""

REPEATS = 20


def describe_machine() -> dict[str, Any]:
    """Return cores, processor, memory, system, versions, and the load: processes that were ready in the last minute."""
    return {
        "cores": os.cpu_count() or 1,
        "processor": _find(r"model name\s*: (.*)", "/proc/cpuinfo") or platform.processor() or platform.machine(),
        "memory_gb": _scale(_find(r"MemTotal:\s*(\d+) kB", "/proc/meminfo"), 1e6),
        "system": platform.platform(),
        "load": _scale(_find(r"(\S+)", "/proc/loadavg"), 1.0),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
    }


def measure_matmul_gflops() -> float:
    """Return the speed of the best of several float32 products of 2048 x 2048 matrices, in 10^9 operations a second.

    TensorFlow computes them on its device, with all its threads.
    """
    import tensorflow as tf

    a = tf.random.stateless_normal((SIZE, SIZE), seed=(0, 0))
    b = tf.random.stateless_normal((SIZE, SIZE), seed=(0, 1))
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        tf.matmul(a, b)[0, 0].numpy()  # waits for the device
        seconds.append(time.perf_counter() - began)
    return 2 * SIZE**3 / min(seconds) / 1e9


def read_busy_seconds() -> float | None:
    """Return the CPU seconds of all cores together since the machine started; None without /proc."""
    counters = _find(r"cpu +(.*)", "/proc/stat")
    if counters is None:
        return None
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, counters.split())
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def read_child_seconds() -> float:
    """Return the CPU seconds of this process's finished children."""
    times = os.times()
    return times.children_user + times.children_system


def measure_peak_memory_mb() -> float | None:
    """Return the sum of the peak resident sizes of this process and its descendants; None without /proc.

    Pages that several processes share are counted for each of them.
    """
    peaks = [_find(r"VmHWM:\s*(\d+) kB", f"/proc/{pid}/status") for pid in _list_descendants(os.getpid())]
    known = [int(peak) for peak in peaks if peak is not None]
    return round(sum(known) / 1e3, 1) if known else None


def _list_descendants(pid: int) -> Iterator[int]:
    """Yield ``pid``, its children, their children, and so on."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in (_read(children) or "").split():
            yield from _list_descendants(int(child))


def _find(pattern: str, path: str) -> str | None:
    """Return the first group of the pattern's first match in a file; None if there is no match or no file."""
    match = re.search(pattern, _read(Path(path)) or "")
    return match[1] if match else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # another system, or a process that has ended
        return None


def _scale(number: str | None, unit: float) -> float | None:
    return None if number is None else round(float(number) / unit, 2)
