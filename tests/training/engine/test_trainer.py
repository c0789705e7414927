"""Trainer: the record and weights of a run: of one training, of an ensemble, and of a run that diverges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import parse
from regzoo.core.cells import Cells
from regzoo.training.engine.batching import PartArrays
from regzoo.training.engine.make_model import load_finished_model
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Record, Run, derive_member_seed
from regzoo.training.setup import FoldSetup, TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")


def make_run(recipe: str = "none", stage: Any = "replicate", **given: Any) -> Run:
    fields = {"number": 0, "seed": 5, "learning_rate": 0.01, "epochs": 3, "setup": SETUP.digest}
    return Run(stage, recipe, recipe, **{**fields, **given})


def split_rows(rows: Rows) -> dict[str, Rows]:
    x, y = rows
    return {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])}


@pytest.fixture(scope="module")
def trainer(rows: Rows) -> Trainer:
    return Trainer(SETUP, split_rows(rows))


def measure(task: Task, rows: PartArrays, probabilities: np.ndarray) -> dict[str, float]:
    values = task.measure(task.encode(tf.constant(rows[1])), tf.math.log(tf.constant(probabilities)))
    return {name: float(value) for name, value in values.items()}


def without_times(record: Record) -> Record:
    return replace(record, fit_seconds=0.0, measure_seconds=0.0, predict_ms=0.0)


def test_a_record_describes_the_run(trainer: Trainer) -> None:
    record, weights = execute_run(make_run(), trainer)
    assert (record.status, record.error, record.epochs) == ("ok", None, 3)
    assert record.steps == 3 * 3  # 36 rows, batches of 16
    assert record.parameters == 5 * 8 + 8 + 8 * 3 + 3
    assert set(record.metrics) == {"train", "validation", "test"}
    curve = record.history["validation"]["nll"]
    assert record.best_epoch == 1 + int(np.argmin(np.array(curve, float)))
    for part in ("train", "validation"):
        assert {name: values[-1] for name, values in record.history[part].items()} == pytest.approx(
            {name: record.metrics[part][name] for name in record.history[part]}, abs=1e-6
        )
    assert [[array.shape for array in member] for member in weights] == [[(5, 8), (8,), (8, 3), (3,)]]
    assert record.fit_seconds > 0
    assert record.measure_seconds > 0
    assert record.predict_ms is not None
    assert record.predict_ms > 0


def test_trials_do_not_use_the_test_part(trainer: Trainer) -> None:
    record, _ = execute_run(make_run(stage="trial"), trainer)
    assert set(record.metrics) == {"train", "validation"}
    assert set(record.history) == {"train", "validation"}


def test_a_run_does_not_depend_on_earlier_runs(trainer: Trainer, rows: Rows) -> None:
    first, weights = execute_run(make_run("dropout(0.5)"), trainer)
    execute_run(make_run("dropout(0.1)", seed=6, learning_rate=0.1), trainer)
    execute_run(make_run("dropout(0.9) + l2(1.0)"), trainer)
    for again, others in (
        execute_run(make_run("dropout(0.5)"), trainer),
        execute_run(make_run("dropout(0.5)"), Trainer(SETUP, split_rows(rows))),
    ):
        assert without_times(again) == without_times(first)
        for one, other in zip(weights[0], others[0], strict=True):
            np.testing.assert_array_equal(one, other)


def test_one_structure_is_traced_once(rows: Rows) -> None:
    trainer = Trainer(SETUP, split_rows(rows))
    for recipe in ("none", "early_stopping(3)", "ensemble(2)", "dropout(0.5)", "dropout(linear(0.5, 0.0, epochs=2))"):
        execute_run(make_run(recipe, epochs=1), trainer)
    assert len(trainer.programs) == 2  # none, early_stopping and ensemble share one; both dropouts share one
    assert [program.traces for program in trainer.programs.values()] == [1, 1]


def test_the_least_recently_used_program_is_dropped(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regzoo.training.engine.trainer.MAX_PROGRAMS", 2)
    trainer = Trainer(SETUP, split_rows(rows))
    none = trainer.get_program(parse("none"))
    trainer.get_program(parse("l2(0.1)"))
    assert trainer.get_program(parse("none")) is none
    trainer.get_program(parse("l1(0.1)"))
    assert len(trainer.programs) == 2
    assert trainer.get_program(parse("none")) is none


def test_the_model_can_be_built_from_its_weights(trainer: Trainer) -> None:
    for recipe in ("dropout(0.5) + batch_norm(0.9)", "ensemble(3)"):
        record, weights = execute_run(make_run(recipe), trainer)
        model = load_finished_model(SETUP, parse(recipe), weights)
        for part, rows in trainer.data.items():
            found = measure(SETUP.task, rows, model(rows[0]).numpy())
            assert found == pytest.approx(record.metrics[part], abs=1e-5)  # float32, softmax and logarithm


def test_an_ensemble_is_measured_by_the_mean_probabilities_of_its_members(trainer: Trainer) -> None:
    record, weights = execute_run(make_run("ensemble(3)"), trainer)
    alone, own = execute_run(make_run(), trainer)
    for one, other in zip(weights[0], own[0], strict=True):
        np.testing.assert_array_equal(one, other)  # the first member equals the baseline
    assert not any(np.array_equal(weights[0][0], member[0]) for member in weights[1:])
    assert record.parameters == 3 * alone.parameters
    assert record.steps == 3 * alone.steps
    members = [load_finished_model(SETUP, parse("none"), [member]) for member in weights]
    for part, rows in trainer.data.items():
        probabilities = np.mean([member(rows[0]).numpy() for member in members], axis=0)
        assert record.metrics[part] == pytest.approx(measure(SETUP.task, rows, probabilities), abs=1e-6)
        each = [measure(SETUP.task, rows, member(rows[0]).numpy())["nll"] for member in members]
        nll = record.metrics[part]["nll"]
        assert nll is not None
        assert nll < np.mean(each)  # Jensen's inequality; strict, since the members differ


def test_an_ensemble_is_saved_and_loaded_as_one_keras_model(trainer: Trainer, tmp_path: Path) -> None:
    _, weights = execute_run(make_run("ensemble(2)"), trainer)
    model = load_finished_model(SETUP, parse("ensemble(2)"), weights)
    model.save(tmp_path / "model.keras")
    x = trainer.data["test"][0]
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(x), model(x))


def test_an_ensemble_of_one_is_the_baseline(trainer: Trainer) -> None:
    one, alone = execute_run(make_run("ensemble(1)"), trainer)[0], execute_run(make_run(), trainer)[0]
    assert (one.metrics, one.history) == (alone.metrics, alone.history)


def test_each_member_has_its_own_seed() -> None:
    seeds = [derive_member_seed(seed, member) for seed in (1, 2) for member in range(4)]
    assert len(set(seeds)) == 8
    assert derive_member_seed(1, 0) == 1


def test_an_ensemble_of_regressors_averages_predictions(numbers: Rows) -> None:
    setup = replace(SETUP, task=Task("regression", 1, scale=50.0), rank_by="rmse")
    x, y = numbers[0], ((numbers[1] - 300.0) / 50.0).astype(np.float32)[:, None]
    trainer = Trainer(setup, split_rows((x, y)))
    record, weights = execute_run(make_run("ensemble(2)", setup=setup.digest), trainer)
    x, y = trainer.data["test"]
    predicted = np.mean([load_finished_model(setup, parse("none"), [member])(x).numpy() for member in weights], axis=0)
    assert record.metrics["test"]["rmse"] == pytest.approx(50 * np.sqrt(np.mean(np.square(predicted - y))), rel=1e-5)


def test_early_stopping_ends_a_run(trainer: Trainer) -> None:
    stopped, _ = execute_run(make_run("early_stopping(2)", epochs=300, learning_rate=0.1), trainer)
    assert stopped.epochs == stopped.best_epoch + 2 < 300
    best = stopped.history["validation"]["nll"][stopped.best_epoch - 1]
    assert stopped.metrics["validation"]["nll"] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("rate", [1e30, float("inf")])
def test_a_diverged_run_is_recorded_in_strict_json(rate: float, trainer: Trainer) -> None:
    record, _ = execute_run(make_run(learning_rate=rate, epochs=20), trainer)
    assert record.status == "diverged"
    assert record.epochs < 20
    assert record.error is not None
    assert "not finite after epoch" in record.error
    assert np.isnan(record.score("nll"))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = record.to_json()
    json.loads(text, parse_constant=refuse)
    assert execute_run(make_run(), trainer)[0].status == "ok"


def test_a_run_on_images(images: Rows) -> None:
    setup = replace(SETUP, backbone="cnn([2], dense=4)", input_shape=(8, 8, 1))
    record, _ = execute_run(make_run("dropout(0.1)", setup=setup.digest), Trainer(setup, split_rows(images)))
    assert record.status == "ok"
    assert record.parameters == (9 * 2 + 2) + (4 * 4 * 2 * 4 + 4) + (4 * 3 + 3)


@pytest.mark.slow
@pytest.mark.parametrize("memory", [None, 1], ids=["in memory", "streamed"])
def test_folds_of_equal_shapes_share_a_program_and_no_rows(rows: Rows, memory: int | None) -> None:
    x, y = rows
    parts = [split_rows((x * scale, y)) for scale in (1.0, 0.5, 2.0)]
    folds = {f"{fold}/{part}" if fold else part: arrays for fold in range(3) for part, arrays in parts[fold].items()}
    setup = replace(SETUP, folds=(FoldSetup(SETUP.task, SETUP.input_shape),) * 2)
    trainer = Trainer(setup, folds, memory)
    expected = [execute_run(make_run("dropout(0.5)"), Trainer(SETUP, part)) for part in parts]
    for fold in (1, 0, 2, 1):
        found, weights = execute_run(make_run("dropout(0.5)", fold=fold), trainer)
        record, others = expected[fold]
        assert without_times(replace(found, run=record.run)) == without_times(record)
        assert all(np.array_equal(a, b) for a, b in zip(weights[0], others[0], strict=True))
    assert len(trainer.programs) == 1
    assert len({json.dumps(record.metrics) for record, _ in expected}) == 3


@pytest.mark.slow
def test_folds_of_equal_shapes_and_other_cells_share_no_program(rows: Rows) -> None:
    x, y = rows
    first, second = Cells.from_sizes([(0, 2), (0, 3)]), Cells.from_sizes([(0, 3), (0, 2)])
    part = split_rows((x, y))
    both = replace(SETUP, cells=first, folds=(FoldSetup(SETUP.task, SETUP.input_shape, second),))
    trainer = Trainer(both, part | {f"1/{name}": arrays for name, arrays in part.items()})
    for fold, cells in enumerate((first, second)):
        run = make_run("swap_noise(0.5)", fold=fold)
        expected = execute_run(replace(run, fold=0), Trainer(replace(SETUP, cells=cells), part))[1]
        found = execute_run(run, trainer)[1]
        assert all(np.array_equal(a, b) for a, b in zip(found[0], expected[0], strict=True))
    assert len(trainer.programs) == 2


def test_a_run_in_another_fold_equals_the_run_on_that_fold_alone(rows: Rows) -> None:
    """The folds differ in number of features and task scale."""
    x, y = rows[0], rows[0].sum(1, keepdims=True)
    first, second = split_rows((x, y)), split_rows((x[::-1, :4], y[::-1]))
    own = replace(SETUP, task=Task("regression", 1, 7.0), input_shape=(4,), rank_by="rmse")
    both = replace(own, task=Task("regression", 1, 2.0), input_shape=(5,), folds=(FoldSetup(own.task, (4,)),))
    trainer = Trainer(both, first | {f"1/{part}": arrays for part, arrays in second.items()})
    for recipe in ("dropout(0.5)", "ensemble(2)"):
        asked = make_run(recipe, fold=1, setup=both.digest)
        expected, weights = execute_run(replace(asked, fold=0), Trainer(own, second))
        found, left = execute_run(asked, trainer)
        assert without_times(replace(found, run=expected.run)) == without_times(expected)
        for one, other in zip(left, weights, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert execute_run(make_run(setup=both.digest), trainer)[0].status == "ok"
    assert len(trainer.programs) == 3
