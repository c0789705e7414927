"""Cores, GPUs and memory of this machine, and how workers share them. Needs no TensorFlow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The environment variable that chooses the GPUs a process sees."""

MEMORY_DIVISOR = 4
"""A quarter of the machine's memory is for data; the rest is for weights, activations and other programs."""

_DRIVER = Path("/proc/driver/nvidia/gpus")


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def list_gpus() -> tuple[str, ...]:
    """Return the GPUs that CUDA would show, as ``CUDA_VISIBLE_DEVICES`` names them, working or not.

    If that variable is set, its list counts; CUDA stops reading it at the first entry that names no GPU.
    """
    listed = os.environ.get(VISIBLE)
    if listed is None:
        return tuple(str(number) for number, _ in enumerate(_DRIVER.iterdir())) if _DRIVER.is_dir() else ()
    names = [name.strip() for name in listed.split(",")]
    end = next((index for index, name in enumerate(names) if name in ("", "-1")), len(names))
    return tuple(names[:end])


def assign_gpu(worker: int, gpus: tuple[str, ...]) -> str | None:
    """Return the GPU of worker number ``worker``, cycling through ``gpus``; None if there are none.

    >>> [assign_gpu(worker, ("0", "1")) for worker in range(3)]
    ['0', '1', '0']
    """
    return gpus[worker % len(gpus)] if gpus else None


def divide_memory(workers: int) -> int:
    """Return how many bytes of data each of ``workers`` may hold as tensors: its share of a quarter of the memory.

    >>> divide_memory(2) == divide_memory(1) // 2 > 0
    True
    """
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEMORY_DIVISOR // workers
