"""Machine: what this computer is, what it could do at most, and what a process took of its memory."""

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
REPEATS = 20


def facts() -> dict[str, Any]:
    """Cores, processor, system and versions; ``load`` is how many processes wanted to run in the last minute."""
    return {
        "cores": os.cpu_count() or 1,
        "processor": _first(r"model name\s*: (.*)", "/proc/cpuinfo") or platform.processor() or platform.machine(),
        "memory_gb": _rounded(_first(r"MemTotal:\s*(\d+) kB", "/proc/meminfo"), 1e6),
        "system": platform.platform(),
        "load": _rounded(_first(r"(\S+)", "/proc/loadavg"), 1.0),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
    }


def ceiling_gflops() -> float:
    """The best of several float32 matrix products of 2048 x 2048, on TensorFlow's device and all its threads."""
    import tensorflow as tf

    a = tf.random.stateless_normal((SIZE, SIZE), seed=(0, 0))
    b = tf.random.stateless_normal((SIZE, SIZE), seed=(0, 1))
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        tf.matmul(a, b)[0, 0].numpy()  # waits for the device
        seconds.append(time.perf_counter() - began)
    return 2 * SIZE**3 / min(seconds) / 1e9


def busy_seconds() -> float | None:
    """Seconds that all cores together have worked since the machine started; None where there is no /proc."""
    found = _first(r"cpu +(.*)", "/proc/stat")
    if found is None:
        return None
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, found.split())
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Seconds that processes started by this one have worked, once they have ended."""
    times = os.times()
    return times.children_user + times.children_system


def peak_memory_mb() -> float | None:
    """The sum of the largest resident sizes of this process and of those it started; None where there is no /proc.

    Pages that several processes share are counted for each of them.
    """
    sizes = [_first(r"VmHWM:\s*(\d+) kB", f"/proc/{pid}/status") for pid in _tree(os.getpid())]
    found = [int(size) for size in sizes if size is not None]
    return round(sum(found) / 1e3, 1) if found else None


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in (_read(children) or "").split():
            yield from _tree(int(child))


def _first(pattern: str, path: str) -> str | None:
    match = re.search(pattern, _read(Path(path)) or "")
    return match[1] if match else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # another system, or a process that has ended
        return None


def _rounded(number: str | None, unit: float) -> float | None:
    return None if number is None else round(float(number) / unit, 2)
