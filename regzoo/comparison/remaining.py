"""Whether a comparison has runs left to make, found by planning the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Self

from regzoo.comparison.plan import Plan
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import SilentProgress
from regzoo.execution.executor import Outcome
from regzoo.storage.folder import lock_folder
from regzoo.storage.ledger import Ledger
from regzoo.storage.placement import holds_comparison
from regzoo.training.records import Run


class _RunLeftError(Exception):
    """A run is left to make."""


class _NoExecutor:
    """An executor that refuses the first run."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def open(self, *_: object) -> None:
        """Nothing to receive."""

    @property
    def memory(self) -> int:
        """Nothing to hold."""
        return 0

    def wait_for_model(self) -> None:
        """Nothing to confirm."""

    def has_idle_worker(self) -> NoReturn:
        """Refuse the run that is ready."""
        raise _RunLeftError

    def pick(self, waiting: Sequence[Run]) -> NoReturn:
        """Refuse the run."""
        raise _RunLeftError

    def start(self, *_: object) -> NoReturn:
        """Refuse the run."""
        raise _RunLeftError

    def collect(self) -> list[Outcome]:
        """No run is under way."""
        return []


def is_finished(plan: Plan, folder: Path, retry_failed: bool = False) -> bool:
    """Return True if the ledger in ``folder`` holds every run of ``plan`` that is to be made.

    Args:
        plan: the plan of the comparison.
        folder: its folder, which is locked meanwhile; it may be missing.
        retry_failed: whether failed runs are made again.

    Raises:
        BusyError: if another process makes runs there.
    """
    if not holds_comparison(folder):
        return False
    with lock_folder(folder), Ledger(folder) as ledger:
        try:
            make_runs(plan, _NoExecutor(), ledger, SilentProgress(), retry_failed=retry_failed)
        except _RunLeftError:
            return False
    return True
