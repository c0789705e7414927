"""`die_with_parent`: end this process when the process that started it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from typing import NoReturn

INTERVAL = 0.5
"""Seconds between two looks at the parent, where the kernel does not watch it."""

_PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>


def die_with_parent(parent: int) -> None:
    """Kill this process as soon as ``parent``, the id of the process that started it, is dead.

    On Linux the kernel does it, so it also holds while this process is suspended, or busy outside of Python. There the
    process ends with the *thread* that started it. Elsewhere a thread looks every `INTERVAL` seconds.
    """
    watched = sys.platform == "linux" and _kill_with_parent_thread()
    if os.getppid() != parent:  # it ended before that
        _kill_self()
    if not watched:
        threading.Thread(target=_poll, args=(parent,), daemon=True).start()


def _kill_with_parent_thread() -> bool:
    """Ask the kernel to kill this process when the thread that started it ends; return True if it will."""
    with contextlib.suppress(OSError, AttributeError):  # a system without it
        return ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    return False


def _poll(parent: int) -> NoReturn:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    _kill_self()


def _kill_self() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(1)  # never reached
