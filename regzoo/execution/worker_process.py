"""`WorkerProcess`: a spawned process that executes runs one after the other; both ends of its pipe are in this file.

Each process has a pipe of its own. Pools that share one pipe among their processes (pebble 5.2, concurrent.futures)
hang or break if a process is killed while it writes, or while it is idle.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from regzoo.core.registry import list_registered_modules
from regzoo.execution.executor import Outcome, describe_error, run_safely
from regzoo.execution.resources import VISIBLE
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.spawn import make_spawn_context, set_up_worker
from regzoo.system.signals import start_without_sigint
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

EXIT_LIMIT = 10.0
"""Seconds that a process may take to exit before it is killed."""

SharedParts = Mapping[str, tuple[SharedArray, ...]]
"""The arrays of each part, as workers map them."""


@dataclass(frozen=True)
class Ready:
    """Message of a process that is ready for runs.

    Attributes:
        gpus: number of GPUs that TensorFlow sees.
    """

    gpus: int


@dataclass(frozen=True)
class StartFailed:
    """Message of a process that cannot start and exits.

    Attributes:
        reason: why, in one line.
    """

    reason: str


@dataclass(frozen=True)
class Finished:
    """Message that a run has ended.

    Attributes:
        outcome: record and weights of the run.
        memory: bytes that the process holds now, see `measure_memory`.
    """

    outcome: Outcome
    memory: int


class WorkerProcess:
    """A process that executes runs, as seen by the process that starts it.

    Args:
        folder: for the process's temporary files; the process removes it if this process is killed.
        device: the GPU that the process sees, as ``CUDA_VISIBLE_DEVICES`` names it; None changes nothing.
    """

    def __init__(self, folder: Path, device: str | None = None) -> None:
        modules = list_registered_modules()
        self.imports_script = "__main__" in modules
        context = make_spawn_context(modules)
        self.connection, theirs = context.Pipe()
        # A daemon, so that this process does not wait for it at exit, whatever has gone wrong.
        self._process = context.Process(target=_run_worker, args=(theirs, folder, device, modules), daemon=True)
        resource_tracker.ensure_running()  # if it started later, it would unblock SIGINT
        with start_without_sigint():  # a terminal sends Ctrl-C to this process and to its children
            self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    def open(self, setup: TrainingSetup, data: SharedParts, memory: int | None) -> None:
        """Send what all runs share, and how many bytes the data may take as tensors."""
        with _ignore_broken_pipes():
            self.connection.send((setup, memory, {part: len(arrays) for part, arrays in data.items()}))
            for arrays in data.values():
                for array in arrays:
                    array.send(self.connection, self.pid)

    def send(self, run: Run, members: Sequence[Outcome] | None) -> None:
        """Start ``run``, with the outcomes of its ``members`` if they are trained."""
        with _ignore_broken_pipes():
            self.connection.send((run, members))

    def receive(self) -> Ready | StartFailed | Finished | None:
        """Return the next message; None if the process is dead."""
        try:
            message: Ready | StartFailed | Finished = self.connection.recv()
        except (EOFError, ConnectionError):
            return None
        return message

    def wait(self) -> int:
        """Wait for the process to exit; kill it after `EXIT_LIMIT` seconds.

        Returns:
            The exit code; minus the number of the signal if a signal killed it.
        """
        self._process.join(EXIT_LIMIT)
        self._process.kill()  # a process whose pipe is closed may still hang
        self._process.join()
        self.connection.close()
        code = self._process.exitcode
        assert code is not None
        return code

    def stop(self) -> None:
        """Kill the process; it holds nothing that could be lost."""
        self._process.kill()
        self.wait()


def _run_worker(connection: Connection, folder: Path, device: str | None, modules: tuple[str, ...]) -> None:
    """Set up, report that, then execute the runs that arrive until this process is killed."""
    threading.Thread(target=_exit_with_parent, args=(folder,), daemon=True).start()
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    if device is not None:
        os.environ[VISIBLE] = device
    try:
        set_up_worker(modules)
        import tensorflow as tf

        from regzoo.training.engine.trainer import Trainer

        setup, memory, parts = connection.recv()
        data = {part: tuple(SharedArray.receive(connection) for _ in range(count)) for part, count in parts.items()}
        trainer = Trainer(setup, data, memory)
        ready = Ready(len(tf.config.list_physical_devices("GPU")))
    except Exception as error:  # of any kind: it is reported where the user sees it
        connection.send(StartFailed(describe_error(error)))
        return
    connection.send(ready)
    while True:
        run, members = connection.recv()
        outcome = run_safely(run, trainer, members)
        connection.send(Finished(outcome, measure_memory()))


def _exit_with_parent(folder: Path) -> NoReturn:
    """Exit as soon as the process that started this one is dead, even during a run; remove ``folder``."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    shutil.rmtree(folder, ignore_errors=True)  # other workers may be removing it as well
    os._exit(1)


def measure_memory() -> int:
    """Return how many bytes of memory this process holds, without mapped files; 0 if the system has no /proc."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except FileNotFoundError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def _ignore_broken_pipes() -> Iterator[None]:
    """Ignore broken pipes on write; `WorkerProcess.receive` reports the dead process."""
    with contextlib.suppress(ConnectionError):
        yield
