"""`Guardian`: a small process that ends the workers, and what they started, when the process that owns them is gone.

Each worker is the leader of a process group, to which the processes that it starts belong. The guardian knows the
groups. It kills them when their owner is dead, however it died and whatever they are doing, and removes the owner's
temporary folder. It also suspends and continues them with their owner, as a terminal does with one group at Ctrl-Z.

This file is also the guardian's program, so it imports nothing but the standard library, and little of it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time

INTERVAL = 0.25
"""Seconds between two looks at the owner."""

EXIT_LIMIT = 10.0
"""Seconds that the guardian waits for those whom it has killed, before it removes their files."""


class Guardian:
    """Starts the guardian of this process.

    Args:
        folder: folder that the guardian removes if this process dies.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        import subprocess
        from multiprocessing import spawn

        python = os.fsdecode(spawn.get_executable() or sys.executable)
        self._process = subprocess.Popen(
            [python, "-I", "-S", __file__, str(os.getpid()), os.fspath(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,  # a signal to the owner's group must not end it
            bufsize=0,
        )

    def add(self, group: int) -> None:
        """Watch over the process group ``group``."""
        self._write(f"+{group}\n")

    def discard(self, group: int) -> None:
        """Forget a group whose leader is dead: its number may soon be another's."""
        self._write(f"-{group}\n")

    def stop(self) -> None:
        """End the guardian."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(
            OSError, ValueError
        ):  # it is dead: then the kernel alone watches, see `die_with_parent`
            self._process.stdin.write(line.encode())


def watch(owner: int, folder: str) -> None:
    """Read the groups from stdin until ``owner`` is dead; then kill them and remove ``folder``."""
    groups: set[int] = set()
    stdin, rest, suspended = [0], b"", False
    while os.getppid() == owner:
        if select.select(stdin, [], [], INTERVAL)[0]:
            chunk = os.read(0, 1 << 16)
            if not chunk:
                stdin = []  # the owner is ending
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
        if is_suspended(owner) != suspended:
            suspended = not suspended
            for group in groups:
                send(group, signal.SIGSTOP if suspended else signal.SIGCONT)
    for group in groups:
        send(group, signal.SIGKILL)
    end = time.monotonic() + EXIT_LIMIT
    while any(send(group, 0) for group in groups) and time.monotonic() < end:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def is_suspended(process: int) -> bool:
    """Return True if ``process`` is suspended; False where there is no /proc."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123  # pathlib doubles the start time
            return file.read().rpartition(b")")[2].split()[0] in (b"T", b"t")
    except (OSError, IndexError):
        return False


def send(group: int, number: int) -> bool:
    """Send a signal to a worker and its process group; return True if one of them exists."""
    found = False
    for call in (os.kill, os.killpg):
        with contextlib.suppress(OSError):
            call(group, number)
            found = True
    return found


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(int(sys.argv[1]), sys.argv[2])
