"""Memory that this process may still take: of the machine, of its control group, of its own limits."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")
_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))  # version 2, version 1


def get_available_memory() -> int:
    """Return how many bytes this process may take before the machine swaps, or the system ends it.

    A container often has less than its machine: the limits of the process's control group count, whose file cache is
    free to be taken, and so does a limit on its address space (``ulimit -v``).
    """
    limits = [psutil.virtual_memory().available, *_list_group_limits(), *_list_process_limits()]
    return max(0, min(limits))


def _list_group_limits() -> Iterator[int]:
    """Yield what is left of the limit of each control group around this process."""
    for folder in _list_groups():
        for most, used in _FILES:
            with contextlib.suppress(OSError, ValueError):  # no such file, or the word "max"
                limit = int((folder / most).read_text())
                yield limit - int((folder / used).read_text()) + _read_file_cache(folder)


def _list_groups() -> Iterator[Path]:
    """Yield the folders of this process's control group and of those around it."""
    with contextlib.suppress(OSError):
        for line in _GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "" or "memory" in controllers.split(","):
                root = _MOUNT / ("memory" if controllers else "")
                group = Path(path.lstrip("/"))
                yield from (root / folder for folder in (group, *group.parents))


def _read_file_cache(folder: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        fields = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(fields.get("total_inactive_file", fields.get("inactive_file", 0)))
    return 0


def _list_process_limits() -> Iterator[int]:
    used = psutil.Process().memory_info()
    for kind, taken in ((resource.RLIMIT_AS, used.vms), (resource.RLIMIT_DATA, used.rss)):
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            yield limit - taken
