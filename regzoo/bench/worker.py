"""Measure one job, in the process that the launcher starts: ``python -m regzoo.bench.worker JOB RESULT``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from regzoo.bench.measurement import Measurement
from regzoo.bench.plan import ALL, FIT, KERAS_TUNER, ONE, OWN, TUNED, Case, Job
from regzoo.execution.tf_runtime import import_tensorflow

CEILING = "ceiling"
"""The job that trains nothing and measures the machine's matrix products."""

Runner = Callable[[Job], Measurement]


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    """Measure ``job`` in this process and return the result; both are plain values, for JSON."""
    if job["way"] == CEILING:
        import_tensorflow()
        from regzoo.bench.machine import measure_matmul_gflops

        return {"gflops": measure_matmul_gflops()}
    run = find_runner(job["way"])
    return run(Job(**{**job, "case": Case.from_dict(job["case"])})).to_dict()


def find_runner(way: str) -> Runner:
    """Return the function that trains in this way; for Keras's ways this imports TensorFlow."""
    if way in (ONE.name, OWN.name, ALL.name):
        from regzoo.bench.regzoo_runner import run_regzoo  # its workers start while it imports TensorFlow

        return run_regzoo
    import_tensorflow()
    from regzoo.bench import keras_runner

    runners = {
        KERAS_TUNER.name: keras_runner.run_keras_tuner,
        FIT.name: keras_runner.run_fit,
        TUNED.name: keras_runner.run_tuned_fit,
    }
    return runners[way]


if __name__ == "__main__":
    job_file, result_file = map(Path, sys.argv[1:])
    result_file.write_text(json.dumps(run_job(json.loads(job_file.read_text(encoding="utf-8")))), encoding="utf-8")
