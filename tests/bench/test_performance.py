"""Seconds, ratios and shares, worked by hand."""

from __future__ import annotations

import dataclasses
import json

import pytest

from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.performance import (
    Performance,
    WayResult,
    compute_performance,
    compute_ratios,
    compute_seconds_per_run,
    is_same_work,
)
from regzoo.bench.plan import ALL, CASES, FIT, ONE, SUITE

CASE = CASES["digits"]  # 168,960 operations forward
FITTED = Measurement(
    data="digits",
    train_rows=1000,
    processes=1,
    threads=2,
    finished=(9.0, 11.0, 13.0),
    fit_seconds=(),
    measure_seconds=(),
    epochs=50,
    steps=1600,
    weights=((10,), (256, 10)),
    peak_memory_mb=700.0,
)


def test_a_sample_of_fit_by_hand() -> None:
    performance = compute_performance(CASE, FITTED, ProcessUsage(14.0, 0.25), ceiling=100.0)
    assert performance.seconds_per_run == 2.0  # 9 to 13 s, two runs
    assert performance.start_up_seconds == 14.0 - 3 * 2.0
    assert performance.suite_seconds == 14.0 + (SUITE - 3) * 2.0 == performance.start_up_seconds + SUITE * 2.0
    assert (performance.runs, performance.extrapolated) == (3, True)
    assert performance.steps_per_second == 800.0
    # three passes over 1,000 rows in 50 epochs: 25.344e9 operations in 2 s
    assert performance.gflops == pytest.approx(12.672, rel=1e-12)
    assert performance.ceiling_share == pytest.approx(0.12672, rel=1e-12)
    assert (performance.measuring_ms, performance.overhead_ms, performance.typical_overhead_ms) == (None, None, None)
    assert performance.others_share == 0.25


def test_a_whole_suite_is_not_extrapolated() -> None:
    whole = dataclasses.replace(FITTED, finished=tuple(float(second) for second in range(SUITE)))
    performance = compute_performance(CASE, whole, ProcessUsage(50.0, None), ceiling=100.0)
    assert not performance.extrapolated
    assert performance.suite_seconds == 50.0
    assert performance.start_up_seconds == 50.0 - SUITE * 1.0


def test_with_two_processes_the_first_result_of_each_is_left_out() -> None:
    assert compute_seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0, 14.5], processes=2) == 1.0
    assert compute_seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0, 14.5], processes=1) == 0.9


def test_overhead_is_what_is_neither_training_nor_measuring() -> None:
    one = dataclasses.replace(
        FITTED, finished=(5.0, 6.0, 7.0, 9.0), fit_seconds=(0.7, 0.8, 0.5, 0.8), measure_seconds=(0.2, 0.1, 0.3, 0.2)
    )
    performance = compute_performance(CASE, one, ProcessUsage(10.0, 0.0), ceiling=100.0)
    assert performance.measuring_ms == pytest.approx(200.0)
    # gaps of 1, 1 and 2 s with 0.9, 0.8 and 1 s of training and measuring: 0.1, 0.2 and 1 s are left
    assert performance.overhead_ms == pytest.approx(1e3 * (0.1 + 0.2 + 1.0) / 3)
    assert performance.typical_overhead_ms == pytest.approx(200.0)
    two = dataclasses.replace(one, processes=2)
    performance = compute_performance(CASE, two, ProcessUsage(10.0, 0.0), ceiling=100.0)
    # 1.5 s a run, on each of two processes; 0.8 and 1 s of training and measuring
    assert performance.overhead_ms == pytest.approx(1e3 * (2 * 1.5 - 0.9))
    assert performance.typical_overhead_ms is None


def results() -> list[WayResult]:
    fitted = compute_performance(CASE, FITTED, ProcessUsage(14.0, 0.25), ceiling=100.0)
    own: Performance = dataclasses.replace(fitted, suite_seconds=52.0, seconds_per_run=0.5)
    return [WayResult(FIT, fitted), WayResult(ONE, own), WayResult(ALL, None, "failed", "it ran out of luck")]


def test_ratios_of_suites_and_runs() -> None:
    ratios = compute_ratios(results())
    assert ratios == {  # suites of 208 and 52 s, runs of 2 and 0.5 s
        "fit": {"regzoo_1": {"suite": 0.25, "run": 0.25}},
        "regzoo_1": {"fit": {"suite": 4.0, "run": 4.0}},
    }


def test_other_work_is_noticed() -> None:
    fit, own, failed = results()
    assert is_same_work([fit, own, failed])
    assert own.performance is not None
    for key, value in (("steps", 1599), ("epochs", 49), ("train_rows", 999), ("weights", [[10]])):
        other = WayResult(ONE, dataclasses.replace(own.performance, work={**own.performance.work, key: value}))
        assert not is_same_work([fit, other]), key


def test_a_way_without_performance_has_the_same_fields() -> None:
    fit, _, failed = (row.to_dict() for row in results())
    assert fit.keys() == failed.keys()
    assert (failed["way"], failed["status"], failed["reason"]) == ("regzoo_all", "failed", "it ran out of luck")
    assert {failed[key] for key in failed if key not in ("way", "title", "status", "reason")} == {None}


def test_what_was_measured_survives_json() -> None:
    assert Measurement.from_dict(json.loads(json.dumps(FITTED.to_dict()))) == FITTED
