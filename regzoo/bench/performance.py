"""Result: from what was measured to seconds, ratios and shares. Arithmetic only."""

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
class Figures:
    """What a way of training a case came to.

    Attributes:
        processes: that trained.
        threads: of each of them.
        runs: how many were made.
        extrapolated: whether the suite has more runs than were made.
        wall_seconds: measured: the process from its start to its end, ``runs`` runs.
        seconds_per_run: measured: from result to result, the first of each process left out.
        start_up_seconds: what is left of the wall time: imports, data, workers, the first trace.
        suite_seconds: start-up and all runs of the suite, those not made at ``seconds_per_run`` each.
        steps_per_second: optimizer steps, of all processes together.
        gflops: 10^9 operations a second spent in training steps.
        ceiling_share: the same as a share of the machine's matrix products.
        peak_memory_mb: of all processes together.
        measuring_ms: per run, of a finished model on all training, validation and test rows, which no stock way does.
        overhead_ms: per run and process, what is neither: later traces, transport, ledger, waiting.
        typical_overhead_ms: its median over the runs, so without traces; for one process.
        others_share: of all cores, taken by other programs meanwhile: near 0, or the times mean little.
        work: what was done; equal in all ways.
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
class Row:
    """A way, and its figures if it could be measured.

    Attributes:
        way: which.
        figures: None unless ``status`` is ok.
        status: ``ok``, ``unavailable`` (something is not installed) or ``failed``.
        reason: why it is not ok.
    """

    way: Way
    figures: Figures | None
    status: str = "ok"
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values on one level, for JSON; without figures they are None."""
        absent = dict.fromkeys(field.name for field in dataclasses.fields(Figures))
        figures = absent if self.figures is None else dataclasses.asdict(self.figures)
        return {"way": self.way.name, "title": self.way.title, "status": self.status, "reason": self.reason, **figures}


def figures(case: Case, measured: Measurement, outside: ProcessUsage, ceiling: float) -> Figures:
    """What one way comes to.

    Args:
        case: what was trained.
        measured: what its process found.
        outside: that process, as it was seen from outside.
        ceiling: 10^9 operations a second of the machine's matrix products.
    """
    each = seconds_per_run(measured.finished, measured.processes)
    runs, wall = len(measured.finished), outside.seconds
    gflops = PASSES * case.forward_flops * measured.train_rows * measured.epochs / each / 1e9
    return Figures(
        processes=measured.processes,
        threads=measured.threads,
        runs=runs,
        extrapolated=runs < SUITE,
        wall_seconds=wall,
        seconds_per_run=each,
        start_up_seconds=wall - runs * each,
        suite_seconds=wall + (SUITE - runs) * each,
        steps_per_second=measured.steps / each,
        gflops=gflops,
        ceiling_share=gflops / ceiling,
        peak_memory_mb=measured.peak_memory_mb,
        measuring_ms=_measuring(measured),
        overhead_ms=_overhead(measured, each),
        typical_overhead_ms=_typical_overhead(measured),
        others_share=outside.others,
        work=measured.work,
    )


def seconds_per_run(finished: Sequence[float], processes: int) -> float:
    """Seconds from result to result, once every process has had its first.

    >>> seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0], processes=2)
    1.1666666666666667
    """
    return (finished[-1] - finished[processes - 1]) / (len(finished) - processes)


def _measuring(measured: Measurement) -> float | None:
    later = measured.measure_seconds[measured.processes :]
    return 1e3 * statistics.fmean(later) if later else None


def _overhead(measured: Measurement, each: float) -> float | None:
    later = _worked(measured)[measured.processes :]
    return 1e3 * (measured.processes * each - statistics.fmean(later)) if later else None


def _typical_overhead(measured: Measurement) -> float | None:
    worked = _worked(measured)
    if not worked or measured.processes > 1:
        return None
    gaps = [later - earlier for earlier, later in itertools.pairwise(measured.finished)]
    return 1e3 * statistics.median(gap - work for gap, work in zip(gaps, worked[1:], strict=True))


def _worked(measured: Measurement) -> list[float]:
    """Seconds that each run trained and was measured."""
    return [fit + measure for fit, measure in zip(measured.fit_seconds, measured.measure_seconds, strict=True)]


def ratios(rows: Sequence[Row]) -> Ratios:
    """``ratios[one][other]``: how many times as fast ``one`` is as ``other``, for the ``suite`` and for a ``run``."""
    measured = {row.way.name: row.figures for row in rows if row.figures is not None}
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


def same_work(rows: Sequence[Row]) -> bool:
    """True if every way that was measured trained the same network on as many rows for as many steps and epochs."""
    works = [row.figures.work for row in rows if row.figures is not None]
    return all(work == works[0] for work in works)
