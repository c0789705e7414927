"""Process: a spawned process that makes runs, one after the other; both of its ends are in this file.

Each process has a pipe of its own. A pool that shares one among its processes (pebble 5.2, concurrent.futures) hangs
or breaks when a process is killed while it writes, or while it is idle.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path

from regzoo.language.registry import own_modules
from regzoo.training.devices import VISIBLE
from regzoo.training.executor import Outcome, attempt, reason
from regzoo.training.record import Run
from regzoo.training.shared import SharedArray
from regzoo.training.spawn import begin, spawning
from regzoo.training.study import Study

DYING = 10.0
"""Seconds that a process may take to end."""

SharedParts = dict[str, tuple[SharedArray, ...]]


@dataclass(frozen=True)
class Ready:
    """The process can make runs now; TensorFlow sees so many graphics cards."""

    gpus: int


@dataclass(frozen=True)
class Refused:
    """The process cannot make runs, and ends."""

    reason: str


@dataclass(frozen=True)
class Made:
    """A run is over; the process holds ``memory`` bytes now."""

    outcome: Outcome
    memory: int


class Process:
    """A process that makes runs, seen from the one that starts it.

    Args:
        device: the graphics card that it sees, as ``CUDA_VISIBLE_DEVICES`` names it; None changes nothing.
    """

    def __init__(self, device: str | None = None) -> None:
        modules = own_modules()
        self.knows_script = "__main__" in modules
        context = spawning(modules)
        self.connection, theirs = context.Pipe()
        # a daemon: should this process end in disorder, it does not wait for the other
        self._process = context.Process(target=_serve, args=(theirs, device, modules), daemon=True)
        with _ctrl_c_held():
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def open(self, study: Study, data: SharedParts, share: int | None) -> None:
        """Send what all runs share, and how many bytes the data may take as tensors."""
        with _death_heard_elsewhere():
            self.connection.send((study, share, {part: len(arrays) for part, arrays in data.items()}))
            for arrays in data.values():
                for array in arrays:
                    array.send(self.connection, self.pid)

    def send(self, run: Run, members: Sequence[Outcome] | None) -> None:
        """Let it make ``run`` from what its ``members`` left, if they have been made."""
        with _death_heard_elsewhere():
            self.connection.send((run, members))

    def receive(self) -> Ready | Refused | Made | None:
        """What it says next; None if it is dead."""
        try:
            message: Ready | Refused | Made = self.connection.recv()
        except (EOFError, ConnectionError):
            return None
        return message

    def bury(self) -> int:
        """Wait until a dying process is dead; its exit code, minus the signal's number if a signal killed it."""
        self._process.join(DYING)
        self._process.kill()  # it has fallen silent for good, and yet is not dead
        self._process.join()
        self.connection.close()
        code = self._process.exitcode
        assert code is not None
        return code

    def stop(self) -> None:
        """Kill it. It holds nothing that could be lost."""
        self._process.kill()
        self.bury()


def _serve(connection: Connection, device: str | None, modules: tuple[str, ...]) -> None:
    """What the process does: prepare, say so, then make the runs that come until it is killed."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if device is not None:
        os.environ[VISIBLE] = device
    try:
        begin(modules)
        import tensorflow as tf

        from regzoo.training.run import Studio

        study, share, parts = connection.recv()
        data = {part: tuple(SharedArray.receive(connection) for _ in range(count)) for part, count in parts.items()}
        studio = Studio(study, data, share)
        ready = Ready(len(tf.config.list_physical_devices("GPU")))
    except Exception as error:  # it is told where the user is
        connection.send(Refused(reason(error)))
        return
    connection.send(ready)
    while True:
        run, members = connection.recv()
        outcome = attempt(run, studio, members)
        connection.send(Made(outcome, memory()))


def _die_with_parent() -> None:
    """End at once when the process that started this one has ended, even in the middle of a run."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def memory() -> int:
    """Bytes of memory that this process alone holds, without mapped files; 0 where the system has no /proc."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except FileNotFoundError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Hold Ctrl-C back; a process started meanwhile never hears of it: a terminal sends it to both."""
    resource_tracker.ensure_running()  # started later, it would let Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _death_heard_elsewhere() -> Iterator[None]:
    """Let a process be dead that is written to: `Process.receive` says so, after its last words."""
    with contextlib.suppress(ConnectionError):
        yield
