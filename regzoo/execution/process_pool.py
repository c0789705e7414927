"""Workers: runs on this machine's cores or graphics cards, one spawned process and one thread each.

A run's result depends on the run alone, never on the worker, so the number of workers changes nothing but the
time. A worker that dies, hangs or swells costs at most the run it was making; another takes its place.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Self

from regzoo.core import EnvironmentFailure
from regzoo.execution.executor import Outcome, failed_record
from regzoo.execution.memory import share_of_memory
from regzoo.execution.resources import count_cores, device_of, list_gpus
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.worker_process import Finished, Ready, Refused, SharedParts, WorkerProcess
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

START_LIMIT = 600.0
"""Seconds a worker may take to start: a hundred times what it takes on a quiet machine."""

STARTS = 3
"""Times in a row that a worker may be killed while it starts."""

GROWTH = 1 << 30
"""Bytes by which a worker may grow after its first run, which brings the data. It keeps the programs it has traced,
some 10 MB each beside their weights; beyond 1 GiB a fresh process, a few seconds, is cheaper than the memory."""


@dataclass
class _Worker:
    """A seat: the process in it, since when it starts or works, and what it works on."""

    device: str | None
    process: WorkerProcess
    since: float = field(default_factory=time.monotonic)
    ready: bool = False
    memory: int | None = None  # bytes after its first run
    run: Run | None = None
    programs: set[Any] = field(default_factory=set)
    killed: int = 0  # times in a row, while it started

    @property
    def free(self) -> bool:
        return self.ready and self.run is None


class ProcessPool:
    """Processes that make runs; a context manager. They start, and import TensorFlow, when the block begins.

    Args:
        count: how many; by default one for each graphics card, or for each core if TensorFlow can use no card.
        limit: seconds that a run may take; None for no limit.
        growth: bytes by which a worker may grow after its first run before it is replaced, between two runs.

    Raises:
        EnvironmentFailure: from `collect`, if workers cannot start.
    """

    def __init__(self, count: int | None = None, limit: float | None = None, growth: int = GROWTH) -> None:
        self.count = count
        self.limit = limit
        self.growth = growth
        self._workers: list[_Worker] = []
        self._opening: tuple[TrainingSetup, SharedParts, int] | None = None

    def __enter__(self) -> Self:
        cards = list_gpus()
        try:
            for number in range(self.count or len(cards) or count_cores()):
                device = device_of(number, cards)
                self._workers.append(_Worker(device, self._process(device)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.stop()
        self._workers.clear()
        if self._opening is not None:
            for arrays in self._opening[1].values():
                for array in arrays:
                    array.close()
            self._opening = None

    def open(self, setup: TrainingSetup, data: dict[str, Any]) -> None:
        """Say what all runs share, and put the parts where every worker can map them."""
        shared = {part: tuple(map(SharedArray, arrays)) for part, arrays in data.items()}
        self._opening = setup, shared, share_of_memory(len(self._workers))
        for worker in self._workers:
            worker.since = time.monotonic()
            worker.process.open(*self._opening)

    def room(self) -> bool:
        """True if a worker is ready and free."""
        return any(worker.free for worker in self._workers)

    def pick(self, waiting: Sequence[Run]) -> Run:
        """A run whose program the free worker has traced; else one that no worker has; else the first."""
        free = self._free().programs
        taken = {program for worker in self._workers for program in worker.programs}
        programs = [_program_key(run) for run in waiting]
        traced = [run for run, program in zip(waiting, programs, strict=True) if program in free]
        untouched = [run for run, program in zip(waiting, programs, strict=True) if program not in taken]
        return [*traced, *untouched, waiting[0]][0]

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Hand ``run``, and what its ``members`` left, to a free worker."""
        worker = self._free()
        worker.programs.add(_program_key(run))
        worker.run, worker.since = run, time.monotonic()
        worker.process.send(run, members)

    def collect(self) -> list[Outcome]:
        """Wait until a worker says something, dies or runs out of time; return the runs that are over."""
        ends = [self._end(worker) for worker in self._workers]
        until = min((end for end in ends if end is not None), default=None)
        seconds = None if until is None else max(0.0, until - time.monotonic())
        speaking = connection.wait([worker.process.connection for worker in self._workers], seconds)
        heard = [worker for worker in self._workers if worker.process.connection in speaking]
        outcomes = [outcome for worker in heard for outcome in self._hear(worker)]
        return outcomes + [outcome for worker in list(self._workers) for outcome in self._stop_late(worker)]

    def _free(self) -> _Worker:
        return next(worker for worker in self._workers if worker.free)

    def _end(self, worker: _Worker) -> float | None:
        """When the time is up for what ``worker`` does; None if there is no limit."""
        limit = START_LIMIT if not worker.ready else self.limit if worker.run is not None else None
        return None if limit is None else worker.since + limit

    def _hear(self, worker: _Worker) -> list[Outcome]:
        message = worker.process.receive()
        if message is None:
            return self._after_death(worker)
        if isinstance(message, Refused):
            raise EnvironmentFailure(f"a worker cannot start: {message.reason}")
        if isinstance(message, Ready):
            worker.ready, worker.killed = True, 0
            self._use_cores(worker, message)
            return []
        return [self._finish(worker, message)]

    def _finish(self, worker: _Worker, made: Finished) -> Outcome:
        worker.run = None
        if worker.memory is None:
            worker.memory = made.memory
        elif made.memory - worker.memory > self.growth:
            worker.process.stop()
            self._replace(worker)
        return made.outcome

    def _after_death(self, worker: _Worker) -> list[Outcome]:
        code = worker.process.wait()
        why = exit_reason(code)
        if not worker.ready:
            worker.killed += 1
            if code >= 0 or worker.killed == STARTS:
                raise EnvironmentFailure(f"a worker cannot start: {why}{_advice(worker, code)}")
        return self._lose(worker, why)

    def _stop_late(self, worker: _Worker) -> list[Outcome]:
        end = self._end(worker)
        if end is None or time.monotonic() < end:
            return []
        if not worker.ready:
            raise EnvironmentFailure(f"a worker is not ready {START_LIMIT:g} s after it was started")
        worker.process.stop()
        return self._lose(worker, f"ran past its limit of {self.limit:g} s")

    def _lose(self, worker: _Worker, why: str) -> list[Outcome]:
        """Replace the process; the run that it was making has failed."""
        run, seconds = worker.run, time.monotonic() - worker.since
        self._replace(worker)
        return [] if run is None else [(failed_record(run, why, seconds), None)]

    def _replace(self, worker: _Worker) -> None:
        worker.process = self._process(worker.device)
        worker.since, worker.ready, worker.memory, worker.run = time.monotonic(), False, None, None
        worker.programs.clear()

    def _process(self, device: str | None) -> WorkerProcess:
        process = WorkerProcess(device)
        if self._opening is not None:
            process.open(*self._opening)
        return process

    def _use_cores(self, worker: _Worker, ready: Ready) -> None:
        """Where nobody chose a number and TensorFlow cannot use the cards, fill the cores."""
        if self.count is None and worker.device is not None and not ready.gpus:
            assert self._opening is not None, "a worker is ready after it was opened"
            self._opening = *self._opening[:2], share_of_memory(count_cores())
            self._workers += [_Worker(None, self._process(None)) for _ in range(count_cores() - len(self._workers))]


def _program_key(run: Run) -> Any:
    """Equal for runs that one traced program makes."""
    return run.fold, run.recipe.structure()


def exit_reason(code: int) -> str:
    """Why a process with this exit code died.

    >>> exit_reason(-9)
    'the worker was killed (signal 9): out of memory, or killed from outside'
    >>> exit_reason(-11)
    'the worker was killed (signal 11): Segmentation fault'
    """
    if code >= 0:
        return f"the worker ended (exit code {code})"
    why = "out of memory, or killed from outside" if code == -signal.SIGKILL else signal.strsignal(-code)
    return f"the worker was killed (signal {-code}): {why}"


def _advice(worker: _Worker, code: int) -> str:
    if code < 0:
        return "; if memory is short, take fewer workers"
    if worker.process.knows_script:
        return '; it imports the script that defines your classes: call regzoo.compare under if __name__ == "__main__":'
    return ""
