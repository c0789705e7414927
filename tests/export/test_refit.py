"""Refit: the chosen recipe on train plus validation, for the epochs that its replicates needed; the test part apart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo import api
from regzoo.comparison.plan import make_setup
from regzoo.config import load_config
from regzoo.core import InputError, parse
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor import fit_preprocessor
from regzoo.data.sources import from_arrays, load_dataset
from regzoo.export import export as export_module
from regzoo.export.export import load_setup
from regzoo.export.refit import RefitData, choose_epochs, refit_recipe
from regzoo.export.verify import Parity
from regzoo.result import Result
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run

STOPPING = parse("dropout(0.5) + early_stopping(5)")


def replicate(epochs: int, best: int, status: Any = "ok") -> Record:
    return Record(Run("replicate", "a", "none", 0, 0, 0.01, 50, "study"), status, epochs=epochs, best_epoch=best)


def test_epochs_by_hand() -> None:
    replicates = [replicate(20, 15), replicate(9, 4), replicate(50, 46), replicate(1, 1, "diverged")]
    assert choose_epochs(STOPPING, replicates) == (15, (15, 4, 46))
    assert choose_epochs(parse("dropout(0.5)"), replicates) == (20, (20, 9, 50))
    assert choose_epochs(STOPPING, replicates[:2]) == (9, (15, 4))  # 9.5, rounded down


@pytest.fixture
def material(finished: Any) -> RefitData:
    experiment = load_config(finished.folder / "config.yaml")
    return RefitData(load_dataset(experiment.data), experiment)


def refitted(finished: Any, material: RefitData, name: str = "dropout", **changes: Any) -> Any:
    with Ledger(finished.folder) as ledger:
        best, _ = ledger.weights(name)
        best = dataclasses.replace(best, run=dataclasses.replace(best.run, **changes))
        replicates = [r for r in ledger.records() if r.run.stage == "replicate" and r.run.name == name]
        return best, refit_recipe(best, replicates, load_setup(ledger), material)


def test_it_trains_on_train_plus_validation_alone(finished: Any, material: RefitData) -> None:
    best, made = refitted(finished, material)
    split = prepare_fold(material.dataset, material.experiment.split, material.experiment.seed).split
    rows = np.concatenate([split.train, split.validation])
    assert made.refit.rows == len(rows) == 80
    assert made.preprocessor == fit_preprocessor(material.dataset, rows, "classification")[0]
    assert (made.record.run.seed, made.record.run.learning_rate) == (best.run.seed, best.run.learning_rate)
    assert (made.record.epochs, made.refit.learned_from) == (3, (3, 3, 3))
    assert set(made.record.metrics) == {"train", "test"}
    held = np.asarray(material.dataset.x[split.test])
    np.testing.assert_array_equal(made.raw, held.astype(np.float32))


def test_test_rows_leave_no_trace(finished: Any, material: RefitData) -> None:
    """With other test rows, the weights and the preprocessing are the same to the last bit."""
    _, made = refitted(finished, material)
    test = prepare_fold(material.dataset, material.experiment.split, material.experiment.seed).split.test
    x = np.array(material.dataset.x)
    x[test] *= 3.0
    other, experiment = dataclasses.replace(material.dataset, x=x), material.experiment
    setup = make_setup(experiment, prepare_fold(other, experiment.split, experiment.seed))
    with Ledger(finished.folder) as ledger:
        best, _ = ledger.weights("dropout")
        again = refit_recipe(best, [best], setup, RefitData(other, experiment))
    assert again.preprocessor == made.preprocessor
    for first, second in zip(made.weights[0], again.weights[0], strict=True):
        np.testing.assert_array_equal(first, second)


def test_what_was_done_to_the_data_beforehand_is_still_said(finished: Any, material: RefitData) -> None:
    dataset = dataclasses.replace(material.dataset, notes=("3 images were resized",))
    _, made = refitted(finished, dataclasses.replace(material, dataset=dataset))
    assert made.refit.repairs[0] == "3 images were resized"


def test_early_stopping_is_left_out_and_said_to_be(finished: Any, material: RefitData) -> None:
    _, made = refitted(finished, material, recipe_text="dropout(0.1) + early_stopping(5)")
    assert made.record.run.recipe_text == "dropout(0.1)"
    assert made.refit.stopped
    assert not refitted(finished, material)[1].refit.stopped


def test_other_data_is_refused(finished: Any, material: RefitData) -> None:
    other = dataclasses.replace(material.dataset, x=np.array(material.dataset.x) + 1)
    with pytest.raises(InputError, match="this is not the data of the comparison"):
        refitted(finished, RefitData(other, material.experiment))


def test_a_refit_is_exported_with_what_it_is(finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "verify_parity", lambda *_: Parity(20, (1, 7), 0.0, True))
    Result(finished.folder).export(tmp_path / "model", "ensemble(2)", refit=True)
    said = json.loads((tmp_path / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert said["refit"]["trained_on"] == "train + validation"
    assert said["refit"]["epochs"] == said["epochs"] == 3
    assert (said["members"], said["refit"]["rows"]) == (2, 80)
    assert set(said["metrics"]) == {"train", "test"}
    text = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "trained on train + validation (80 rows), its validation score is therefore unknown" in text
    assert "the median\nof what its replicates trained (3, 3, 3)" in text
    assert "| accuracy |" in text
    table = finished.table
    serve = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_default"]
    answers = serve(**{name: tf.constant(table[column], tf.float32) for name, column in said["inputs"].items()})
    right = np.array([label.decode() for label in answers["label"].numpy()]) == table["kind"].to_numpy()
    wanted = said["metrics"]["train"]["accuracy"] * 80 + said["metrics"]["test"]["accuracy"] * 20
    assert right.sum() == pytest.approx(wanted, abs=1e-4)


def test_arrays_are_handed_over_again(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "verify_parity", lambda *_: Parity(1, (1, 7), 0.0, True))
    x, y = rows
    options: dict[str, Any] = {"training": {"epochs": 1, "learning_rate": 0.01}, "replicates": 2, "workers": 0}
    result = regzoo.compare(x, y, backbone="linear", recipes=["none"], **options)
    result.export(tmp_path / "model", refit=True, x=x, y=y)
    with pytest.raises(InputError, match=r"handed over in Python: call export\(\.\.\., refit=True, x=x, y=y\)"):
        result.export(tmp_path / "other", refit=True)
    with pytest.raises(InputError, match="this is not the data of the comparison"):
        result.export(tmp_path / "other", refit=True, x=x + 1, y=y)
    with pytest.raises(InputError, match="x and y are for refit=True"):
        result.export(tmp_path / "other", x=x, y=y)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("time", [None, np.arange(60)])
def test_with_folds_all_rows_train_that_do_not_test(rows: Any, time: Any) -> None:
    """In the order of time the first fold is but two pieces of four."""
    asked = {"backbone": "mlp([4])", "recipes": ["none"], "split": {"folds": 3}, "replicates": 2}
    experiment = api.configs.from_keywords(**asked, training={"epochs": 1, "learning_rate": 0.01})
    dataset = from_arrays(*rows, **({} if time is None else {"time": time}))
    setup = make_setup(experiment, prepare_fold(dataset, experiment.split, experiment.seed))
    best = Record(Run("replicate", "none", "none", 1, 5, 0.01, 1, setup.digest, fold=1), "ok", epochs=1)
    made = refit_recipe(best, [best], setup, RefitData(dataset, experiment))
    assert made.refit.rows == 60 - 12
    assert made.record.run.fold == 0
