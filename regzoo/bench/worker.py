"""Process: what `measure` starts: it reads a job, measures, and writes what it found. One process, one job."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import ALL, FIT, KERAS_TUNER, ONE, TUNED, Case, Job
from regzoo.execution.tf_runtime import import_tensorflow

CEILING = "ceiling"
"""The job that trains nothing: how fast are matrix products here?"""


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Measure ``job``, in this process."""
    if job["way"] == CEILING:
        import_tensorflow()
        from regzoo.bench.machine import ceiling_gflops

        return {"gflops": ceiling_gflops()}
    way = own() if job["way"] in (ONE.name, ALL.name) else stock()[job["way"]]
    return way(Job(**{**job, "case": Case.from_dict(job["case"])})).to_dict()


def own() -> Callable[[Job], Measurement]:
    """The way that regzoo trains; it imports TensorFlow while its workers start."""
    from regzoo.bench.regzoo_runner import compare

    return compare


def stock() -> dict[str, Callable[[Job], Measurement]]:
    """The ways that Keras trains, by name."""
    import_tensorflow()
    from regzoo.bench.keras_runner import fit, keras_tuner, tuned

    return {KERAS_TUNER.name: keras_tuner, FIT.name: fit, TUNED.name: tuned}


if __name__ == "__main__":
    asked, found = map(Path, sys.argv[1:])
    found.write_text(json.dumps(answer(json.loads(asked.read_text(encoding="utf-8")))), encoding="utf-8")
