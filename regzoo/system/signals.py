"""Ctrl-C, SIGTERM and SIGHUP: delay them while something must not be interrupted; keep Ctrl-C from child processes."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import NoReturn

TERMINATIONS = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a command as Ctrl-C does: from a job scheduler or a shutdown, and from a terminal that closes."""

_received: list[int] = []


def interrupt_on_termination() -> None:
    """Make SIGTERM and SIGHUP raise `KeyboardInterrupt`, so that a command ends in order; see `get_termination`.

    A signal that is ignored, as after ``nohup``, stays ignored.
    """
    for number in TERMINATIONS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def get_termination() -> int | None:
    """Return the signal that `interrupt_on_termination` has turned into an interrupt; None if there was none."""
    return _received[0] if _received else None


def ignore_interrupts() -> None:
    """Ignore Ctrl-C and the signals that end a command like it from now on, such as while the command is ending."""
    for number in (signal.SIGINT, *TERMINATIONS):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, _: object) -> NoReturn:
    _received.append(number)
    raise KeyboardInterrupt


@contextlib.contextmanager
def delay_interrupts() -> Iterator[None]:
    """Delay Ctrl-C until the block ends, and SIGTERM and SIGHUP where they interrupt as Ctrl-C does.

    Blocking the signal in this thread would not help: another thread, such as one of NumPy's, receives it then, and
    Python still interrupts the main thread.
    """
    main = threading.current_thread() is threading.main_thread()
    delayed = [number for number in (signal.SIGINT, *TERMINATIONS) if main and _interrupts(number)]
    received: list[int] = []
    before = {number: signal.signal(number, lambda number, _: received.append(number)) for number in delayed}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def _interrupts(number: int) -> bool:
    """Return True if the signal is to be delayed; only handlers of Python's can be replaced."""
    handler = signal.getsignal(number)
    return handler is _interrupt if number in TERMINATIONS else handler is not None


@contextlib.contextmanager
def start_without_sigint() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started in the block: they inherit that this thread blocks it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
