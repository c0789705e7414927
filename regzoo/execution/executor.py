"""Executor: makes runs. Where they are made changes nothing but the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from regzoo.training.records import Record, Run
from regzoo.training.setup import TrainingSetup

if TYPE_CHECKING:
    from regzoo.training.engine.trainer import Trainer

Outcome = tuple[Record, Any]
"""What comes back: the record, and the weights of each member (None if it failed)."""


class Executor(Protocol):
    """Makes runs; several may be under way."""

    def open(self, setup: TrainingSetup, data: dict[str, Any]) -> None:
        """Say what all runs share, and hand over the parts ``train``, ``validation`` and ``test``, each (x, y).

        With folds there are as many more of each as ``setup`` has further cuts, see `in_cut`.
        """

    def room(self) -> bool:
        """True if a run handed over now would start now."""

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Which of the ``waiting`` runs suits best next."""

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Begin ``run``, only while there is room; ``members`` is what its trainings left, if they have been made."""

    def collect(self) -> list[Outcome]:
        """Wait until something happens; return what is finished, nothing if there is only more room than before."""


def run_safely(run: Run, trainer: Trainer, members: Sequence[Outcome] | None = None) -> Outcome:
    """Make ``run``; what it raises becomes a failed record."""
    from regzoo.training.engine.trainer import execute_run

    began = time.monotonic()
    try:
        return execute_run(run, trainer, members)
    except Exception as error:  # whatever it is, it costs this run and not the comparison
        return failed_record(run, describe_error(error), time.monotonic() - began), None


def failed_record(run: Run, why: str, seconds: float) -> Record:
    """The record of a ``run`` that left nothing but the ``seconds`` that were lost."""
    return Record(run=run, status="failed", fit_seconds=seconds, error=why)


def describe_error(error: Exception) -> str:
    """The error in a line, and where it was raised if TensorFlow retells the whole way there."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if lines[:1] != ["in user code:"]:
        return f"{type(error).__name__}: {error}"
    last = max(number for number, line in enumerate(lines) if line.startswith("File "))
    place = lines[last].removesuffix("*").strip()
    return f"{' '.join(lines[last + 2 :])} ({place})"
