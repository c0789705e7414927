"""InProcess: runs in this process, one at a time: for debugging, and for classes defined in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from regzoo.execution.executor import Outcome, run_safely
from regzoo.execution.memory import share_of_memory
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup


class SerialExecutor:
    """Makes each run when it is collected; nothing stops one that hangs. A context manager, as `Workers` is."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._members: Sequence[Outcome] | None = None
        self._studio: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._studio = None

    def open(self, setup: TrainingSetup, data: dict[str, Any]) -> None:
        """Import TensorFlow, and remember what all runs share."""
        import_tensorflow()
        from regzoo.training.engine.trainer import Trainer

        self._studio = Trainer(setup, data, share_of_memory(1))

    def room(self) -> bool:
        """True unless a run is waiting to be collected."""
        return self._run is None

    def pick(self, waiting: Sequence[Run]) -> Run:
        """The first."""
        return waiting[0]

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Remember the run."""
        self._run, self._members = run, members

    def collect(self) -> list[Outcome]:
        """Make the run; what it raises becomes a failed record."""
        assert self._run is not None, "collect follows start"
        run, self._run = self._run, None
        return [run_safely(run, self._studio, self._members)]
