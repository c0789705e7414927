"""Compute seconds, speed ratios and shares from measurements. Arithmetic only."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.plan import PASSES, SUITE, Case, Way

Ratios = dict[str, dict[str, dict[str, float]]]


@dataclass(frozen=True)
class Performance:
    """Speed of a way of training, and its use of the machine.

    Attributes:
        processes: number of processes that trained.
        threads: threads of each process.
        runs: number of runs that were made.
        extrapolated: whether the suite has more runs than were made.
        wall_seconds: measured time from the start of the process to its end, for ``runs`` runs.
        seconds_per_run: measured time from result to result, without the first result of each process.
        start_up_seconds: the rest of the wall time: imports, data, start of workers, the first trace.
        suite_seconds: start-up and all runs of the suite; a run that was not made counts ``seconds_per_run``.
        steps_per_second: optimizer steps per second, all processes together.
        gflops: 10^9 operations per second spent in training steps.
        ceiling_share: ``gflops`` as a share of the machine's matrix products.
        peak_memory_mb: peak memory of all processes together.
        measuring_ms: milliseconds per run to measure a finished model on all rows; None for Keras's ways, which do
            not measure it.
        overhead_ms: milliseconds per run and process that are neither training nor measuring: later traces,
            transport, ledger, waiting.
        typical_overhead_ms: median of the overhead over the runs, thus without traces; only for one process.
        others_share: share of all cores that other programs took meanwhile; unless it is near 0, times mean little.
        work: amount of work, equal in all ways.
    """

    processes: int
    threads: int
    runs: int
    extrapolated: bool
    wall_seconds: float
    seconds_per_run: float
    start_up_seconds: float
    suite_seconds: float
    steps_per_second: float
    gflops: float
    ceiling_share: float
    peak_memory_mb: float | None
    measuring_ms: float | None
    overhead_ms: float | None
    typical_overhead_ms: float | None
    others_share: float | None
    work: dict[str, Any]


@dataclass(frozen=True)
class WayResult:
    """A way of training, and its performance if it could be measured.

    Attributes:
        way: the way of training.
        performance: None unless ``status`` is ok.
        status: ``ok``, ``unavailable`` (a package is not installed) or ``failed``.
        reason: why it is not ok; None if it is.
    """

    way: Way
    performance: Performance | None
    status: str = "ok"
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values on one level, for JSON; those of the performance are None if there is none."""
        if self.performance is None:
            values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Performance))
        else:
            values = dataclasses.asdict(self.performance)
        return {"way": self.way.name, "title": self.way.title, "status": self.status, "reason": self.reason, **values}


def compute_performance(case: Case, measurement: Measurement, usage: ProcessUsage, ceiling: float) -> Performance:
    """Return the performance of one way.

    Args:
        case: the case that was trained.
        measurement: what the process measured.
        usage: what the process used.
        ceiling: speed of the machine's matrix products, in 10^9 operations per second.
    """
    each = compute_seconds_per_run(measurement.finished, measurement.processes)
    runs, wall = len(measurement.finished), usage.seconds
    gflops = PASSES * case.forward_flops * measurement.train_rows * measurement.epochs / each / 1e9
    return Performance(
        processes=measurement.processes,
        threads=measurement.threads,
        runs=runs,
        extrapolated=runs < SUITE,
        wall_seconds=wall,
        seconds_per_run=each,
        start_up_seconds=wall - runs * each,
        suite_seconds=wall + (SUITE - runs) * each,
        steps_per_second=measurement.steps / each,
        gflops=gflops,
        ceiling_share=gflops / ceiling,
        peak_memory_mb=measurement.peak_memory_mb,
        measuring_ms=_compute_measuring_ms(measurement),
        overhead_ms=_compute_overhead_ms(measurement, each),
        typical_overhead_ms=_compute_typical_overhead_ms(measurement),
        others_share=usage.others,
        work=measurement.work,
    )


def compute_seconds_per_run(finished: Sequence[float], processes: int) -> float:
    """Return the seconds from result to result, once every process has had its first.

    >>> compute_seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0], processes=2)
    1.1666666666666667
    """
    return (finished[-1] - finished[processes - 1]) / (len(finished) - processes)


def _compute_measuring_ms(measurement: Measurement) -> float | None:
    later = measurement.measure_seconds[measurement.processes :]
    return 1e3 * statistics.fmean(later) if later else None


def _compute_overhead_ms(measurement: Measurement, each: float) -> float | None:
    later = _list_work_seconds(measurement)[measurement.processes :]
    return 1e3 * (measurement.processes * each - statistics.fmean(later)) if later else None


def _compute_typical_overhead_ms(measurement: Measurement) -> float | None:
    work_seconds = _list_work_seconds(measurement)
    if not work_seconds or measurement.processes > 1:
        return None
    gaps = [later - earlier for earlier, later in itertools.pairwise(measurement.finished)]
    return 1e3 * statistics.median(gap - work for gap, work in zip(gaps, work_seconds[1:], strict=True))


def _list_work_seconds(measurement: Measurement) -> list[float]:
    """Return the seconds that each run was trained and measured."""
    return [fit + measure for fit, measure in zip(measurement.fit_seconds, measurement.measure_seconds, strict=True)]


def compute_ratios(results: Sequence[WayResult]) -> Ratios:
    """Return how many times as fast as each other way a way is, per ``suite`` and ``run``: ``ratios[way][other]``."""
    measured = {result.way.name: result.performance for result in results if result.performance is not None}
    return {
        name: {
            other: {
                "suite": theirs.suite_seconds / ours.suite_seconds,
                "run": theirs.seconds_per_run / ours.seconds_per_run,
            }
            for other, theirs in measured.items()
            if other != name
        }
        for name, ours in measured.items()
    }


def is_same_work(results: Sequence[WayResult]) -> bool:
    """Return True if all measured ways trained the same network on as many rows for as many steps and epochs."""
    amounts = [result.performance.work for result in results if result.performance is not None]
    return all(work == amounts[0] for work in amounts)
