"""`ElapsedTime`: how long a comparison has worked, over all sessions, kept as it passes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
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
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read_clock, daemon=True)

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
    def keep(self, ledger: Ledger) -> Iterator[None]:
        """Go on from the seconds in ``ledger``, and keep them there while the block runs, however it ends."""
        comparison = ledger.get_comparison_info()
        self._earlier = (comparison and comparison.seconds) or 0.0
        ready, ended = threading.Event(), threading.Event()
        thread = threading.Thread(target=self._write_regularly, args=(ledger, ready, ended), daemon=True)
        thread.start()
        try:
            ready.wait()
            yield
        finally:
            ended.set()
            thread.join()
            with contextlib.suppress(EnvironmentFailure):  # a full disk is reported by what filled it
                ledger.set_seconds(self())

    def _read_clock(self) -> None:
        while not self._ended.wait(TICK):
            self._clock()

    def _write_regularly(self, shared: Ledger, ready: threading.Event, ended: threading.Event) -> None:
        """Write the seconds to the ledger, through a connection of this thread's own."""
        try:
            # What is wrong with the ledger is reported by the thread that makes the runs.
            with contextlib.suppress(InputError, EnvironmentFailure, OSError), shared.open_again() as ledger:
                written = self._clock()
                ledger.set_seconds(self())
                ready.set()
                while not ended.wait(TICK):
                    if self._clock() - written >= HEARTBEAT:
                        written = self._clock()
                        with contextlib.suppress(EnvironmentFailure, OSError):
                            ledger.set_seconds(self())
        finally:
            ready.set()
