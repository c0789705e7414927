"""Costs of regularizers: which are measured, how, and what they are divided by. A scripted model takes the time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import regzoo
from regzoo.bench import costs
from regzoo.bench.cost_runner import STEPS
from regzoo.bench.costs import BACKBONES, REPETITIONS, measure_costs, summarize_ratios, time_in_turn
from regzoo.core import InputError, OnTraining, Recipe, regularizers
from regzoo.core.formatting import format_significant
from regzoo.core.places import IN_GRAPH, AfterTraining


@dataclass
class Fake:
    """A model whose steps take 2 s for the baseline and 3 s with anything, the epochs 10 s and 14 s."""

    backbone: str
    recipe: Recipe
    calls: list[str] = field(default_factory=list)

    @property
    def works_around_steps(self) -> bool:
        return any(isinstance(each, OnTraining) or each.averages for each in self.recipe)

    @property
    def plain(self) -> bool:
        return str(self.recipe) in ("none", "dropout(0.5)")

    def time_steps(self) -> float:
        self.calls.append("steps")
        return 2.0 if self.plain else 3.0

    def time_epoch(self) -> float:
        self.calls.append("epoch")
        return 10.0 if self.plain else 14.0

    def time_prediction(self) -> float:
        self.calls.append("prediction")
        return 0.5 if self.plain else 2.0


class Traces:
    """Builds fakes and keeps them; an mlp has no place for images."""

    def __init__(self) -> None:
        self.made: list[Fake] = []

    def __call__(self, backbone: str, recipe: Recipe) -> Fake:
        if backbone == "mlp" and any("images" in each.requires for each in recipe):
            raise InputError("it needs images")
        self.made.append(Fake(backbone, recipe))
        return self.made[-1]


def measure(*names: str) -> tuple[list[dict[str, Any]], Traces]:
    traces = Traces()
    report = measure_costs(names, lambda line: None, traces)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    return report["regularizers"], traces


def test_a_step_is_timed_in_turn_with_the_baselines() -> None:
    (cost,), traces = measure("dropout")
    assert (cost["passes"], cost["models"], cost["baseline"]) == (1.0, 1, "none")
    assert cost["recipe"] == "dropout(0.375)"
    for backbone in BACKBONES:
        assert cost[backbone]["step"] == {"median": 1.5, "low": 1.5, "high": 1.5}
        assert (cost[backbone]["around"], cost[backbone]["prediction"], cost[backbone]["reason"]) == (None, None, "")
    assert [(fake.backbone, str(fake.recipe)) for fake in traces.made] == [
        (backbone, recipe) for backbone in BACKBONES for recipe in ("dropout(0.375)", "none")
    ]
    assert all(fake.calls == ["steps"] * (REPETITIONS + 1) for fake in traces.made)


def test_what_needs_another_regularizer_is_measured_against_it_and_each_baseline_is_traced_once() -> None:
    found, traces = measure("r_drop", "mc_dropout", "dropout", "l2")
    assert [cost["baseline"] for cost in found] == ["dropout(0.5)", "dropout(0.5)", "none", "none"]
    plain = [(fake.backbone, str(fake.recipe)) for fake in traces.made if fake.plain]
    assert sorted(plain) == sorted((backbone, base) for backbone in BACKBONES for base in ("none", "dropout(0.5)"))


def test_what_acts_after_training_has_the_baselines_steps_and_a_prediction_of_its_own() -> None:
    (cost,), traces = measure("ensemble")
    assert cost["models"] == 5
    assert cost["mlp"]["step"]["median"] == 1.0
    assert cost["mlp"]["prediction"] == {"median": 4.0, "low": 4.0, "high": 4.0}
    assert {call for fake in traces.made for call in fake.calls} == {"prediction"}


def test_work_around_the_steps_is_counted_in_steps_of_the_baseline() -> None:
    (cost,), _ = measure("ema")
    # the training of an epoch is 4 s longer, of which the steps explain 1 s; a step of the baseline is 2 s / STEPS
    assert cost["mlp"]["around"] == pytest.approx(3.0 / (2.0 / STEPS))
    assert cost["mlp"]["step"]["median"] == 1.5


def test_what_has_no_place_on_a_backbone_says_so() -> None:
    (cost,), _ = measure("random_flip")
    assert cost["mlp"] == {"step": None, "around": None, "prediction": None, "reason": "it needs images"}
    assert cost["cnn"]["step"]["median"] == 1.5


def test_every_regularizer_is_measured_in_some_way() -> None:
    found, _ = measure(*regularizers())
    assert [cost["name"] for cost in found] == list(regularizers())
    for cost in found:
        kind = regularizers()[cost["name"]]
        measured = {name for name, value in cost["cnn"].items() if isinstance(value, dict | float)}
        assert "step" in measured
        assert ("prediction" in measured) == issubclass(kind, AfterTraining)
        assert ("around" in measured) == (issubclass(kind, OnTraining) or kind.averages)
        assert (cost["cnn"]["step"]["median"] == 1.5) == issubclass(kind, IN_GRAPH)


def test_the_report_names_date_machine_and_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "describe_machine", lambda: {"processor": "abacus"})
    lines: list[str] = []
    report = measure_costs(["l2"], lines.append, Traces())
    assert report["machine"] == {"processor": "abacus"}
    assert len(report["date"]) == len("2026-01-31")
    assert (report["steps"], report["repetitions"], report["threads"]) == (STEPS, REPETITIONS, 1)
    assert lines == ["1 on mlp", "1 on cnn"]


def test_names_that_are_no_regularizer_are_refused() -> None:
    with pytest.raises(InputError, match=r"'droput' is none\. Did you mean 'dropout'"):
        measure("droput")
    with pytest.raises(InputError, match="'mlp' is none"):
        measure("mlp")


def test_ratios_are_those_of_pairs() -> None:
    """Of a machine that becomes slower all the time, the ratio stays."""
    ticks = iter([100.0, 100.0, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0])
    pairs = time_in_turn(lambda: next(ticks), lambda: next(ticks), repetitions=3)
    assert summarize_ratios(pairs) == {"median": 2.0, "low": 2.0, "high": 2.0}
    assert summarize_ratios([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0), (1.0, 4.0), (1.0, 9.0)]) == {
        "median": 3.0,
        "low": 2.0,
        "high": 4.0,
    }


def test_the_guide_has_every_regularizer_with_its_declared_cost() -> None:
    text = Path(regzoo.__file__).with_name("GUIDE.md").read_text(encoding="utf-8")
    section = text.split("\n### What a regularizer costs\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (-|[\d.]+) \| (-|[\d.]+) \|", section, re.M)
    found, _ = measure(*regularizers())
    declared = {cost["name"]: format_significant(cost["passes"] * cost["models"], 3) for cost in found}
    assert {name: cost for name, cost, *_ in rows} == declared
    images = {name for name, kind in regularizers().items() if "images" in kind.requires}
    assert images <= {name for name, _, mlp, _ in rows if mlp == "-"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["snapshot_ensemble", "random_flip"])
def test_the_real_thing(name: str) -> None:
    """In a process of its own, whose TensorFlow has one thread."""
    command = [sys.executable, "-m", "regzoo", "zoo", name, "--costs", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    (cost,) = json.loads(done.stdout)["regularizers"]
    images = cost["cnn"]
    for ratios in (images["step"], images["prediction"]):
        assert ratios is None or 0.0 < ratios["low"] <= ratios["median"] <= ratios["high"]
    assert (images["around"] is not None) == (images["prediction"] is not None) == (name == "snapshot_ensemble")
    assert cost["mlp"]["reason"] == "" or name in cost["mlp"]["reason"]
    assert (cost["mlp"]["step"] is None) == (name == "random_flip")
