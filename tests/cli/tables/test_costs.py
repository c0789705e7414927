"""The table of costs, and the command that prints it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from regzoo.bench import costs
from regzoo.cli.tables.costs import make_cost_tables

Run = Callable[..., tuple[int, str, str]]

NOTHING: dict[str, Any] = {"step": None, "around": None, "prediction": None, "reason": ""}
SAME = {"median": 1.0, "low": 1.0, "high": 1.0}


def make_report(**changes: Any) -> dict[str, Any]:
    machine = {"processor": "abacus", "cores": 2, "versions": dict.fromkeys(("tensorflow", "keras", "regzoo"), "1.0")}
    wide = {"median": 1.554, "low": 1.5, "high": 1.61}
    rows: list[dict[str, Any]] = [
        {"recipe": "dropout(0.4)", "passes": 1.0, "models": 1, "mlp": {"step": wide}, "cnn": {"step": wide}},
        {"recipe": "adversarial(0.1)", "passes": 2.333, "models": 1, "mlp": {"step": SAME}, "cnn": {"step": SAME}},
        {"recipe": "random_flip", "passes": 1.0, "models": 1, "mlp": {"reason": "images"}, "cnn": {"step": SAME}},
        {"recipe": "ensemble(6)", "passes": 1.0, "models": 6, "mlp": {"prediction": wide}, "cnn": {"around": 7.6}},
    ]
    costs_ = [
        {"name": "", "baseline": "none", **row, **{backbone: NOTHING | row[backbone] for backbone in ("mlp", "cnn")}}
        for row in rows
    ]
    costs_[1]["baseline"] = "dropout(0.5)"
    report = {"date": "2026-01-31", "machine": machine, "threads": 1, "steps": 32, "batch_size": 32, "repetitions": 9}
    return {**report, "seconds": 71.0, "notes": ["Declared: passes."], "regularizers": costs_, **changes}


def test_declared_and_measured_costs_stand_side_by_side(draw: Callable[..., str]) -> None:
    lines = [" ".join(line.split()) for line in draw(make_cost_tables(make_report())).splitlines()]
    assert lines[0].startswith("2026-01-31: abacus, 2 cores, 1 thread; TensorFlow 1.0, Keras 1.0, regzoo 1.0")
    assert "recipe declared mlp: step mlp: prediction cnn: step cnn: around" in lines
    assert "dropout(0.4) 1 1.55 (1.50 to 1.61) 1.55 (1.50 to 1.61)" in lines
    assert "adversarial(0.1) against dropout(0.5) 2.33 1.00 1.00" in lines
    assert "random_flip 1 - - 1.00" in lines
    assert "ensemble(6) 6 1.55 (1.50 to 1.61) 8" in lines
    assert lines[-2:] == ["Declared: passes.", "Measured in 71 s."]


def test_the_command_prints_a_table_or_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def measure(names: list[str], notify: Callable[[str], None]) -> dict[str, Any]:
        asked.append(names)
        return make_report()

    monkeypatch.setattr(costs, "measure_costs", measure)
    code, out, _ = run("zoo", "--costs")
    assert code == 0
    assert "ensemble(6)" in out
    code, out, _ = run("zoo", "dropout", "--costs", "--json")
    assert json.loads(out) == make_report()
    assert "mixup" in asked[0]
    assert asked[1] == ["dropout"]


def test_the_command_refuses_what_is_no_regularizer(run: Run) -> None:
    code, _, err = run("zoo", "droput", "--costs")
    assert code == 2
    assert "Did you mean 'dropout'?" in err
