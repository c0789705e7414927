"""Devices: the cores and the graphics cards that workers are spread over. Needs no TensorFlow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/gpus")


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def list_gpus() -> tuple[str, ...]:
    """The graphics cards that CUDA would show, as ``CUDA_VISIBLE_DEVICES`` writes them; whether they work is not asked.

    Where that variable is set, its list counts; CUDA stops reading it at the first entry that names no card.
    """
    listed = os.environ.get(VISIBLE)
    if listed is None:
        return tuple(str(number) for number, _ in enumerate(_DRIVER.iterdir())) if _DRIVER.is_dir() else ()
    names = [name.strip() for name in listed.split(",")]
    end = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
    return tuple(names[:end])


def device_of(worker: int, cards: tuple[str, ...]) -> str | None:
    """The card of worker number ``worker``: they take turns; None where there is no card.

    >>> [device_of(worker, ("0", "1")) for worker in range(3)]
    ['0', '1', '0']
    """
    return cards[worker % len(cards)] if cards else None
