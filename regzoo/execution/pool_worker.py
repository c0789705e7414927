"""`PoolWorker`: one worker of a `ProcessPool`, its current process, and what that process is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from regzoo.execution.executor import Outcome, make_failed_record
from regzoo.execution.worker_process import WorkerProcess
from regzoo.training.records import Record, Run


@dataclass
class PoolWorker:
    """One worker of the pool.

    Attributes:
        device: the GPU that it uses; None for the cores.
        process: its current process.
        seconds: for how long the process could work at what it is doing.
        ready: whether the process has started.
        memory: bytes that the process held after its first run.
        run: the run that it executes, or starts again as soon as it is ready.
        members: the outcomes of the members that the run combines.
        lost: the attempts at the run that ended with the worker.
        programs: keys of the programs that the process has traced.
        kills: times in a row that it was killed while it started.
    """

    device: str | None
    process: WorkerProcess
    seconds: float = 0.0
    ready: bool = False
    memory: int | None = None
    run: Run | None = None
    members: Sequence[Outcome] | None = None
    lost: list[Record] = field(default_factory=list)
    programs: set[Any] = field(default_factory=set)
    kills: int = 0

    @property
    def idle(self) -> bool:
        """Whether a run can start now."""
        return self.ready and self.run is None

    def begin(self, run: Run, members: Sequence[Outcome] | None) -> None:
        """Start ``run``."""
        self.run, self.members, self.seconds = run, members, 0.0
        self.process.send(run, members)

    def become_ready(self) -> None:
        """Take note that the process has started; start the run again that the one before it has lost."""
        self.ready, self.kills = True, 0
        if self.run is not None:
            self.begin(self.run, self.members)

    def restart(self, process: WorkerProcess) -> None:
        """Go on with a new process."""
        self.process, self.seconds, self.ready, self.memory = process, 0.0, False, None
        self.programs.clear()

    def lose(self, reason: str) -> None:
        """Keep the trace of an attempt at the run that ended with the worker."""
        assert self.run is not None
        self.lost.append(make_failed_record(self.run, reason, self.seconds))

    def end(self, outcome: Outcome) -> Outcome:
        """Return ``outcome`` with the trace of the attempts that were lost; the worker is idle then."""
        record, weights = outcome
        for attempt in reversed(self.lost):
            record = record.after(attempt)
        self.run, self.members, self.lost = None, None, []
        return record, weights

    def fail(self, reason: str) -> Outcome:
        """Return the outcome of the run, which has failed."""
        assert self.run is not None
        return self.end((make_failed_record(self.run, reason, self.seconds), None))
