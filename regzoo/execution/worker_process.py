"""`WorkerProcess`: a spawned process that executes runs one after the other; both ends of its pipe are in this file.

Each process has a pipe of its own. Pools that share one pipe among their processes (pebble 5.2, concurrent.futures)
hang or break if a process is killed while it writes, or while it is idle. Deaths are seen at the process itself: a
process that the worker started may keep the pipe open.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil

from regzoo.core.errors import InputError
from regzoo.core.registry import list_registered_modules
from regzoo.data.inputs import list_arrays, map_inputs
from regzoo.execution.channel import MessageReader, Sender, write_message
from regzoo.execution.executor import Outcome, describe_error, run_safely
from regzoo.execution.resources import VISIBLE
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.spawn import make_spawn_context, set_up_worker
from regzoo.system.parent import die_with_parent
from regzoo.system.signals import start_without_sigint
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

EXIT_LIMIT = 10.0
"""Seconds that a process may take to exit before it is killed."""

SharedParts = Mapping[str, tuple[Any, ...]]
"""Each part as workers map it: its inputs, a `SharedArray` or several by name, and a `SharedArray` for all else."""


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
        model: whether all is well but for the user's own model, which the process cannot load.
    """

    reason: str
    model: bool = False


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
    """A process that executes runs, as seen by the process that starts it. No method waits for what the process does.

    Args:
        folder: for the process's temporary files; whoever starts the process removes it.
        device: the GPU that the process sees, as ``CUDA_VISIBLE_DEVICES`` names it; None changes nothing.
        script: whether the process must import the user's script, beyond what registered classes need.
    """

    def __init__(self, folder: Path, device: str | None = None, script: bool = False) -> None:
        modules = tuple({*list_registered_modules(), *(["__main__"] if script else [])})
        self.imports_script = "__main__" in modules
        context = make_spawn_context(modules)
        self._connection, theirs = context.Pipe()
        # A daemon, so that this process does not wait for it at exit, whatever has gone wrong.
        arguments = (theirs, os.getpid(), folder, device, modules)
        self._process = context.Process(target=_run_worker, args=arguments, daemon=True)
        resource_tracker.ensure_running()  # if it started later, it would unblock SIGINT
        with start_without_sigint():  # a terminal sends Ctrl-C to this process and to its children
            self._process.start()
        theirs.close()
        self._stopped = False
        self._death = _open_process(self.pid)
        self._reader, self._sender = MessageReader(self._connection), Sender()

    @property
    def pid(self) -> int:
        """The process id, also that of its process group."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def waitables(self) -> list[Any]:
        """Descriptors for `multiprocessing.connection.wait`: of the pipe, and of the death of the process."""
        pipe = [] if self._reader.ended else [self._connection]
        return pipe if self._death is None else [*pipe, self._death]

    def open(self, setup: TrainingSetup, data: SharedParts, memory: int | None) -> None:
        """Send what all runs share, and how many bytes the data may take as tensors."""
        names = {part: tuple(map_inputs(lambda _: None, value) for value in arrays) for part, arrays in data.items()}
        self._send((setup, memory, names))
        for array in list_shared(data):
            self._sender.send(lambda array=array: array.send(self._connection, self.pid))  # type: ignore[misc]

    def send(self, run: Run, members: Sequence[Outcome] | None) -> None:
        """Start ``run``, with the outcomes of its ``members`` if they are trained."""
        self._send((run, members))

    def _send(self, message: Any) -> None:
        self._sender.send(lambda: self._connection.send(message))

    def receive(self) -> list[Ready | StartFailed | Finished]:
        """Return the messages that have arrived; after its death, all that the process had sent before.

        Raises:
            OSError: if something could not be sent, such as too many open files.
        """
        if self._sender.error is not None:
            raise self._sender.error
        return self._reader.read()

    def is_dead(self) -> bool:
        """Return True if the process has ended, whoever holds its pipe open, or can send nothing more."""
        return self._reader.ended or self._has_ended()

    def is_suspended(self) -> bool:
        """Return True if the process is suspended, as by SIGSTOP or a debugger."""
        try:
            return psutil.Process(self.pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        except psutil.Error:  # it has just ended
            return False

    def wait(self) -> int:
        """Wait for the process to exit, kill it after `EXIT_LIMIT` seconds, and kill whatever it has started.

        Returns:
            The exit code; minus the number of the signal if a signal killed it.
        """
        end = time.monotonic() + EXIT_LIMIT
        while not self._has_ended() and time.monotonic() < end:
            wait([self._death] if self._death is not None else [], 0.02 if self._death is None else EXIT_LIMIT)
        return self.stop()

    def stop(self) -> int:
        """Kill the process and whatever it has started; it holds nothing that could be lost. Return its exit code."""
        self._process.kill()  # a process whose pipe is closed may still hang
        if not self._stopped:  # its number is not free yet
            with contextlib.suppress(OSError):  # it is not the leader of its group yet, or the group is gone
                os.killpg(self.pid, signal.SIGKILL)
        self._process.join()
        self._stopped = True
        self._reader.close()
        self._sender.stop()
        self._connection.close()
        if self._death is not None:
            os.close(self._death)
            self._death = None
        code = self._process.exitcode
        assert code is not None
        return code

    def _has_ended(self) -> bool:
        return bool(wait([self._death], 0)) if self._death is not None else self._process.exitcode is not None


def list_shared(data: SharedParts) -> list[SharedArray]:
    """Return every shared array, in the order in which they are sent."""
    return [array for arrays in data.values() for value in arrays for array in list_arrays(value)]


def _open_process(pid: int) -> int | None:
    """Return a descriptor that is readable once the process has ended; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _run_worker(
    connection: Connection, parent: int, folder: Path, device: str | None, modules: tuple[str, ...]
) -> None:
    """Set up, report that, then execute the runs that arrive until this process is killed."""
    prepare_process(parent, folder, device)
    try:
        set_up_worker(modules)
        import tensorflow as tf

        from regzoo.training.engine.trainer import Trainer

        setup, memory, parts = connection.recv()
        data = {
            part: tuple(map_inputs(lambda _: SharedArray.receive(connection), value) for value in names)
            for part, names in parts.items()
        }
        trainer = Trainer(setup, data, memory)
        ready = Ready(len(tf.config.list_physical_devices("GPU")))
    except Exception as error:  # of any kind: it is reported where the user sees it
        with contextlib.suppress(ConnectionError):
            write_message(connection, StartFailed(describe_error(error)))
        return
    try:
        trainer.load_own_model()
    except InputError as error:
        with contextlib.suppress(ConnectionError):
            write_message(connection, StartFailed(str(error), model=True))
        return
    with contextlib.suppress(EOFError, ConnectionError):  # the process that started this one is dead
        write_message(connection, ready)
        while True:
            run, members = connection.recv()
            outcome = run_safely(run, trainer, members)
            write_message(connection, Finished(outcome, measure_memory()))


def prepare_process(parent: int, folder: Path, device: str | None) -> None:
    """Prepare this process to be a worker of the process with the id ``parent``."""
    die_with_parent(parent)
    os.setpgid(0, 0)  # what it starts is killed with it
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # in a group of its own it would be suspended when it prints
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    if device is not None:
        os.environ[VISIBLE] = device


def measure_memory() -> int:
    """Return how many bytes of memory this process holds, without mapped files; 0 if the system has no /proc."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except FileNotFoundError:
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
