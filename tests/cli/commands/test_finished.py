"""Commands that read a finished comparison: leaderboard, failures, report, export, compare-runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from regzoo.training.metrics import METRICS

Run = Callable[..., tuple[int, str, str]]


def test_leaderboard_json_has_the_keys_of_the_contract(run: Run, finished: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    code, out, err = run("leaderboard", finished.folder, "--json")
    assert (code, err) == (0, "")
    leaderboard = json.loads(out, parse_constant=refuse)
    assert {"rank_by", "direction", "winner", "baseline", "recipes"} <= set(leaderboard)
    contract = {
        *("recipe", "name", "rank", "tier", "mean", "sd", "low", "high", "gain", "gain_low", "gain_high", "p_holm"),
        *("p_better", "replicates", "diverged", "failed", "metrics", "epochs", "fit_seconds", "predict_ms"),
        *("parameters", "status"),
    }
    for row in leaderboard["recipes"]:
        assert contract <= set(row)
        assert list(row["metrics"]) == ["validation", "train", "test"]
        assert set(row["metrics"]["test"]) == set(METRICS["classification"])
    assert [row["rank"] for row in leaderboard["recipes"]] == [1, 2, 3, 4]
    assert leaderboard["winner"] == leaderboard["recipes"][0]["recipe"]


def test_leaderboard_csv_is_the_file(run: Run, finished: Any) -> None:
    code, out, _ = run("leaderboard", finished.folder, "--csv")
    assert code == 0
    assert out == (finished.folder / "leaderboard.csv").read_text(encoding="utf-8")
    assert len(pd.read_csv(finished.folder / "leaderboard.csv")) == 4


def test_leaderboard_is_a_table(run: Run, finished: Any) -> None:
    code, out, err = run("leaderboard", finished.folder)
    assert (code, err) == (0, "")
    assert "winner" in out
    assert "\x1b" not in out


def test_failures_may_be_none(run: Run, finished: Any) -> None:
    assert run("failures", finished.folder) == (0, "no run failed or diverged\n", "")


def test_report_is_written_again_from_the_records(run: Run, copied: Path) -> None:
    for name in ("report.html", "report.md", "leaderboard.csv"):
        (copied / name).unlink()
    assert run("report", copied) == (0, f"Report: {copied / 'report.html'}\n", "")
    for name in ("report.html", "report.md", "leaderboard.csv"):
        assert (copied / name).stat().st_size > 0


@pytest.mark.usefixtures("unverified")
def test_export_writes_the_recipe_that_was_asked_for(run: Run, finished: Any, tmp_path: Path) -> None:
    code, out, _ = run("export", finished.folder, "--recipe", "none", "--to", tmp_path / "model")
    assert (code, out) == (0, f"Model: {tmp_path / 'model'}\n")
    assert json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))["recipe"] == "none"
    code, _, err = run("export", finished.folder, "--recipe", "non", "--to", tmp_path / "model")
    assert code == 2
    assert "Did you mean 'none'?" in err


def test_a_moved_comparison_still_works(run: Run, finished: Any, copied: Path) -> None:
    assert run("leaderboard", copied, "--json") == run("leaderboard", finished.folder, "--json")


def test_compare_runs_shows_what_changed(run: Run, finished: Any, copied: Path) -> None:
    code, out, err = run("compare-runs", finished.folder, copied)
    assert (code, err) == (0, "")
    for message in ("config: the same", "data: the same", "versions: the same", "winner: still"):
        assert message in out
    found = json.loads(run("compare-runs", finished.folder, copied, "--json")[1])
    assert {recipe["moved"] for recipe in found["recipes"]} == {0}


def test_report_writes_every_run_for_tensorboard(run: Run, copied: Path, tmp_path: Path) -> None:
    code, out, _ = run("report", copied, "--tensorboard", tmp_path / "logs")
    assert code == 0
    assert "TensorBoard: 20 runs; look at them with: tensorboard --logdir" in out
    assert len(list((tmp_path / "logs").rglob("events*"))) == 21
