"""Train a case with regzoo: workers, plan and ledger as in `regzoo compare`, but no report."""

from __future__ import annotations

import time
from typing import Any

from regzoo.bench.data import prepare_rows
from regzoo.bench.machine import measure_peak_memory_mb
from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import OWN, Job
from regzoo.comparison.plan import Plan
from regzoo.comparison.progress import SilentProgress
from regzoo.comparison.runner import run_comparison
from regzoo.config import Experiment
from regzoo.config.sections import BackboneConfig
from regzoo.core import EnvironmentFailure
from regzoo.storage.ledger import Ledger
from regzoo.system.temporary_folder import temporary_folder
from regzoo.training.records import Record


class RunTimer(SilentProgress):
    """Records when each run reaches the ledger, and the peak memory when the last one does."""

    def __init__(self) -> None:
        self.runs = 0
        self.finished: list[float] = []
        self.records: list[Record] = []
        self.peak_memory_mb: float | None = None

    def start(self, plan: Plan) -> None:
        """Take the number of runs from the plan."""
        self.runs = plan.runs

    def update(self, record: Record, repeated: bool) -> None:
        """Record the time at which the run was finished."""
        self.finished.append(time.perf_counter())
        self.records.append(record)
        if len(self.records) == self.runs:
            self.peak_memory_mb = measure_peak_memory_mb()  # while the workers are still running


def make_experiment(job: Job) -> Experiment:
    """Return the experiment of a job; in one of the ways its network is a Keras model, built by a function."""
    experiment = job.case.make_experiment()
    if job.way != OWN.name:
        return experiment

    def build(input_shape: Any, outputs: int) -> Any:
        from regzoo.bench.keras_runner import build_network

        return build_network(job.case)

    return experiment.model_copy(update={"backbone": BackboneConfig(given=build)})


def run_regzoo(job: Job) -> Measurement:
    """Make every run of the case with ``job.workers`` workers, one thread each.

    Raises:
        EnvironmentFailure: if a run diverged or failed.
    """
    rows, source = prepare_rows(job.case)
    timer = RunTimer()
    with temporary_folder() as temporary:
        folder = temporary / job.case.name
        run_comparison(
            make_experiment(job),
            lambda _: rows,
            folder,
            workers=job.workers,
            fresh=False,
            progress=timer,
            command="regzoo bench",
        )
        for record in timer.records:
            if record.status != "ok":
                raise EnvironmentFailure(f"a run {record.status}: {record.run.recipe_text}: {record.error}")
        with Ledger(folder) as ledger:
            weights = ledger.load_best_replicate(timer.records[-1].run.name)[1][0]
    return Measurement(
        data=source,
        train_rows=len(rows.train[0]),
        processes=max(job.workers, 1),
        threads=1,
        finished=tuple(timer.finished),
        fit_seconds=tuple(record.fit_seconds for record in timer.records),
        measure_seconds=tuple(record.measure_seconds for record in timer.records),
        epochs=timer.records[-1].epochs,
        steps=timer.records[-1].steps,
        weights=tuple(sorted(tuple(weight.shape) for weight in weights if weight.ndim)),
        peak_memory_mb=timer.peak_memory_mb,
    )
