"""`ProcessPool`: executes runs on this machine's cores or GPUs, in spawned processes of one thread each.

A run's result depends on the run only, never on the worker, so the number of workers changes nothing but the time. A
worker that dies, hangs or grows too large costs at most its current run; another one replaces it.
"""

from __future__ import annotations

import functools
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Self

import numpy as np

from regzoo.core import EnvironmentFailure
from regzoo.execution.executor import Outcome, make_failed_record
from regzoo.execution.resources import assign_gpu, count_cores, divide_memory, list_gpus
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.worker_process import Finished, Ready, SharedParts, StartFailed, WorkerProcess
from regzoo.system.signals import delay_sigint
from regzoo.system.temporary_folder import TemporaryFolder
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

START_LIMIT = 600.0
"""Seconds that a worker may take to start: a hundred times as long as on an idle machine."""

MAX_START_KILLS = 3
"""How often in a row a worker may be killed while it starts."""

MEMORY_GROWTH = 1 << 30
"""Bytes by which a worker may grow after its first run, for which it loads the data. A worker keeps the programs that
it has traced, about 10 MB each besides their weights; beyond 1 GiB, a new process, a few seconds, costs less."""


@dataclass
class _Worker:
    """One worker of the pool: its current process, and what that process is doing."""

    device: str | None
    process: WorkerProcess
    since: float = field(default_factory=time.monotonic)  # when it began what it is doing
    ready: bool = False
    memory: int | None = None  # bytes after its first run
    run: Run | None = None
    programs: set[Any] = field(default_factory=set)  # traced so far
    kills: int = 0  # times in a row that it was killed while it started

    @property
    def idle(self) -> bool:
        return self.ready and self.run is None


class ProcessPool:
    """A pool of worker processes, as a context manager. They start, and import TensorFlow, when the block begins.

    Args:
        count: number of workers; by default one for each GPU, or one for each core if TensorFlow can use no GPU.
        limit: seconds that a run may take; None for no limit.
        growth: bytes by which a worker may grow after its first run before it is replaced, between two runs.

    Raises:
        EnvironmentFailure: from `collect`, if workers cannot start.
    """

    def __init__(self, count: int | None = None, limit: float | None = None, growth: int = MEMORY_GROWTH) -> None:
        self.count = count
        self.limit = limit
        self.growth = growth
        self._workers: list[_Worker] = []
        self._folder: TemporaryFolder | None = None
        self._shared: tuple[TrainingSetup, SharedParts, int] | None = None  # what `open` sends

    def __enter__(self) -> Self:
        gpus = list_gpus()
        try:
            with delay_sigint():  # `__exit__` stops the processes that are in the list
                self._folder = TemporaryFolder()
                for number in range(self.count or len(gpus) or count_cores()):
                    device = assign_gpu(number, gpus)
                    self._workers.append(_Worker(device, self._start_process(device)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with delay_sigint():  # a second Ctrl-C must leave no process and no file
            for worker in self._workers:
                worker.process.stop()
            self._workers.clear()
            if self._shared is not None:
                for arrays in self._shared[1].values():
                    for array in arrays:
                        array.close()
                self._shared = None
            if self._folder is not None:
                self._folder.remove()

    def open(self, setup: TrainingSetup, data: Mapping[str, tuple[np.ndarray, ...]]) -> None:
        """Send every worker what all runs share; the arrays are shared through files."""
        shared = {part: tuple(map(SharedArray, arrays)) for part, arrays in data.items()}
        self._shared = setup, shared, divide_memory(len(self._workers))
        for worker in self._workers:
            worker.since = time.monotonic()
            worker.process.open(*self._shared)

    def has_idle_worker(self) -> bool:
        """Return True if a worker is ready and has no run."""
        return any(worker.idle for worker in self._workers)

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Return a run whose program the idle worker has traced; else one that no worker has; else the first."""
        ours = self._get_idle_worker().programs
        traced = {program for worker in self._workers for program in worker.programs}
        untraced = None
        for run in waiting:
            program = _make_program_key(run)
            if program in ours:
                return run
            if untraced is None and program not in traced:
                untraced = run
        return waiting[0] if untraced is None else untraced

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Send ``run``, and the outcomes of its ``members``, to an idle worker."""
        worker = self._get_idle_worker()
        worker.programs.add(_make_program_key(run))
        worker.run, worker.since = run, time.monotonic()
        worker.process.send(run, members)

    def collect(self) -> list[Outcome]:
        """Wait until a worker sends a message, dies or exceeds its time; return the runs that ended."""
        deadlines = [self._get_deadline(worker) for worker in self._workers]
        until = min((deadline for deadline in deadlines if deadline is not None), default=None)
        seconds = None if until is None else max(0.0, until - time.monotonic())
        readable = connection.wait([worker.process.connection for worker in self._workers], seconds)
        senders = [worker for worker in self._workers if worker.process.connection in readable]
        outcomes = [outcome for worker in senders for outcome in self._receive(worker)]
        return outcomes + [outcome for worker in list(self._workers) for outcome in self._stop_overdue(worker)]

    def _get_idle_worker(self) -> _Worker:
        return next(worker for worker in self._workers if worker.idle)

    def _get_deadline(self, worker: _Worker) -> float | None:
        """Return when the time for what ``worker`` is doing is up; None if there is no limit."""
        limit = START_LIMIT if not worker.ready else self.limit if worker.run is not None else None
        return None if limit is None else worker.since + limit

    def _receive(self, worker: _Worker) -> list[Outcome]:
        message = worker.process.receive()
        if message is None:
            return self._handle_exit(worker)
        if isinstance(message, StartFailed):
            raise EnvironmentFailure(f"a worker cannot start: {message.reason}")
        if isinstance(message, Ready):
            worker.ready, worker.kills = True, 0
            self._add_workers_for_cores(worker, message)
            return []
        return [self._finish(worker, message)]

    def _finish(self, worker: _Worker, message: Finished) -> Outcome:
        worker.run = None
        if worker.memory is None:
            worker.memory = message.memory
        elif message.memory - worker.memory > self.growth:
            worker.process.stop()
            self._replace(worker)
        return message.outcome

    def _handle_exit(self, worker: _Worker) -> list[Outcome]:
        code = worker.process.wait()
        reason = describe_exit(code)
        if not worker.ready:
            worker.kills += 1
            if code >= 0 or worker.kills == MAX_START_KILLS:
                raise EnvironmentFailure(f"a worker cannot start: {reason}{_suggest_fix(worker, code)}")
        return self._fail_run(worker, reason)

    def _stop_overdue(self, worker: _Worker) -> list[Outcome]:
        deadline = self._get_deadline(worker)
        if deadline is None or time.monotonic() < deadline:
            return []
        if not worker.ready:
            raise EnvironmentFailure(f"a worker is not ready {START_LIMIT:g} s after it was started")
        worker.process.stop()
        return self._fail_run(worker, f"ran past its limit of {self.limit:g} s")

    def _fail_run(self, worker: _Worker, reason: str) -> list[Outcome]:
        """Replace the process; its current run has failed."""
        run, seconds = worker.run, time.monotonic() - worker.since
        self._replace(worker)
        return [] if run is None else [(make_failed_record(run, reason, seconds), None)]

    def _replace(self, worker: _Worker) -> None:
        with delay_sigint():
            worker.process = self._start_process(worker.device)
        worker.since, worker.ready, worker.memory, worker.run = time.monotonic(), False, None, None
        worker.programs.clear()

    def _start_process(self, device: str | None) -> WorkerProcess:
        assert self._folder is not None, "the block has begun"
        process = WorkerProcess(self._folder.path, device)
        if self._shared is not None:
            process.open(*self._shared)
        return process

    def _add_workers_for_cores(self, worker: _Worker, message: Ready) -> None:
        """Use every core if no number of workers was chosen and TensorFlow cannot use the GPUs."""
        if self.count is None and worker.device is not None and not message.gpus:
            assert self._shared is not None, "a worker is ready after it was opened"
            cores = count_cores()
            self._shared = *self._shared[:2], divide_memory(cores)
            self._workers += [_Worker(None, self._start_process(None)) for _ in range(cores - len(self._workers))]


@functools.lru_cache(maxsize=1 << 16)  # each pick looks at every waiting run
def _make_program_key(run: Run) -> Any:
    """Return a key that is equal for runs that share a traced program."""
    return run.fold, run.recipe.structure()


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


def _suggest_fix(worker: _Worker, code: int) -> str:
    if code < 0:
        return "; if memory is short, use fewer workers"
    if worker.process.imports_script:
        return '; it imports the script that defines your classes: call regzoo.compare under if __name__ == "__main__":'
    return ""
