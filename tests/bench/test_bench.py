"""The benchmark's report: its fields, file and tables, and the exit codes of the command."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from regzoo.bench import bench, plan
from regzoo.bench.measurement import Measurement, ProcessUsage
from regzoo.bench.plan import CASES, Case, Job
from regzoo.cli import app as cli
from regzoo.cli.tables.bench import make_bench_tables
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import UnavailableError

TINY = dataclasses.replace(
    CASES["digits"],
    rows=60,
    widths=(8,),
    epochs=1,
    rates=(0.5, 0.0),
    seeds=3,
    sampled=dict.fromkeys(CASES["digits"].sampled, 2),
)
SECONDS = {"keras_tuner": 8.0, "fit": 4.0, "tuned": 2.0, "regzoo_1": 1.0, "regzoo_own": 1.0, "regzoo_all": 0.5}
"""Of a run."""


def fake_measurement(job: Job) -> tuple[Measurement, ProcessUsage]:
    """The measurement of a process whose start-up took 10 s."""
    each, own = SECONDS[job.way], job.way.startswith("regzoo")
    finished = tuple(10.0 + each * (run + 1) for run in range(job.runs))
    training, measuring = ((share * each * job.workers,) * job.runs if own else () for share in (0.75, 0.05))
    weights = ((8,), (8, 10), (10,), (64, 8))
    measured = Measurement(
        "digits", 36, job.workers, 1 if own else 2, finished, training, measuring, 1, 2, weights, 500.0
    )
    return measured, ProcessUsage(finished[-1], 0.04)


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started; the machine has two cores."""
    monkeypatch.setattr(bench, "measure_job", fake_measurement)
    monkeypatch.setattr(bench, "measure_matmul_gflops", lambda: 100.0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(plan, "CASES", {"digits": TINY})


def run_tiny() -> tuple[dict[str, Any], list[str]]:
    """The report of the tiny case, and the lines that were printed meanwhile."""
    lines: list[str] = []
    return bench.run_benchmark([TINY], False, lines.append), lines


def test_the_report_has_every_field(faked: None) -> None:
    report, lines = run_tiny()
    assert set(report) == {"quick", "machine", "suite", "seconds", "notes", "cases"}
    assert set(report["machine"]) >= {"cores", "processor", "memory_gb", "versions", "load", "ceiling_gflops"}
    assert set(report["machine"]["versions"]) == {"regzoo", "tensorflow", "keras", "keras-tuner", "numpy"}
    (case,) = report["cases"]
    assert case.keys() >= {field.name for field in dataclasses.fields(Case)}
    assert (case["backbone"], case["source"], case["same_work"]) == ("mlp([8])", "digits", True)
    assert case["forward_flops"] == 2 * (64 * 8 + 8 * 10)
    assert case["step_flops"] == 3 * 32 * case["forward_flops"]
    assert [way["way"] for way in case["ways"]] == list(SECONDS)
    for way in case["ways"]:
        assert (way["status"], way["seconds_per_run"]) == ("ok", SECONDS[way["way"]])
    assert lines == [
        "the machine's matrix products",
        "digits: KerasTuner with fit, 2 of 100 runs",
        "digits: fit on arrays, 2 of 100 runs",
        "digits: fit, tuned, 2 of 100 runs",
        "digits: regzoo, 1 worker, 6 of 100 runs",
        "digits: regzoo, own model, 6 of 100 runs",
        "digits: regzoo, all workers, 6 of 100 runs",
    ]


def test_two_workers_are_compared_with_one_and_with_all_else(faked: None) -> None:
    found = run_tiny()[0]["cases"][0]["ratios"]
    assert found["regzoo_all"]["regzoo_1"] == {"suite": (10 + 100 * 1) / (10 + 100 * 0.5), "run": 2.0}
    assert found["regzoo_1"]["keras_tuner"] == {"suite": (10 + 100 * 8) / (10 + 100 * 1), "run": 8.0}
    assert {one: set(others) for one, others in found.items()} == {one: set(SECONDS) - {one} for one in SECONDS}


def test_the_tables_say_what_the_report_says(faked: None) -> None:
    console = Console(width=160)
    with console.capture() as caught:
        console.print(make_bench_tables(run_tiny()[0]))
    lines = [" ".join(line.split()) for line in caught.get().splitlines()]
    # 810 s; of which 10 s start-up; 2 steps in 8 s; 3 * 1,184 * 36 operations in 8 s of 1e11 round to nothing
    assert "KerasTuner with fit 1 x 2 810.0* 10.0 8.00 0.2 0.0 % 500 4%" in lines
    # 0.75 of 1 s is training, 0.05 measuring, so 200 ms are neither, in every run
    assert "regzoo, 1 worker 1 x 1 110.0* 10.0 1.00 2.0 0.0 % 500 4% 50 200 (200)" in lines
    assert "regzoo, all workers 13.50 (16.00) 6.83 (8.00) 3.50 (4.00) 1.83 (2.00) 1.83 (2.00) -" in lines


def test_the_file_is_written_after_each_case(faked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "new" / "bench.json"

    def interrupted(job: Job) -> tuple[Measurement, ProcessUsage]:
        if job.case.name == "second":
            raise KeyboardInterrupt
        return fake_measurement(job)

    monkeypatch.setattr(bench, "measure_job", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.run_benchmark([TINY, dataclasses.replace(TINY, name="second")], False, lambda _: None, out)
    assert [case["name"] for case in json.loads(out.read_text())["cases"]] == ["digits"]
    assert list(out.parent.iterdir()) == [out]


def test_a_folder_is_no_file(faked: None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--out: .* is a folder; give a file such as .*bench\.json"):
        bench.run_benchmark([TINY], False, lambda _: None, tmp_path)


def test_a_file_that_cannot_be_written_costs_no_ten_minutes(faked: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lines: list[str] = []
    with pytest.raises(InputError, match=r"bench\.json cannot be written: Not a directory; choose another path"):
        bench.run_benchmark([TINY], False, lines.append, tmp_path / "file" / "bench.json")
    assert lines == []


@pytest.mark.parametrize("content", ["", "[]", '{"results": [1, 2, 3]}', "{", '{"quick": true}'])
def test_another_file_is_refused_before_anything_is_measured(content: str, faked: None, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(content)
    lines: list[str] = []
    with pytest.raises(InputError, match=r"mine\.json exists and is not a benchmark report"):
        bench.run_benchmark([TINY], False, lines.append, tmp_path / "mine.json")
    assert (tmp_path / "mine.json").read_text() == content
    assert lines == []


def test_a_way_that_cannot_be_measured_leaves_the_others(faked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(job: Job) -> tuple[Measurement, ProcessUsage]:
        if job.way == "keras_tuner":
            raise UnavailableError("pip install 'regzoo[tensorboard]'")
        if job.way == "fit":
            raise EnvironmentFailure("it ran out of luck")
        return fake_measurement(job)

    monkeypatch.setattr(bench, "measure_job", some)
    report, _ = run_tiny()
    case = report["cases"][0]
    assert [way["status"] for way in case["ways"]] == ["unavailable", "failed", "ok", "ok", "ok", "ok"]
    assert set(case["ratios"]) == {"tuned", "regzoo_1", "regzoo_own", "regzoo_all"}
    assert bench.list_problems(report) == ["digits: fit on arrays: it ran out of luck"]
    console = Console(width=160)
    with console.capture() as caught:
        console.print(make_bench_tables(report))
    assert "KerasTuner with fit: pip install 'regzoo[tensorboard]'" in caught.get()


def test_ways_that_did_other_work_are_no_comparison(faked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def lazy(job: Job) -> tuple[Measurement, ProcessUsage]:
        measured, wall = fake_measurement(job)
        return (dataclasses.replace(measured, steps=1) if job.way == "tuned" else measured), wall

    monkeypatch.setattr(bench, "measure_job", lazy)
    report, _ = run_tiny()
    assert not report["cases"][0]["same_work"]
    assert bench.list_problems(report) == [
        "digits: the ways did not do the same work, so their times cannot be compared"
    ]


def test_the_report_warns_of_other_programs(faked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.find_disturbance(run_tiny()[0]) == []
    monkeypatch.setattr(bench, "measure_job", lambda job: (fake_measurement(job)[0], ProcessUsage(50.0, 0.06)))
    report, _ = run_tiny()
    assert report["notes"][0] == "Other programs took up to 6% of the cores: these times are unreliable."
    monkeypatch.setattr(bench, "measure_job", lambda job: (fake_measurement(job)[0], ProcessUsage(50.0, None)))
    assert bench.find_disturbance(run_tiny()[0]) == []


# --- the command


def call_bench(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["regzoo", "bench", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


def test_the_command_prints_the_tables_and_writes_the_file(
    faked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bench.json"
    assert call_bench("--case", "digits", "--out", out, monkeypatch=monkeypatch) == 0
    assert re.search(r"regzoo, all workers .*60\.0\*", capsys.readouterr().out)
    assert call_bench("--case", "digits", "--out", out, "--json", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())


def test_the_command_fails_if_a_way_does(
    faked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(job: Job) -> tuple[Measurement, ProcessUsage]:
        raise EnvironmentFailure("it ran out of luck")

    monkeypatch.setattr(bench, "measure_job", broken)
    assert call_bench("--out", tmp_path / "bench.json", monkeypatch=monkeypatch) == 1
    assert "digits: fit on arrays: it ran out of luck" in capsys.readouterr().err


def test_a_case_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call_bench("--case", "digit", monkeypatch=monkeypatch) == 2
    assert "Did you mean 'digits'?" in capsys.readouterr().err


def test_the_process_that_waits_imports_no_tensorflow() -> None:
    script = (
        "import sys; from regzoo.bench import bench, plan; bench.describe_machine(); plan.choose_cases([], True)\n"
        "print(*{name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'keras_tuner'})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.slow
def test_the_real_thing(tmp_path: Path) -> None:
    case = dataclasses.replace(TINY, data="fashion_mnist", input_shape=(28, 28, 1), filters=(2, 2))
    report = bench.run_benchmark([case], True, lambda _: None, tmp_path / "bench.json")
    assert bench.list_problems(report) == []
    (found,) = report["cases"]
    assert found["same_work"]
    assert report["machine"]["ceiling_gflops"] > 1.0
    for way in found["ways"]:
        assert way["work"]["steps"] == 2  # 36 rows in batches of 32
        assert 0.0 < way["seconds_per_run"] < way["suite_seconds"]
        assert 0.0 < way["ceiling_share"] < 1.0
        assert way["peak_memory_mb"] is None or way["peak_memory_mb"] > 100.0
    assert json.loads((tmp_path / "bench.json").read_text()) == json.loads(json.dumps(report))
