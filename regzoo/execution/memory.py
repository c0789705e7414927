"""Memory: how much of it a worker may fill with data."""

from __future__ import annotations

import os

SHARE = 4
"""One part in so many of the machine's memory is for data; the rest is for weights, activations and everyone else."""


def share_of_memory(workers: int) -> int:
    """Bytes of data that each of ``workers`` may hold as tensors: of a quarter of the machine's memory, its part.

    >>> share_of_memory(2) == share_of_memory(1) // 2 > 0
    True
    """
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // SHARE // workers
