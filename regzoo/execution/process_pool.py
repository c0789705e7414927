"""`ProcessPool`: executes runs on this machine's cores or GPUs, in spawned processes of one thread each.

A run's result depends on the run only, never on the worker, so the number of workers changes nothing but the time. A
worker that dies, hangs or grows too large costs at most its current run; another one replaces it. If it was killed from
outside, the run is not to blame and is started again.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import connection
from typing import Any, Self

from regzoo.core import EnvironmentFailure, InputError
from regzoo.data.inputs import map_inputs
from regzoo.execution.custom_classes import may_lack_classes, needs_script
from regzoo.execution.executor import Outcome
from regzoo.execution.exit_reason import describe_exit, is_kill_from_outside
from regzoo.execution.guardian import Guardian
from regzoo.execution.pool_worker import PoolWorker
from regzoo.execution.resources import assign_gpu, count_cores, divide_memory, list_gpus
from regzoo.execution.shared_array import SharedArray
from regzoo.execution.worker_process import Finished, Ready, SharedParts, StartFailed, WorkerProcess, list_shared
from regzoo.system.signals import delay_interrupts
from regzoo.system.temporary_folder import TemporaryFolder
from regzoo.system.work_clock import TICK, WorkClock
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

START_LIMIT = 600.0
"""Seconds that a worker may take to start: a hundred times as long as on an idle machine."""

MAX_START_KILLS = 3
"""How often in a row a worker may be killed while it starts."""

MAX_RUN_KILLS = 3
"""How often a run's worker may be killed from outside before the run fails: the run may be what takes the memory."""

MEMORY_GROWTH = 1 << 30
"""Bytes by which a worker may grow after its first run, for which it loads the data. A worker keeps the programs that
it has traced, about 10 MB each besides their weights; beyond 1 GiB, a new process, a few seconds, costs less."""


class ProcessPool:
    """A pool of worker processes, as a context manager. They start, and import TensorFlow, when the block begins.

    Args:
        count: number of workers; by default one for each GPU, or one for each core if TensorFlow can use no GPU.
        limit: seconds that a run may take, while neither its worker nor this process is suspended; None for no limit.
        growth: bytes by which a worker may grow after its first run before it is replaced, between two runs.
        clock: returns seconds; by default those in which this process could work.

    Raises:
        EnvironmentFailure: from `collect`, if workers cannot start.
        InputError: from `collect`, if they cannot load the user's own model.
    """

    def __init__(
        self,
        count: int | None = None,
        limit: float | None = None,
        growth: int = MEMORY_GROWTH,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.count = count
        self.limit = limit
        self.growth = growth
        self._clock = WorkClock() if clock is None else clock
        self._last = self._clock()  # when the time of the workers was counted
        self._workers: list[PoolWorker] = []
        self._folder: TemporaryFolder | None = None
        self._guardian: Guardian | None = None
        self._shared: tuple[TrainingSetup, SharedParts, int] | None = None  # what `open` sends
        self._equal_folds: tuple[int, ...] = ()  # by fold, the first fold with equal inputs and task
        self._needs_script = False  # classes of the user's own model are defined in the user's script
        self._may_lack_classes = False  # of the user's own model

    def __enter__(self) -> Self:
        gpus = list_gpus()
        try:
            with delay_interrupts():  # `__exit__` stops the processes that are in the list
                self._folder = TemporaryFolder()
                self._guardian = Guardian(self._folder.path)
                for number in range(self.count or len(gpus) or count_cores()):
                    device = assign_gpu(number, gpus)
                    self._workers.append(PoolWorker(device, self._start_process(device)))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with delay_interrupts():  # a second Ctrl-C must leave no process and no file
            for worker in self._workers:
                self._stop_process(worker)
            self._workers.clear()
            if self._shared is not None:
                for array in list_shared(self._shared[1]):
                    array.close()
                self._shared = None
            if self._folder is not None:
                self._folder.remove()
            if self._guardian is not None:
                self._guardian.stop()
                self._guardian = None

    def open(self, setup: TrainingSetup, data: Mapping[str, tuple[Any, ...]]) -> None:
        """Send every worker what all runs share; the arrays are shared through files.

        Raises:
            InputError: if classes of the user's own model are defined where no other process can import them.
        """
        shared = {part: tuple(map_inputs(SharedArray, value) for value in arrays) for part, arrays in data.items()}
        self.memory = divide_memory(len(self._workers))
        self._shared = setup, shared, self.memory
        folds = [setup.for_fold(number) for number in range(1 + len(setup.folds))]
        self._equal_folds = tuple(map(folds.index, folds))
        self._count_time()
        self._needs_script, self._may_lack_classes = needs_script(setup), may_lack_classes(setup)
        for worker in self._workers:
            worker.seconds = 0.0
            if self._needs_script and not worker.process.imports_script:
                self._stop_process(worker)
                worker.restart(self._start_process(worker.device))
            else:
                worker.process.open(*self._shared)

    def wait_for_model(self) -> None:
        """Wait for a worker that has loaded the user's own model, if it is uncertain that one can."""
        while self._may_lack_classes and not any(worker.ready for worker in self._workers):
            self.collect()

    def has_idle_worker(self) -> bool:
        """Return True if a worker is ready and has no run."""
        return any(worker.idle for worker in self._workers)

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Return a run whose program the idle worker has traced; else one that no worker has; else the first."""
        ours = self._get_idle_worker().programs
        traced = {program for worker in self._workers for program in worker.programs}
        untraced = None
        for run in waiting:
            program = self._get_program_key(run)
            if program in ours:
                return run
            if untraced is None and program not in traced:
                untraced = run
        return waiting[0] if untraced is None else untraced

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Send ``run``, and the outcomes of its ``members``, to an idle worker."""
        worker = self._get_idle_worker()
        worker.programs.add(self._get_program_key(run))
        self._count_time()
        worker.begin(run, members)

    def collect(self) -> list[Outcome]:
        """Wait until a worker sends a message, dies or exceeds its time; return the runs that ended."""
        while True:
            waitables = [each for worker in self._workers for each in worker.process.waitables]
            limits = [limit - worker.seconds for worker in self._workers if (limit := self._get_limit(worker))]
            if waitables:
                connection.wait(waitables, max(0.0, min([TICK, *limits])))
            else:
                time.sleep(TICK)  # only where processes have no descriptors, and after their pipes are closed
            self._count_time()
            results = [self._attend(worker) for worker in list(self._workers)]
            if any(result is not None for result in results):
                return [outcome for result in results if result is not None for outcome in result]

    def _count_time(self) -> None:
        """Count the time since the last call for every worker that could work."""
        now = self._clock()
        elapsed, self._last = now - self._last, now
        for worker in self._workers:
            if not worker.idle and not worker.process.is_suspended():
                worker.seconds += elapsed

    def _get_program_key(self, run: Run) -> Any:
        """Return a key that is equal for runs that share a traced program, whose folds mostly have equal shapes."""
        fold = self._equal_folds[run.fold] if run.fold < len(self._equal_folds) else run.fold
        return fold, _make_program_key(run)[1]

    def _get_idle_worker(self) -> PoolWorker:
        return next(worker for worker in self._workers if worker.idle)

    def _get_limit(self, worker: PoolWorker) -> float | None:
        """Return how long what ``worker`` is doing may take; None if there is no limit."""
        return START_LIMIT if not worker.ready else self.limit if worker.run is not None else None

    def _attend(self, worker: PoolWorker) -> list[Outcome] | None:
        """Return the outcomes of the runs that ``worker`` has ended; None if nothing has happened to it."""
        dead = worker.process.is_dead()  # first: then all that it had sent before is here
        messages = worker.process.receive()
        outcomes = [outcome for message in messages for outcome in self._handle(worker, message, dead)]
        if dead:
            return outcomes + self._handle_exit(worker)
        limit = self._get_limit(worker)
        if not messages and limit is not None and worker.seconds >= limit:
            return self._stop_overdue(worker)
        return outcomes if messages else None

    def _handle(self, worker: PoolWorker, message: Ready | StartFailed | Finished, dead: bool) -> list[Outcome]:
        if isinstance(message, StartFailed) and message.model:
            raise InputError(f"worker processes cannot load your model; workers=0 trains in this one: {message.reason}")
        if isinstance(message, StartFailed):
            raise EnvironmentFailure(f"a worker cannot start: {message.reason}")
        if isinstance(message, Finished):
            outcome = worker.end(message.outcome)
            if not dead:
                self._limit_memory(worker, message.memory)
            return [outcome]
        worker.become_ready()
        self._add_workers_for_cores(worker, message)
        return []

    def _limit_memory(self, worker: PoolWorker, memory: int) -> None:
        """Replace the process of ``worker`` if it has grown too large."""
        if worker.memory is None:
            worker.memory = memory
        elif memory - worker.memory > self.growth:
            self._stop_process(worker)
            self._replace(worker)

    def _handle_exit(self, worker: PoolWorker) -> list[Outcome]:
        code = worker.process.wait()
        self._forget(worker)
        reason = describe_exit(code)
        if not worker.ready:
            worker.kills += 1
            if code >= 0 or worker.kills == MAX_START_KILLS:
                raise EnvironmentFailure(f"a worker cannot start: {reason}{_suggest_fix(worker, code)}")
            self._replace(worker)
            return []
        if worker.run is not None and is_kill_from_outside(code) and len(worker.lost) < MAX_RUN_KILLS - 1:
            worker.lose(reason)
            self._replace(worker)  # it starts the run again as soon as it is ready
            return []
        return self._fail_run(worker, reason)

    def _stop_overdue(self, worker: PoolWorker) -> list[Outcome]:
        if not worker.ready:
            raise EnvironmentFailure(f"a worker is not ready {START_LIMIT:g} s after it was started")
        self._stop_process(worker)
        return self._fail_run(worker, f"ran past its limit of {self.limit:g} s")

    def _fail_run(self, worker: PoolWorker, reason: str) -> list[Outcome]:
        """Replace the process; its current run has failed."""
        outcomes = [] if worker.run is None else [worker.fail(reason)]
        self._replace(worker)
        return outcomes

    def _replace(self, worker: PoolWorker) -> None:
        self._count_time()
        with delay_interrupts():
            worker.restart(self._start_process(worker.device))
        if worker.run is not None:
            worker.programs.add(self._get_program_key(worker.run))

    def _stop_process(self, worker: PoolWorker) -> None:
        worker.process.stop()
        self._forget(worker)

    def _forget(self, worker: PoolWorker) -> None:
        """Tell the guardian that the process is dead; its number may soon be another's."""
        if self._guardian is not None:
            self._guardian.discard(worker.process.pid)

    def _start_process(self, device: str | None) -> WorkerProcess:
        assert self._folder is not None, "the block has begun"
        assert self._guardian is not None
        process = WorkerProcess(self._folder.path, device, self._needs_script)
        self._guardian.add(process.pid)
        if self._shared is not None:
            process.open(*self._shared)
        return process

    def _add_workers_for_cores(self, worker: PoolWorker, message: Ready) -> None:
        """Use every core if no number of workers was chosen and TensorFlow cannot use the GPUs."""
        if self.count is None and worker.device is not None and not message.gpus:
            assert self._shared is not None, "a worker is ready after it was opened"
            cores = count_cores()
            self._shared = *self._shared[:2], divide_memory(cores)
            self._workers += [PoolWorker(None, self._start_process(None)) for _ in range(cores - len(self._workers))]


@functools.lru_cache(maxsize=1 << 16)  # each pick looks at every waiting run
def _make_program_key(run: Run) -> Any:
    """Return a key that is equal for runs of one fold that share a traced program."""
    return run.fold, run.recipe.structure()


def _suggest_fix(worker: PoolWorker, code: int) -> str:
    if code < 0:
        return "; if memory is short, use fewer workers"
    if worker.process.imports_script:
        return '; it imports the script that defines your classes: call regzoo.compare under if __name__ == "__main__":'
    return ""
