"""Run the benchmark: every case in every way, one process after the other, and report speeds and ratios."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regzoo.bench.launcher import measure_job, measure_matmul_gflops
from regzoo.bench.machine import describe_machine
from regzoo.bench.performance import WayResult, compute_performance, compute_ratios, is_same_work
from regzoo.bench.plan import PASSES, SUITE, Case, Job, Way, make_jobs
from regzoo.core.errors import EnvironmentFailure, InputError, UnavailableError
from regzoo.core.formatting import format_percent
from regzoo.execution.keras_settings import require_keras_settings
from regzoo.system.atomic import describe_failed_write
from regzoo.system.lock import lock_path
from regzoo.system.replace import OutputKind, replace_output, require_replaceable

BUSY = 0.05
"""Share of all cores that other programs may take before the report warns of them."""

NOTES = [
    f"A suite is {SUITE} runs, with the start-up. * fewer runs were made; the missing ones are counted at the measured "
    "seconds per run.",
    "Seconds per run: from result to result, all processes together, without the first run of each process.",
    "Every way: same rows, network, Adam, batches, epochs, validation after each epoch. regzoo also computes five "
    "metrics on the training rows, measures each finished model on all rows (the column `measuring`; no other way does "
    "it), and stores records and weights in its ledger; its report is left out.",
    "regzoo, own model: the same network as a Keras model in place of the named backbone, 1 worker.",
    "Ceiling: operations of the training steps (three forward passes of dense and convolutional layers) as a share of "
    "the machine's float32 matrix products; validation and dropout are not counted as operations.",
    "Memory: the sum of the peaks of all processes; memory that they share counts several times.",
]
"""Notes that explain a report."""


def run_benchmark(
    cases: Sequence[Case], quick: bool, notify: Callable[[str], None], out: Path | None = None
) -> dict[str, Any]:
    """Measure ``cases``; return the report, which is written to ``out`` after each case.

    Args:
        cases: cases from `regzoo.bench.plan.choose_cases`.
        quick: whether these are the short cases, as the report then notes.
        notify: called with a line before each measurement.
        out: the JSON file to write.

    Raises:
        InputError: if ``out`` is a folder, or another file; nothing is measured then.
        EnvironmentFailure: if ``out`` cannot be written, or not even matrix products can be measured.
    """
    require_keras_settings()
    if out is not None:
        _require_writable(out)
    began = time.monotonic()
    machine = describe_machine()
    notify("the machine's matrix products")
    ceiling = measure_matmul_gflops()
    report: dict[str, Any] = {
        "quick": quick,
        "machine": {**machine, "ceiling_gflops": ceiling},
        "suite": SUITE,
        "seconds": 0.0,
        "notes": NOTES,
        "cases": [],
    }
    for case in cases:
        report["cases"].append(_measure_case(case, ceiling, notify))
        report["seconds"] = time.monotonic() - began
        report["notes"] = [*find_disturbance(report), *NOTES]
        if out is not None:
            replace_output(out, (json.dumps(report, indent=2, allow_nan=False) + "\n").encode("utf-8"), REPORT)
    return report


def list_problems(report: dict[str, Any]) -> list[str]:
    """Return a sentence for each way that failed, and for each case whose ways did not do the same work."""
    failed = [(case, way) for case in report["cases"] for way in case["ways"] if way["status"] == "failed"]
    unequal = [case for case in report["cases"] if not case["same_work"]]
    return [
        *(f"{case['name']}: {way['title']}: {way['reason']}" for case, way in failed),
        *(f"{case['name']}: the ways did not do the same work, so their times cannot be compared" for case in unequal),
    ]


def find_disturbance(report: dict[str, Any]) -> list[str]:
    """Return a sentence if other programs took many of the cores, else nothing."""
    shares = [way["others_share"] or 0.0 for case in report["cases"] for way in case["ways"]]
    largest = max(shares, default=0.0)
    if largest <= BUSY:
        return []
    return [f"Other programs took up to {format_percent(largest, unit='%')} of the cores: these times are unreliable."]


def _measure_case(case: Case, ceiling: float, notify: Callable[[str], None]) -> dict[str, Any]:
    results, sources = [], set()
    for way, job in make_jobs(case, os.cpu_count() or 1):
        notify(f"{case.name}: {way.title}, {job.runs} of {SUITE} runs")
        result, source = _measure_way(way, job, ceiling)
        results.append(result)
        sources |= {source} - {""}
    return {
        **dataclasses.asdict(case),
        "backbone": case.make_experiment().backbone,
        "source": "; ".join(sorted(sources)),
        "forward_flops": case.forward_flops,
        "step_flops": PASSES * case.forward_flops * case.batch_size,
        "same_work": is_same_work(results),
        "ways": [result.to_dict() for result in results],
        "ratios": compute_ratios(results),
    }


def _measure_way(way: Way, job: Job, ceiling: float) -> tuple[WayResult, str]:
    """Return the result and the source of the rows; without a measurement the source is empty."""
    try:
        measurement, usage = measure_job(job)
    except EnvironmentFailure as error:
        status = "unavailable" if isinstance(error, UnavailableError) else "failed"
        return WayResult(way, None, status, str(error)), ""
    return WayResult(way, compute_performance(job.case, measurement, usage, ceiling)), measurement.data


def _require_writable(out: Path) -> None:
    """Raise now, not after ten minutes, if ``out`` cannot be written."""
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder; give a file such as {out / 'bench.json'}")
    require_replaceable(out, REPORT)
    target = out.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(describe_failed_write(out, error)) from None
    with lock_path(target):
        pass


def is_report(content: bytes) -> bool:
    """Return whether a file holds a report that `run_benchmark` wrote."""
    try:
        report = json.loads(content)
    except ValueError:
        return False
    return isinstance(report, dict) and list(report) == KEYS


KEYS = ["quick", "machine", "suite", "seconds", "notes", "cases"]
"""Keys of a report."""

REPORT = OutputKind("benchmark report", is_report)
