"""`Executor`, the interface of everything that executes runs, and the records of runs that fail."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from regzoo.training.records import Record, Run
from regzoo.training.setup import TrainingSetup

if TYPE_CHECKING:
    from regzoo.training.engine.trainer import Trainer

Outcome = tuple[Record, Any]
"""The record of a run, and the weights of each member; None for the weights if the run failed."""


class Executor(Protocol):
    """Executes runs, perhaps several at a time; a context manager. A run's result must not depend on the worker."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def open(self, setup: TrainingSetup, data: Mapping[str, tuple[Any, ...]]) -> None:
        """Receive what all runs share.

        Args:
            setup: the setup that all runs share.
            data: inputs (one array, or a dict of several), targets, and row weights if there are any, by part:
                ``train``, ``validation``, ``test``; for each further fold these parts again, see
                `regzoo.data.catalog.fold_key`.
        """

    @property
    def memory(self) -> int:
        """Bytes of data that a worker may hold; after `open`."""

    def wait_for_model(self) -> None:
        """Raise now if runs cannot be executed; wait only where that is uncertain.

        Raises:
            InputError: if the user's own model cannot be loaded where runs are executed.
        """

    def has_idle_worker(self) -> bool:
        """Return True if a run that is started now begins at once."""

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Return the run among ``waiting`` that is best started next; only while a worker is idle."""

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Start ``run``; only while a worker is idle.

        Args:
            run: the run.
            members: the outcomes of the members that it combines, if they are trained.
        """

    def collect(self) -> list[Outcome]:
        """Wait until a run finishes or a worker becomes idle; return the finished runs, which may be none."""


def run_safely(run: Run, trainer: Trainer, members: Sequence[Outcome] | None = None) -> Outcome:
    """Execute ``run``; an exception becomes a failed record."""
    from regzoo.training.engine.trainer import execute_run

    began = time.monotonic()
    try:
        return execute_run(run, trainer, members)
    except Exception as error:  # of any kind: it must fail this run only, not the comparison
        return make_failed_record(run, describe_error(error), time.monotonic() - began), None


def make_failed_record(run: Run, error: str, seconds: float) -> Record:
    """Return the record of a ``run`` that failed with ``error`` after ``seconds``."""
    return Record(run=run, status="failed", fit_seconds=seconds, error=error)


def describe_error(error: Exception) -> str:
    """Return type and message of ``error``; of TensorFlow's long tracebacks only the message and the last frame."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines[:1] != ["in user code:"]:
        return f"{type(error).__name__}: {error}"
    last = max(number for number, line in enumerate(lines) if line.startswith("File "))
    place = lines[last].removesuffix("*").strip()
    return f"{' '.join(lines[last + 2 :])} ({place})"
