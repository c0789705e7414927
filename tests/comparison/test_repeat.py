"""Comparisons of every kind, repeated from Python: folds, sweeps, own models, a time limit, interim analyses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.result import Result
from regzoo.storage.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("unverified")]

RANDOM = np.random.default_rng(0)
Y = np.arange(60) % 3
X = (2.0 * RANDOM.normal(size=(3, 5))[Y] + RANDOM.normal(size=(60, 5))).astype(np.float32)
SMALL: dict[str, Any] = {
    "x": X,
    "y": Y,
    "backbone": "mlp([4])",
    "workers": 0,
    "training": {"epochs": 2},
    "search": {"trials": 2},
}


def make_model() -> Any:
    import keras

    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "softmax")])


def make_sweep(out: Path) -> Result:
    return regzoo.sweep(**SMALL, over="dropout.rate", values=[0.1, 0.5], replicates=2, vary=["seed"], out=out)


def compare(**keywords: Any) -> Callable[[Path], Result]:
    return lambda out: regzoo.compare(**SMALL | {"recipes": ["none", "dropout"]} | keywords, out=out)


KINDS: dict[str, Callable[[Path], Result]] = {
    "sweep": make_sweep,
    "folds": compare(split={"folds": 2}, replicates=4, search={"trials": 2, "repeats": 2, "confirm": 0}),
    "split": compare(vary=["seed", "split"], replicates=2),
    "placebo and equivalence": compare(placebo=1, rope=0.5, replicates=2, search={"trials": 1, "repeats": 2}),
    "budget": compare(budget="1s", replicates=2, vary=["seed"]),
    "auto": compare(replicates="auto", vary=["seed"]),
    "ensemble": compare(recipes=["none", "ensemble(2)"], replicates=2, vary=["seed"]),
    "own model": lambda out: compare(backbone=make_model(), replicates=2, vary=["seed"])(out),
}


def list_points(folder: Path) -> set[tuple[str, float]]:
    """The strengths and learning rates of all trials."""
    with Ledger(folder) as ledger:
        return {(r.run.recipe_text, r.run.learning_rate) for r in ledger.records() if r.run.stage == "trial"}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_comparison_is_repeated_with_other_points(kind: str, tmp_path: Path) -> None:
    result = KINDS[kind](tmp_path / "it")
    before = list(result.records)
    check = result.check_claims(2, x=X, y=Y, workers=0)
    assert check.seeds == (1, 2)
    assert result.records == before
    folders = [tmp_path / "it" / "claims" / f"seed_{seed}" for seed in check.seeds]
    points = [list_points(folder) for folder in (result.folder, *folders)]
    assert not points[0] & points[1]
    assert not points[1] & points[2]
    for folder in folders:
        repetition = type(result)(folder)
        assert [row.name for row in repetition.board.recipes if row.replicates] != []
        seeds = {record.run.seed for record in before if record.run.stage == "replicate"}
        own = {record.run.seed for record in repetition.records if record.run.stage == "replicate"}
        assert own & seeds
        assert own <= seeds or kind in ("budget", "auto")  # may make other numbers of replicates
    assert str(result.check_claims(2, x=X, y=Y, workers=0)) == str(check)


def test_data_that_was_passed_in_must_be_passed_again(tmp_path: Path) -> None:
    result = KINDS["ensemble"](tmp_path / "it")
    with pytest.raises(InputError, match=r"was passed in Python, and is not kept: .*check_claims\(x=x, y=y\)"):
        result.check_claims(1, workers=0)
    with pytest.raises(InputError, match="the data that was passed in is not what"):
        result.check_claims(1, x=X[::-1], y=Y, workers=0)
    assert not (tmp_path / "it" / "claims").exists()


def test_a_comparison_that_grew_is_repeated_to_its_new_size(tmp_path: Path) -> None:
    result = compare(replicates=2, vary=["seed"])(tmp_path / "it")
    result.check_claims(1, x=X, y=Y, workers=0)
    first = Result(tmp_path / "it" / "claims" / "seed_1")
    before = first.records
    compare(replicates=3, vary=["seed"])(tmp_path / "it").check_claims(1, x=X, y=Y, workers=0)
    assert first.records[: len(before)] == before
    assert len(first.records) == len(before) + 2
