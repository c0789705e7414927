"""Augmented copies through the public API: compare, sweep, hypermodel; steps, pairs of seeds, plan, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.comparison import check, runner
from regzoo.core import InputError, parse
from regzoo.storage.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("unverified")]

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(60, 4)), RANDOM.integers(0, 3, 60)
ASKED: dict[str, Any] = {
    "backbone": "linear",
    "replicates": 2,
    "vary": ["seed"],
    "search": {"trials": 2, "repeats": 1},
    "training": {"epochs": 2, "batch_size": 8},
    "workers": 0,
}


def read_steps(folder: Path) -> dict[str, set[int]]:
    """Return the steps per epoch of each recipe's runs."""
    steps: dict[str, set[int]] = {}
    with Ledger(folder) as ledger:
        for record in ledger.records():
            assert record.status == "ok", record.error
            steps.setdefault(record.run.name, set()).add(record.steps // record.epochs)
    return steps


def test_a_comparison_makes_them_for_every_run_and_resumes(tmp_path: Path) -> None:
    recipes = ["none", "gaussian_noise(copies=2)", "swap_noise(0.2, copies=1) + l2(1e-3)", "gaussian_noise(0.1)"]
    first = regzoo.compare(X, Y, recipes=recipes, out=tmp_path / "one", **ASKED)
    steps = read_steps(tmp_path / "one")
    rows = 36  # of 60, 0.6 train
    assert {name: per_epoch for name, (per_epoch,) in steps.items()} == {
        "none": -(-rows // 8),
        "gaussian_noise(copies=2)": -(-3 * rows // 8),
        "swap_noise(rate=0.2, copies=1) + l2(0.001)": -(-2 * rows // 8),
        "gaussian_noise(0.1)": -(-rows // 8),
    }
    again = regzoo.compare(X, Y, recipes=recipes, out=tmp_path / "two", **{**ASKED, "workers": 2})
    for column in ("recipe", "mean"):
        assert list(first.leaderboard[column]) == list(again.leaderboard[column])


def test_a_sweep_and_a_hypermodel_make_them(tmp_path: Path) -> None:
    options = {key: value for key, value in ASKED.items() if key != "search"}
    recipes = ["gaussian_noise(copies=1)"]
    regzoo.sweep(X, Y, recipes=recipes, over="gaussian_noise.stddev", values=[0.0, 0.3], out=tmp_path, **options)
    steps = read_steps(tmp_path)
    assert {name: per_epoch for name, (per_epoch,) in steps.items() if name != "none"} == {
        "gaussian_noise(stddev=0.0, copies=1)": 9,
        "gaussian_noise(stddev=0.3, copies=1)": 9,
    }
    keras_tuner = pytest.importorskip("keras_tuner")
    hypermodel = regzoo.hypermodel("linear", "gaussian_noise(0.5, copies=2)", (4,), classes=3, learning_rate=0.01)
    model = hypermodel.build(keras_tuner.HyperParameters())
    model.fit(X.astype(np.float32), Y, batch_size=10, epochs=1, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 18
    assert isinstance(model, keras.Model)


def test_what_does_not_fit_into_the_memory_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        runner, "check_copies", lambda e, data, _: check.check_copies(e, data, 3 * data.train[0].nbytes)
    )
    with pytest.raises(InputError, match=r"recipes: swap_noise\(rate=0.2, copies=3\): swap_noise: copies=3"):
        regzoo.compare(X, Y, recipes=["none", "swap_noise(0.2, copies=3)"], out=tmp_path / "a", **ASKED)
    assert not (tmp_path / "a" / "ledger.sqlite").exists()


def test_weight_decay_is_searched_in_the_steps_that_the_copies_make(tmp_path: Path) -> None:
    recipes = ["weight_decay", "weight_decay + gaussian_noise(0.1, copies=3)"]  # with the same points
    regzoo.compare(X, Y, recipes=recipes, out=tmp_path / "decay", **ASKED)
    decays: dict[tuple[str, int], float] = {}
    with Ledger(tmp_path / "decay") as ledger:
        for record in ledger.records():
            if record.run.stage == "trial" and record.run.name != "none":
                decay = next(each.decay for each in record.run.recipe if each.name == "weight_decay")  # type: ignore[attr-defined]
                decays[record.run.name, record.run.number] = decay
    for number in range(2):
        assert decays[recipes[0], number] == pytest.approx(4 * decays[str(parse(recipes[1])), number], rel=1e-3)
