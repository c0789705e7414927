"""Bench: every case in every way, one process after the other, and what they come to."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from regzoo.bench import machine
from regzoo.bench.measure import ceiling_gflops, measure
from regzoo.bench.plan import PASSES, SUITE, Case, Job, Way, jobs
from regzoo.bench.result import Row, figures, ratios, same_work
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import UnavailableError
from regzoo.storage.folder import write_text_atomic

BUSY = 0.05
"""Share of all cores from which other programs are in the way."""

NOTES = [
    f"A suite is {SUITE} runs, start-up counted. * fewer runs were made; the others are counted at the seconds per run "
    "that were measured.",
    "Seconds per run: from result to result, all processes together, the first run of each left out.",
    "Every way: same rows, network, Adam, batches, epochs, validation after each epoch. regzoo also measures five "
    "metrics on the training part, measures each finished model on all rows (told apart from its overhead; no other "
    "way does it), and keeps records and weights in its ledger; its report is left out.",
    "Ceiling: operations of the training steps (three forward passes of dense and convolutional layers) as a share of "
    "the machine's float32 matrix products; validation and dropout are not counted as operations.",
    "Memory: the peaks of all processes added up; what they share counts several times.",
]
"""How to read a report."""


def run(cases: Sequence[Case], quick: bool, tell: Callable[[str], None], out: Path | None = None) -> dict[str, Any]:
    """Measure ``cases`` and return the report; it is written to ``out`` after each case.

    Args:
        cases: from `regzoo.bench.plan.chosen`.
        quick: whether they are the shortened ones; the report says so.
        tell: is told what is measured now.
        out: a JSON file.

    Raises:
        InputError: if ``out`` is a folder.
        OSError: if ``out`` cannot be written; nothing is measured then.
        EnvironmentFailure: if not even matrix products can be measured.
    """
    if out is not None:
        _make_sure_of(out)
    began = time.monotonic()
    facts = machine.facts()
    tell("the machine's matrix products")
    ceiling = ceiling_gflops()
    report: dict[str, Any] = {
        "quick": quick,
        "machine": {**facts, "ceiling_gflops": ceiling},
        "suite": SUITE,
        "seconds": 0.0,
        "notes": NOTES,
        "cases": [],
    }
    for case in cases:
        report["cases"].append(_case(case, ceiling, tell))
        report["seconds"] = time.monotonic() - began
        report["notes"] = [*disturbed(report), *NOTES]
        if out is not None:
            write_text_atomic(out, json.dumps(report, indent=2, allow_nan=False) + "\n")
    return report


def failed(report: dict[str, Any]) -> list[str]:
    """What went wrong: a sentence for each way that failed, and for each case whose ways did not do the same."""
    ways = [(case, way) for case in report["cases"] for way in case["ways"] if way["status"] == "failed"]
    unequal = [case for case in report["cases"] if not case["same_work"]]
    return [
        *(f"{case['name']}: {way['title']}: {way['reason']}" for case, way in ways),
        *(f"{case['name']}: the ways did not do the same work, so their times cannot be compared" for case in unequal),
    ]


def disturbed(report: dict[str, Any]) -> list[str]:
    """A sentence if other programs were in the way."""
    shares = [way["others_share"] or 0.0 for case in report["cases"] for way in case["ways"]]
    most = max(shares, default=0.0)
    return [f"Other programs took up to {most:.0%} of the cores: these times mean little."] if most > BUSY else []


def _case(case: Case, ceiling: float, tell: Callable[[str], None]) -> dict[str, Any]:
    rows, sources = [], set()
    for way, job in jobs(case, os.cpu_count() or 1):
        tell(f"{case.name}: {way.title}, {job.runs} of {SUITE} runs")
        found, source = _row(way, job, ceiling)
        rows.append(found)
        sources |= {source} - {""}
    return {
        **dataclasses.asdict(case),
        "backbone": case.experiment().backbone,
        "source": "; ".join(sorted(sources)),
        "forward_flops": case.forward_flops,
        "step_flops": PASSES * case.forward_flops * case.batch_size,
        "same_work": same_work(rows),
        "ways": [found.to_dict() for found in rows],
        "ratios": ratios(rows),
    }


def _row(way: Way, job: Job, ceiling: float) -> tuple[Row, str]:
    try:
        measured, outside = measure(job)
    except EnvironmentFailure as error:
        status = "unavailable" if isinstance(error, UnavailableError) else "failed"
        return Row(way, None, status, str(error)), ""
    return Row(way, figures(job.case, measured, outside, ceiling)), measured.data


def _make_sure_of(out: Path) -> None:
    """Find out now, not after ten minutes, whether ``out`` can be written."""
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder; give a file such as {out / 'bench.json'}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=out.parent):
        pass
