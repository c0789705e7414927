"""Seconds, ratios and shares, by hand."""

from __future__ import annotations

import dataclasses
import json

import pytest

from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.plan import ALL, CASES, FIT, ONE, SUITE
from regzoo.bench.result import Figures, Row, figures, ratios, same_work, seconds_per_run

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
    found = figures(CASE, FITTED, ProcessUsage(14.0, 0.25), ceiling=100.0)
    assert found.seconds_per_run == 2.0  # 9 to 13 s, two runs
    assert found.start_up_seconds == 14.0 - 3 * 2.0
    assert found.suite_seconds == 14.0 + (SUITE - 3) * 2.0 == found.start_up_seconds + SUITE * 2.0
    assert (found.runs, found.extrapolated) == (3, True)
    assert found.steps_per_second == 800.0
    # three passes over 1,000 rows in 50 epochs: 25.344e9 operations in 2 s
    assert found.gflops == pytest.approx(12.672, rel=1e-12)
    assert found.ceiling_share == pytest.approx(0.12672, rel=1e-12)
    assert (found.measuring_ms, found.overhead_ms, found.typical_overhead_ms) == (None, None, None)
    assert found.others_share == 0.25


def test_a_whole_suite_is_not_extrapolated() -> None:
    whole = dataclasses.replace(FITTED, finished=tuple(float(second) for second in range(SUITE)))
    found = figures(CASE, whole, ProcessUsage(50.0, None), ceiling=100.0)
    assert not found.extrapolated
    assert found.suite_seconds == 50.0
    assert found.start_up_seconds == 50.0 - SUITE * 1.0


def test_with_two_processes_the_first_result_of_each_is_left_out() -> None:
    assert seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0, 14.5], processes=2) == 1.0
    assert seconds_per_run([10.0, 10.5, 12.0, 12.5, 14.0, 14.5], processes=1) == 0.9


def test_overhead_is_what_is_neither_training_nor_measuring() -> None:
    one = dataclasses.replace(
        FITTED, finished=(5.0, 6.0, 7.0, 9.0), fit_seconds=(0.7, 0.8, 0.5, 0.8), measure_seconds=(0.2, 0.1, 0.3, 0.2)
    )
    found = figures(CASE, one, ProcessUsage(10.0, 0.0), ceiling=100.0)
    assert found.measuring_ms == pytest.approx(200.0)
    # gaps of 1, 1 and 2 s with .9, .8 and 1 s of training and measuring: .1, .2 and 1 s are left
    assert found.overhead_ms == pytest.approx(1e3 * (0.1 + 0.2 + 1.0) / 3)
    assert found.typical_overhead_ms == pytest.approx(200.0)
    two = dataclasses.replace(one, processes=2)
    found = figures(CASE, two, ProcessUsage(10.0, 0.0), ceiling=100.0)
    # 1.5 s a run, on each of two processes; .8 and 1 s of training and measuring
    assert found.overhead_ms == pytest.approx(1e3 * (2 * 1.5 - 0.9))
    assert found.typical_overhead_ms is None


def rows() -> list[Row]:
    fitted = figures(CASE, FITTED, ProcessUsage(14.0, 0.25), ceiling=100.0)
    own: Figures = dataclasses.replace(fitted, suite_seconds=52.0, seconds_per_run=0.5)
    return [Row(FIT, fitted), Row(ONE, own), Row(ALL, None, "failed", "it ran out of luck")]


def test_ratios_of_suites_and_runs() -> None:
    found = ratios(rows())
    assert found == {  # suites of 208 and 52 s, runs of 2 and .5 s
        "fit": {"regzoo_1": {"suite": 0.25, "run": 0.25}},
        "regzoo_1": {"fit": {"suite": 4.0, "run": 4.0}},
    }


def test_other_work_is_noticed() -> None:
    fit, own, failed = rows()
    assert same_work([fit, own, failed])
    assert own.figures is not None
    for key, value in (("steps", 1599), ("epochs", 49), ("train_rows", 999), ("weights", [[10]])):
        other = Row(ONE, dataclasses.replace(own.figures, work={**own.figures.work, key: value}))
        assert not same_work([fit, other]), key


def test_a_row_without_figures_has_the_same_fields() -> None:
    fit, _, failed = (row.to_dict() for row in rows())
    assert fit.keys() == failed.keys()
    assert (failed["way"], failed["status"], failed["reason"]) == ("regzoo_all", "failed", "it ran out of luck")
    assert {failed[key] for key in failed if key not in ("way", "title", "status", "reason")} == {None}


def test_what_was_measured_survives_json() -> None:
    assert Measurement.from_dict(json.loads(json.dumps(FITTED.to_dict()))) == FITTED
