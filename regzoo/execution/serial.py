"""`SerialExecutor`: executes runs in this process, one at a time: for debugging, and for classes of a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from regzoo.execution.executor import Outcome, run_safely
from regzoo.execution.resources import divide_memory
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.system.temporary_folder import private_tempdir
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup

if TYPE_CHECKING:
    from regzoo.training.engine.trainer import Trainer


class SerialExecutor:
    """Executes each run when it is collected. A context manager like `ProcessPool`; a run that hangs is not stopped."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._members: Sequence[Outcome] | None = None
        self._trainer: Trainer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._trainer = None

    def open(self, setup: TrainingSetup, data: Mapping[str, tuple[Any, ...]]) -> None:
        """Import TensorFlow and keep what all runs share."""
        import_tensorflow()
        from regzoo.training.engine.trainer import Trainer

        self._trainer = Trainer(setup, dict(data), divide_memory(1))

    @property
    def memory(self) -> int:
        """Bytes of data that this process may hold."""
        return divide_memory(1)

    def wait_for_model(self) -> None:
        """This process has what it needs."""

    def has_idle_worker(self) -> bool:
        """Return True unless a run waits to be collected."""
        return self._run is None

    def pick(self, waiting: Sequence[Run]) -> Run:
        """Return the first run."""
        return waiting[0]

    def start(self, run: Run, members: Sequence[Outcome] | None = None) -> None:
        """Keep ``run`` until it is collected."""
        self._run, self._members = run, members

    def collect(self) -> list[Outcome]:
        """Execute the run; an exception becomes a failed record."""
        assert self._run is not None, "collect follows start"
        assert self._trainer is not None, "collect follows open"
        run, self._run = self._run, None
        with private_tempdir():
            record, weights = run_safely(run, self._trainer, self._members)
        if record.status == "failed" and "KeyboardInterrupt" in (record.error or ""):
            raise KeyboardInterrupt  # TensorFlow makes it an error of its own in a Python function of a graph
        return [(record, weights)]
