"""Ctrl-C: delay it while something must not be interrupted, and keep it from child processes."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def delay_sigint() -> Iterator[None]:
    """Delay Ctrl-C until the block ends.

    Blocking the signal in this thread would not help: another thread, such as one of NumPy's, receives it then, and
    Python still interrupts the main thread.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is None:  # only here can it interrupt; only Python's can be replaced
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if received:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def start_without_sigint() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started in the block: they inherit that this thread blocks it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
