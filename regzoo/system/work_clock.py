"""`WorkClock`: seconds in which this process could work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TICK = 0.5
"""Seconds after which a clock should be read again."""

LONGEST_GAP = 2.0
"""Seconds between two readings from which on the process may have been suspended in between."""


class WorkClock:
    """A clock that stands still while the process is suspended: by Ctrl-Z, SIGSTOP, or a machine that sleeps.

    Read it at least every `TICK` seconds. Where more than `LONGEST_GAP` seconds pass between two readings, only the
    processor time that the process had meanwhile counts, which is none while it is suspended. The wall clock, which
    jumps when it is set, plays no part. Monotonic clocks differ: those of Linux and macOS stand still while the
    machine sleeps, others go on.

    Args:
        clock: returns seconds, never fewer than before.
        processor: returns the seconds of processor time that this process has had.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._processor = clock, processor
        self._lock = threading.Lock()
        self._last = clock(), processor()
        self._worked = 0.0

    def __call__(self) -> float:
        """Return the seconds since the clock was made in which the process could work."""
        with self._lock:
            now, processor = self._clock(), self._processor()
            gap = max(0.0, now - self._last[0])
            self._worked += gap if gap <= LONGEST_GAP else min(gap, processor - self._last[1])
            self._last = now, processor
            return self._worked
