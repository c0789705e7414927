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

from regzoo.core.registry import registered_modules
from regzoo.execution.executor import Outcome, describe_error, run_safely
from regzoo.execution.resources import VISIBLE
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.spawn import spawn_context, start_worker
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

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
class Finished:
    """A run is over; the process holds ``resident_memory`` bytes now."""

    outcome: Outcome
    memory: int


class WorkerProcess:
    """A process that makes runs, seen from the one that starts it.

    Args:
        device: the graphics card that it sees, as ``CUDA_VISIBLE_DEVICES`` names it; None changes nothing.
    """

    def __init__(self, device: str | None = None) -> None:
        modules = registered_modules()
        self.knows_script = "__main__" in modules
        context = spawn_context(modules)
        self.connection, theirs = context.Pipe()
        # a daemon: should this process end in disorder, it does not wait for the other
        self._process = context.Process(target=_serve, args=(theirs, device, modules), daemon=True)
        with _sigint_blocked():
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def open(self, setup: TrainingSetup, data: SharedParts, share: int | None) -> None:
        """Send what all runs share, and how many bytes the data may take as tensors."""
        with _broken_pipes_ignored():
            self.connection.send((setup, share, {part: len(arrays) for part, arrays in data.items()}))
            for arrays in data.values():
                for array in arrays:
                    array.send(self.connection, self.pid)

    def send(self, run: Run, members: Sequence[Outcome] | None) -> None:
        """Let it make ``run`` from what its ``members`` left, if they have been made."""
        with _broken_pipes_ignored():
            self.connection.send((run, members))

    def receive(self) -> Ready | Refused | Finished | None:
        """What it says next; None if it is dead."""
        try:
            message: Ready | Refused | Finished = self.connection.recv()
        except (EOFError, ConnectionError):
            return None
        return message

    def wait(self) -> int:
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
        self.wait()


def _serve(connection: Connection, device: str | None, modules: tuple[str, ...]) -> None:
    """What the process does: prepare, say so, then make the runs that come until it is killed."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if device is not None:
        os.environ[VISIBLE] = device
    try:
        start_worker(modules)
        import tensorflow as tf

        from regzoo.training.engine.trainer import Trainer

        setup, share, parts = connection.recv()
        data = {part: tuple(SharedArray.receive(connection) for _ in range(count)) for part, count in parts.items()}
        trainer = Trainer(setup, data, share)
        ready = Ready(len(tf.config.list_physical_devices("GPU")))
    except Exception as error:  # it is told where the user is
        connection.send(Refused(describe_error(error)))
        return
    connection.send(ready)
    while True:
        run, members = connection.recv()
        outcome = run_safely(run, trainer, members)
        connection.send(Finished(outcome, resident_memory()))


def _die_with_parent() -> None:
    """End at once when the process that started this one has ended, even in the middle of a run."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def resident_memory() -> int:
    """Bytes of memory that this process alone holds, without mapped files; 0 where the system has no /proc."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except FileNotFoundError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Hold Ctrl-C back; a process started meanwhile never hears of it: a terminal sends it to both."""
    resource_tracker.ensure_running()  # started later, it would let Ctrl-C through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _broken_pipes_ignored() -> Iterator[None]:
    """Let a process be dead that is written to: `Process.receive` says so, after its last words."""
    with contextlib.suppress(ConnectionError):
        yield
