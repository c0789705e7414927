"""Notes of a ledger: what is kept comes back equal, and ledgers of format 1 are read."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import InputError
from regzoo.storage import info
from regzoo.storage.info import BudgetInfo, ComparisonInfo, DataInfo, FoldInfo, ModelInfo, SplitInfo
from regzoo.storage.ledger import Ledger

FIXTURES = Path(__file__).parents[1] / "fixtures"
SPLIT = SplitInfo(
    "grouped", 3, 1, 2, ("test",), {"train": "abc"}, 4, {"train": 5, "test": 2}, {"test": ("red", "blue")}
)
DATA = DataInfo("iris", "abc", 150, 90, 30, 30, "4 columns", "classification", SPLIT, "kind", ("red", "blue"), ("a",))
COMPARISON = ComparisonInfo(
    name="mine",
    rank_by="nll",
    direction="min",
    data=DATA,
    config="name: mine\n",
    versions={"keras": "3.15.1"},
    command="regzoo compare mine.yaml",
    trials=8,
    tuner="random",
    replicates=5,
    model=ModelInfo("mlp(widths=[4])", 3, 32, "adam", "0.001", seed=7),
    seconds=1.5,
    pruner="median",
    interim_analyses=(5, 8, 12),
    rope=0.01,
    budget=60.0,
    class_weight="balanced",
    folds=3,
    test_train_ratio=0.5,
    notes=("watch out",),
    vary=("seed", "search"),
    searches=4,
    confirm=2,
    search_seed=3,
    steps=640,
    sweep={"over": [{"name": "dropout.rate", "values": ["0.0", "inf"]}], "recipes": ["none", "dropout"]},
)


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger(tmp_path, create=True) as opened:
        yield opened


def read_format_1(name: str, tmp_path: Path) -> Ledger:
    return Ledger(Path(shutil.copytree(FIXTURES / name, tmp_path / name)))


def test_a_comparison_comes_back_equal(ledger: Ledger) -> None:
    assert ledger.get_comparison_info() is None
    for comparison in (COMPARISON, dataclasses.replace(COMPARISON, model=None, sweep=None, seconds=None)):
        ledger.set_comparison_info(comparison)
        assert ledger.get_comparison_info() == comparison


def test_every_field_of_the_comparison_is_set_here() -> None:
    def set_fields(value: Any) -> list[str]:
        defaults = {
            each.name: each.default_factory() if callable(each.default_factory) else each.default
            for each in dataclasses.fields(value)
        }
        return [name for name, default in defaults.items() if getattr(value, name) == default]

    assert set_fields(COMPARISON) == ["version"]  # so the test above sees a field that is lost
    assert set_fields(SPLIT) == []


def test_a_key_of_a_newer_version_is_ignored(ledger: Ledger) -> None:
    values = COMPARISON.to_json()
    values["data"]["split"]["moon"] = values["data"]["moon"] = values["model"]["moon"] = values["moon"] = "full"
    ledger._set_note(info.COMPARISON, values)
    assert ledger.get_comparison_info() == COMPARISON


def test_keys_that_were_added_later_have_defaults() -> None:
    values = json.loads(json.dumps(COMPARISON.to_json()))
    added = "model seconds pruner rope budget class_weight folds test_train_ratio notes sweep version interim_analyses"
    for key in added.split():
        del values[key]
    comparison = ComparisonInfo.from_json(values)
    assert (comparison.model, comparison.interim_analyses, comparison.pruner) == (None, (1,), "none")
    assert comparison.version == info.VERSION


def test_the_other_notes_come_back_equal(ledger: Ledger) -> None:
    assert (ledger.get_setup_json(), ledger.get_recipe_names(), ledger.get_budget_info()) == (None, (), None)
    ledger.set_setup_json({"backbone": "mlp", "input_shape": [4]})
    ledger.set_recipe_names(["none", "dropout"])
    ledger.set_budget_info(BudgetInfo(60.0, {"trial": 3}))
    assert ledger.get_setup_json() == {"backbone": "mlp", "input_shape": [4]}
    assert ledger.get_recipe_names() == ("none", "dropout")
    assert ledger.get_budget_info() == BudgetInfo(60.0, {"trial": 3})


def test_every_fold_has_its_own_preprocessor_rows_and_data(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="holds nothing about fold 0 yet"):
        ledger.get_fold_info()
    folds = [
        FoldInfo(f'{{"fold": {fold}}}', [[fold, "red", None]], dataclasses.replace(DATA, train=90 + fold))
        for fold in range(3)
    ]
    for fold, content in enumerate(folds):
        ledger.set_fold_info(fold, content)
    ledger.set_comparison_info(dataclasses.replace(COMPARISON, data=folds[0].data))
    assert [ledger.get_fold_info(fold) for fold in range(3)] == folds
    with pytest.raises(InputError, match="fold 3"):
        ledger.get_fold_info(3)


def test_a_fold_without_held_out_rows_has_those_of_the_first(ledger: Ledger) -> None:
    ledger.set_comparison_info(COMPARISON)
    for fold, rows in enumerate(([[0.25]], [], [[0.5]])):
        ledger.set_fold_info(fold, FoldInfo(f'{{"fold": {fold}}}', rows, DATA))
    assert [ledger.get_fold_info(fold).held_out for fold in range(3)] == [[[0.25]], [[0.25]], [[0.5]]]


@pytest.mark.parametrize(("name", "folds"), [("format_1", 1), ("format_1_folds", 3)])
def test_format_1_is_read(name: str, folds: int, tmp_path: Path) -> None:
    with read_format_1(name, tmp_path) as ledger:
        comparison, raw = ledger.get_comparison_info(), ledger._get_note("study")
        assert comparison is not None
        assert "interim_analyses" not in raw
        assert comparison.interim_analyses == tuple(raw["looks"])
        assert (comparison.name, comparison.folds, comparison.config) == (name, folds, raw["config"])
        assert comparison.seconds == raw["seconds"] > 0
        setup = ledger.get_setup_json()
        assert setup is not None
        assert setup["backbone"] == "mlp([4])"
        assert ledger.get_recipe_names()[0] == "none"
        assert ledger.get_budget_info() is None
        for fold in range(folds):
            content = ledger.get_fold_info(fold)
            assert content.data.split.fold == fold
            assert content.held_out == ledger._get_note("held_out" if fold == 0 else f"{fold}/held_out")
            assert json.loads(content.preprocessor)["kind"] == "rows"


@pytest.mark.parametrize("name", ["format_1", "format_1_folds"])
def test_format_1_loses_nothing_when_it_is_written_again(name: str, tmp_path: Path) -> None:
    with read_format_1(name, tmp_path) as ledger:
        before, comparison = ledger._get_note("study"), ledger.get_comparison_info()
        assert comparison is not None
        ledger.set_comparison_info(comparison)
        after = ledger._get_note("study")
        assert ledger.get_comparison_info() == comparison
    assert after.pop("version") == info.VERSION
    assert after.pop("interim_analyses") == before.pop("looks")
    split = after["data"]["split"]
    assert (split.pop("groups"), split.pop("absent")) == (None, None)  # format 1 left them out
    assert after["model"].pop("loss") is None
    assert after["data"].pop("rare") is None
    assert [after.pop(key) for key in ("vary", "searches", "confirm", "search_seed", "steps")] == [
        ["seed"],
        1,
        0,
        0,
        None,
    ]
    assert after == before
