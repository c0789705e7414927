"""Own: the case as `regzoo compare` makes it, with its workers, plan and ledger; only the report is left out."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from regzoo.bench.data import prepared
from regzoo.bench.machine import peak_memory_mb
from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import Job
from regzoo.comparison import runner
from regzoo.comparison.plan import Plan
from regzoo.comparison.progress import SilentProgress
from regzoo.core import EnvironmentFailure
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record


class Clock(SilentProgress):
    """Notes when each run is in the ledger, and the memory taken when the last one is."""

    def __init__(self) -> None:
        self.runs = 0
        self.finished: list[float] = []
        self.records: list[Record] = []
        self.peak_memory_mb: float | None = None

    def start(self, plan: Plan) -> None:
        """Learn how many runs there will be."""
        self.runs = plan.runs

    def update(self, record: Record, repeated: bool) -> None:
        """Note the time of ``record``."""
        self.finished.append(time.perf_counter())
        self.records.append(record)
        if len(self.records) == self.runs:
            self.peak_memory_mb = peak_memory_mb()  # the workers are still there


def compare(job: Job) -> Measurement:
    """Make every run of the case with ``job.workers`` workers, one thread each.

    Raises:
        EnvironmentFailure: if a run was not trained to its end.
    """
    parts, said = prepared(job.case)
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="regzoo-") as temporary:
        folder = Path(temporary) / job.case.name
        runner.run_comparison(
            job.case.experiment(),
            lambda: parts,
            folder,
            workers=job.workers,
            fresh=False,
            progress=clock,
            command="regzoo bench",
        )
        for record in clock.records:
            if record.status != "ok":
                raise EnvironmentFailure(f"a run {record.status}: {record.run.recipe_text}: {record.error}")
        with Ledger(folder) as ledger:
            weights = ledger.weights(clock.records[-1].run.name)[1][0]
    return Measurement(
        data=said,
        train_rows=len(parts.train[0]),
        processes=max(job.workers, 1),
        threads=1,
        finished=tuple(clock.finished),
        fit_seconds=tuple(record.fit_seconds for record in clock.records),
        measure_seconds=tuple(record.measure_seconds for record in clock.records),
        epochs=clock.records[-1].epochs,
        steps=clock.records[-1].steps,
        weights=tuple(sorted(tuple(weight.shape) for weight in weights if weight.ndim)),
        peak_memory_mb=clock.peak_memory_mb,
    )
