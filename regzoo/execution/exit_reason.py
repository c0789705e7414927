"""Why a worker process ended, in words, and whether the run that it was executing is to blame."""

from __future__ import annotations

import re
import signal

OWN_FAULTS = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGSYS,
        signal.SIGXCPU,
        signal.SIGXFSZ,
    }
)
"""Signals that a process brings upon itself. Any other was sent from outside: by a person, a job scheduler, or the
kernel when memory is short."""

_KILLED = re.compile(r"(?:a member failed: )?the worker was killed \(signal (\d+)\)")


def describe_exit(code: int) -> str:
    """Return why a process with this exit code ended.

    >>> describe_exit(-9)
    'the worker was killed (signal 9): out of memory, or killed from outside'
    >>> describe_exit(-11)
    'the worker was killed (signal 11): Segmentation fault'
    """
    if code >= 0:
        return f"the worker ended (exit code {code})"
    why = "out of memory, or killed from outside" if code == -signal.SIGKILL else signal.strsignal(-code)
    return f"the worker was killed (signal {-code}): {why}"


def is_kill_from_outside(code: int) -> bool:
    """Return True if a process with this exit code was killed by a signal that it did not bring upon itself.

    >>> is_kill_from_outside(-15), is_kill_from_outside(-11), is_kill_from_outside(1)
    (True, False, False)
    """
    return code < 0 and -code not in OWN_FAULTS


def was_killed_from_outside(error: str | None) -> bool:
    """Return True if the ``error`` of a failed record is that of a run, or a member, whose worker was killed so.

    >>> was_killed_from_outside("a member failed: the worker was killed (signal 15): Terminated")
    True
    >>> was_killed_from_outside("ValueError: the worker was killed (signal 15)")
    False
    """
    found = _KILLED.match(error or "")
    return found is not None and is_kill_from_outside(-int(found[1]))
