"""Refit on train plus validation, for as many epochs as the replicates took; the test part stays unseen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.comparison.setup import make_setup
from regzoo.config import from_keywords, load_config
from regzoo.core import InputError, parse
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor_fitting import fit_preprocessor
from regzoo.data.sources import from_arrays, load_dataset
from regzoo.export import export as export_module
from regzoo.export.candidate import load_setup
from regzoo.export.refit import RefitData, choose_epochs, refit_recipe
from regzoo.export.verify import Parity
from regzoo.result import Result
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run

STOPPING = parse("dropout(0.5) + early_stopping(5)")


def make_replicate(epochs: int, best: int, status: Any = "ok") -> Record:
    return Record(Run("replicate", "a", "none", 0, 0, 0.01, 50, "study"), status, epochs=epochs, best_epoch=best)


def test_epochs_by_hand() -> None:
    replicates = [
        make_replicate(20, 15),
        make_replicate(9, 4),
        make_replicate(50, 46),
        make_replicate(1, 1, "diverged"),
    ]
    assert choose_epochs(STOPPING, replicates) == (15, (15, 4, 46))
    assert choose_epochs(parse("dropout(0.5)"), replicates) == (20, (20, 9, 50))
    assert choose_epochs(STOPPING, replicates[:2]) == (9, (15, 4))  # 9.5, rounded down


@pytest.fixture
def refit_data(finished: Any) -> RefitData:
    experiment = load_config(finished.folder / "config.yaml")
    return RefitData(load_dataset(experiment.data), experiment)


def refit(finished: Any, refit_data: RefitData, name: str = "dropout", **changes: Any) -> Any:
    """Return the best replicate, with ``changes`` to its run, and its refit."""
    with Ledger(finished.folder) as ledger:
        best, _ = ledger.load_best_replicate(name)
        best = dataclasses.replace(best, run=dataclasses.replace(best.run, **changes))
        replicates = [r for r in ledger.records() if r.run.stage == "replicate" and r.run.name == name]
        return best, refit_recipe(best, replicates, load_setup(ledger), refit_data)


def test_it_trains_on_train_plus_validation_alone(finished: Any, refit_data: RefitData) -> None:
    best, candidate = refit(finished, refit_data)
    split = prepare_fold(refit_data.dataset, refit_data.experiment.split, refit_data.experiment.seed).split
    rows = np.concatenate([split.train, split.validation])
    assert candidate.refit.rows == len(rows) == 80
    assert candidate.preprocessor == fit_preprocessor(refit_data.dataset, rows, "classification")[0]
    assert (candidate.record.run.seed, candidate.record.run.learning_rate) == (best.run.seed, best.run.learning_rate)
    assert (candidate.record.epochs, candidate.refit.learned_from) == (3, (3, 3, 3))
    assert set(candidate.record.metrics) == {"train", "test"}
    held_out = np.asarray(refit_data.dataset.x[split.test])
    np.testing.assert_array_equal(candidate.raw, held_out)


def test_test_rows_do_not_influence_the_refit(finished: Any, refit_data: RefitData) -> None:
    """With other test rows, the weights and the preprocessing are the same, bit for bit."""
    _, candidate = refit(finished, refit_data)
    test = prepare_fold(refit_data.dataset, refit_data.experiment.split, refit_data.experiment.seed).split.test
    x = np.array(refit_data.dataset.x)
    x[test] *= 3.0
    other, experiment = dataclasses.replace(refit_data.dataset, x=x), refit_data.experiment
    setup = make_setup(experiment, prepare_fold(other, experiment.split, experiment.seed))
    with Ledger(finished.folder) as ledger:
        best, _ = ledger.load_best_replicate("dropout")
        again = refit_recipe(best, [best], setup, RefitData(other, experiment))
    assert again.preprocessor == candidate.preprocessor
    for first, second in zip(candidate.weights[0], again.weights[0], strict=True):
        np.testing.assert_array_equal(first, second)


def test_earlier_repairs_of_the_data_are_still_reported(finished: Any, refit_data: RefitData) -> None:
    dataset = dataclasses.replace(refit_data.dataset, notes=("3 images were resized",))
    _, candidate = refit(finished, dataclasses.replace(refit_data, dataset=dataset))
    assert candidate.refit.repairs[0] == "3 images were resized"


def test_early_stopping_is_left_out_and_reported(finished: Any, refit_data: RefitData) -> None:
    _, candidate = refit(finished, refit_data, recipe_text="dropout(0.1) + early_stopping(5)")
    assert candidate.record.run.recipe_text == "dropout(0.1)"
    assert candidate.refit.stopped
    assert not refit(finished, refit_data)[1].refit.stopped


def test_other_data_is_rejected(finished: Any, refit_data: RefitData) -> None:
    other = dataclasses.replace(refit_data.dataset, x=np.array(refit_data.dataset.x) + 1)
    with pytest.raises(InputError, match="this is not the data of the comparison"):
        refit(finished, RefitData(other, refit_data.experiment))


def test_a_refit_is_exported_as_a_refit(finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "verify_parity", lambda *_: Parity(20, (1, 7), 0.0, True))
    Result(finished.folder).export(tmp_path / "model", "ensemble(2)", refit=True)
    recipe = json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["refit"]["trained_on"] == "train + validation"
    assert recipe["refit"]["epochs"] == recipe["epochs"] == 3
    assert (recipe["members"], recipe["refit"]["rows"]) == (2, 80)
    assert set(recipe["metrics"]) == {"train", "test"}
    text = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "trained on train + validation (80 rows), so its validation score is unknown" in text
    assert "the median\nof what its replicates trained (3, 3, 3)" in text
    assert "| accuracy |" in text
    table = finished.table
    serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answers = serve(**{name: tf.constant(table[column], tf.float32) for name, column in recipe["inputs"].items()})
    correct = np.array([label.decode() for label in answers["label"].numpy()]) == table["kind"].to_numpy()
    expected = recipe["metrics"]["train"]["accuracy"] * 80 + recipe["metrics"]["test"]["accuracy"] * 20
    assert correct.sum() == pytest.approx(expected, abs=1e-4)


def test_arrays_are_passed_again(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "verify_parity", lambda *_: Parity(1, (1, 7), 0.0, True))
    x, y = rows
    options: dict[str, Any] = {
        "training": {"epochs": 1, "learning_rate": 0.01},
        "vary": ["seed"],
        "replicates": 2,
        "workers": 0,
    }
    result = regzoo.compare(x, y, backbone="linear", recipes=["none"], **options)
    result.export(tmp_path / "model", refit=True, x=x, y=y)
    with pytest.raises(InputError, match=r"passed in Python: call export\(\.\.\., refit=True, x=x, y=y\)"):
        result.export(tmp_path / "other", refit=True)
    with pytest.raises(InputError, match="this is not the data of the comparison"):
        result.export(tmp_path / "other", refit=True, x=x + 1, y=y)
    with pytest.raises(InputError, match="x and y are for refit=True"):
        result.export(tmp_path / "other", x=x, y=y)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("time", [None, np.arange(60)])
def test_with_folds_all_rows_outside_the_test_part_train(rows: Any, time: Any) -> None:
    """Of time-ordered folds, the first covers only two of four pieces."""
    config = {"backbone": "mlp([4])", "recipes": ["none"], "split": {"folds": 3}, "vary": ["seed"], "replicates": 2}
    experiment = from_keywords(**config, training={"epochs": 1, "learning_rate": 0.01})
    dataset = from_arrays(*rows, **({} if time is None else {"time": time}))
    setup = make_setup(experiment, prepare_fold(dataset, experiment.split, experiment.seed))
    best = Record(Run("replicate", "none", "none", 1, 5, 0.01, 1, setup.digest, fold=1), "ok", epochs=1)
    candidate = refit_recipe(best, [best], setup, RefitData(dataset, experiment))
    assert candidate.refit is not None
    assert candidate.refit.rows == 60 - 12
    assert candidate.record.run.fold == 0
