"""`ElapsedTime`: how long a comparison has worked, over all sessions, kept as it passes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.ledger import Ledger
from regzoo.system.work_clock import TICK, WorkClock

HEARTBEAT = 3.0
"""Seconds after which the time is written to the ledger: more are not lost, however a session ends."""


class ElapsedTime:
    """The seconds that all sessions of a comparison have worked, this one from its preparation on.

    Time in which the process is suspended does not count, see `WorkClock`. As a context manager it reads the clock
    regularly, in a thread of its own.

    Args:
        clock: returns the seconds that this session has worked.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = WorkClock() if clock is None else clock
        self._earlier = 0.0
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self._earlier + self._clock()

    @contextlib.contextmanager
    def keep(self, ledger: Ledger, folder: Path) -> Iterator[None]:
        """Go on from the seconds in ``ledger``, and keep them there while the block runs, however it ends.

        Args:
            ledger: the open ledger.
            folder: its folder.
        """
        comparison = ledger.get_comparison_info()
        self._earlier = (comparison and comparison.seconds) or 0.0
        with self._lock:
            self._folder = folder
        try:
            yield
        finally:
            with self._lock:
                self._folder = None
            with contextlib.suppress(EnvironmentFailure):  # a full disk is reported by what filled it
                ledger.set_seconds(self())

    def _work(self) -> None:
        written = self._clock()
        while not self._ended.wait(TICK):
            if self._clock() - written >= HEARTBEAT:
                written = self._clock()
                self._write()

    def _write(self) -> None:
        """Write the seconds to the ledger; through a connection of this thread's own."""
        # A ledger that cannot be written is reported by the thread that makes the runs.
        with self._lock, contextlib.suppress(InputError, EnvironmentFailure, OSError):
            if self._folder is not None:
                with Ledger(self._folder) as ledger:
                    ledger.set_seconds(self())
