"""Workers: runs on this machine's cores, one spawned process and one thread each.

A run's result depends on the run alone, never on the worker, so the number of workers changes nothing but the
time. A worker that dies costs the run it was making; another takes its place.
"""

from __future__ import annotations

import importlib
import multiprocessing.context
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pebble

from regzoo.language import parse
from regzoo.language.registry import own_modules
from regzoo.training.quiet import import_tensorflow, silence
from regzoo.training.record import Record, Run
from regzoo.training.study import Study

Outcome = tuple[Record, Any]
"""What comes back: the record, and the weights of each member (None if it failed)."""


class Executor(Protocol):
    """Makes runs; several may be under way."""

    def room(self) -> bool:
        """True if a run handed over now would start now."""

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Which of the ``waiting`` runs suits best next."""

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Begin ``run``; ``members`` is what its trainings left, if they have been made."""

    def collect(self) -> list[Outcome]:
        """Wait until something is finished, and return it."""


@dataclass
class InProcess:
    """Makes runs in this process, one at a time: for debugging, and for classes defined in a notebook."""

    study: Study
    data: dict[str, Any]
    _run: Run | None = None
    _members: Sequence[Outcome] | None = None
    _studio: Any = None

    def __enter__(self) -> Self:
        import_tensorflow()
        from regzoo.training.run import Studio

        self._studio = Studio(self.study, self.data)
        return self

    def __exit__(self, *_: object) -> None:
        self._studio = None

    def room(self) -> bool:
        """True unless a run is waiting to be collected."""
        return self._run is None

    def pick(self, waiting: Sequence[Run]) -> Run:
        """The first."""
        return waiting[0]

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Remember the run; it is made when collected."""
        self._run, self._members = run, members

    def collect(self) -> list[Outcome]:
        """Make the run."""
        from regzoo.training.run import execute

        assert self._run is not None, "collect follows start"
        run, self._run = self._run, None
        return [execute(run, self._studio, self._members)]


@dataclass
class _Worker:
    pool: Any
    run: Run | None = None
    future: Future[Outcome] | None = None
    structures: set[Any] = field(default_factory=set)


class Workers:
    """A pool of ``count`` workers; a context manager.

    Args:
        study: what all runs share.
        data: the parts ``train``, ``validation`` and ``test``, each (x, y).
        count: how many processes.
    """

    def __init__(self, study: Study, data: dict[str, Any], count: int) -> None:
        self.study = study
        self.data = data
        self.count = count

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="regzoo-")
        for part, (x, y) in self.data.items():
            np.save(Path(self._folder.name) / f"{part}-x.npy", x)
            np.save(Path(self._folder.name) / f"{part}-y.npy", y)
        modules = own_modules()
        context = multiprocessing.context.SpawnContext() if "__main__" in modules else _AloneContext()
        self._workers = [
            _Worker(
                pebble.ProcessPool(
                    max_workers=1,
                    initializer=_begin,
                    initargs=(self.study, self._folder.name, tuple(self.data), modules),
                    context=context,
                )
            )
            for _ in range(self.count)
        ]
        for worker in self._workers:
            worker.pool.schedule(_ready)  # starts the process now, while the first round is planned
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.pool.stop()
        for worker in self._workers:
            worker.pool.join()
        self._folder.cleanup()

    def room(self) -> bool:
        """True if a worker is free."""
        return any(worker.run is None for worker in self._workers)

    def pick(self, waiting: Sequence[Run]) -> Run:
        """A run whose program the free worker has traced; else one that no worker has; else the first."""
        free = self._free().structures
        taken = {structure for worker in self._workers for structure in worker.structures}
        structures = [parse(run.recipe).structure() for run in waiting]
        traced = [run for run, structure in zip(waiting, structures, strict=True) if structure in free]
        untouched = [run for run, structure in zip(waiting, structures, strict=True) if structure not in taken]
        return [*traced, *untouched, waiting[0]][0]

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Hand ``run`` to a free worker."""
        worker = self._free()
        worker.structures.add(parse(run.recipe).structure())
        worker.run = run
        worker.future = worker.pool.schedule(_work, args=(run, members))

    def collect(self) -> list[Outcome]:
        """Wait for at least one run; what raised or died comes back as a failed record."""
        busy = [worker for worker in self._workers if worker.future is not None]
        wait([worker.future for worker in busy if worker.future], return_when=FIRST_COMPLETED)
        return [self._outcome(worker) for worker in busy if worker.future and worker.future.done()]

    def _free(self) -> _Worker:
        return next(worker for worker in self._workers if worker.run is None)

    def _outcome(self, worker: _Worker) -> Outcome:
        run, future = worker.run, worker.future
        assert run is not None
        assert future is not None
        worker.run = worker.future = None
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, pebble.ProcessExpired):
            worker.structures.clear()
            reason = f"the worker died (exit code {error.exitcode})"
        else:
            reason = f"{type(error).__name__}: {error}"
        return Record(run=run, status="failed", error=reason), None


_studio: Any = None  # the worker process's own


def _begin(study: Study, folder: str, parts: tuple[str, ...], modules: tuple[str, ...]) -> None:
    """Set up a worker process: one thread (two processes beat one with two), data mapped from disk."""
    global _studio
    silence()
    import_tensorflow(threads=1)
    for module in modules:
        if module != "__main__":  # spawn has imported the user's script already
            importlib.import_module(module)
    from regzoo.training.run import Studio

    def mapped(name: str) -> np.ndarray:
        return np.load(Path(folder) / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    _studio = Studio(study, {part: (mapped(f"{part}-x"), mapped(f"{part}-y")) for part in parts})


def _ready() -> None:
    """Nothing: the process is up when this returns."""


def _work(run: Run, members: Sequence[Outcome] | None) -> Outcome:
    from regzoo.training.run import execute

    return execute(run, _studio, members)


class _AloneProcess(multiprocessing.context.SpawnProcess):
    """A spawned process that does not import the user's script again, so a script needs no main guard."""

    @staticmethod
    def _Popen(process: Any) -> Any:  # multiprocessing's name
        with _main_hidden():
            return multiprocessing.context.SpawnProcess._Popen(process)


class _AloneContext(multiprocessing.context.SpawnContext):
    Process = _AloneProcess


@contextmanager
def _main_hidden() -> Iterator[None]:
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {n: vars(main).pop(n) for n in ("__spec__", "__file__") if n in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)
