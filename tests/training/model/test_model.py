"""RegularizedModel: a Keras model in fit, evaluate, predict, save and load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError, parse
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
THREE = Task("classification", 3)
FIXTURES = Path(__file__).parents[2] / "fixtures"
QUIET: Any = {"verbose": 0, "shuffle": False, "batch_size": 16}


def build(recipe: str = "none", task: Task = THREE, seed: int = 0, **compiled: Any) -> RegularizedModel:
    model = build_model("mlp([8])", parse(recipe), task, (5,), seed)
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), **compiled})
    return model


def nll(model: RegularizedModel, x: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(model.predict(x, verbose=0)[np.arange(len(y)), y]).mean())


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_fit_learns_and_evaluate_and_predict_agree(rows: Rows) -> None:
    x, y = rows
    model = build("dropout(0.1)")
    before = nll(model, x, y)
    history = model.fit(x, y, epochs=20, validation_data=(x, y), **QUIET).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert nll(model, x, y) < 0.7 * before
    loss, accuracy = model.evaluate(x, y, verbose=0)
    predicted = model.predict(x, verbose=0)
    assert loss == pytest.approx(nll(model, x, y), abs=1e-6)
    assert accuracy == pytest.approx(np.mean(predicted.argmax(1) == y), abs=1e-6)
    np.testing.assert_allclose(predicted.sum(1), 1.0, atol=1e-6)


def test_loss_includes_penalties_and_val_loss_does_not(rows: Rows) -> None:
    x, y = rows
    model = build("l2(0.5)", optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(x, y, epochs=1, validation_data=(x, y), verbose=0, batch_size=60).history
    squares = sum(float(np.sum(np.square(w))) for w in model.get_weights() if w.ndim == 2)
    assert history["val_loss"] == [pytest.approx(nll(model, x, y), rel=1e-6)]
    assert history["loss"] == [pytest.approx(nll(model, x, y) + 0.5 * squares, rel=1e-6)]


def test_regression_fits_numbers(numbers: Rows) -> None:
    x, y = numbers
    y = (y - y.mean()) / y.std()
    model = build("none", Task("regression", 1))
    model.fit(x, y, epochs=1, **QUIET)
    loss, absolute_error = model.evaluate(x, y, verbose=0)
    predicted = model.predict(x, verbose=0)[:, 0]
    assert loss == pytest.approx(np.mean(np.square(predicted - y)), rel=1e-5)
    assert absolute_error == pytest.approx(np.mean(np.abs(predicted - y)), rel=1e-5)


def test_the_weights_are_those_of_the_layers() -> None:
    model = build("dropout(0.5) + l2(0.001) + weight_decay(0.01) + gaussian_noise(0.1)")
    assert [w.shape for w in model.get_weights()] == [(5, 8), (8,), (8, 3), (3,)]


def test_other_metrics_can_be_compiled(rows: Rows) -> None:
    x, y = rows
    model = build(metrics=[keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")])
    history = model.fit(x, y, epochs=1, **QUIET).history
    assert set(history) == {"loss", "top2"}


@pytest.mark.slow
def test_one_hot_targets_and_datasets_train_the_same_weights(rows: Rows) -> None:
    x, y = rows
    plain, hot, streamed = build(), build(), build()
    plain.fit(x, y, epochs=2, **QUIET)
    hot.fit(x, np.eye(3, dtype=np.float32)[y], epochs=2, **QUIET)
    streamed.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(16), epochs=2, verbose=0, shuffle=False)
    assert equal(plain.get_weights(), hot.get_weights())
    assert equal(plain.get_weights(), streamed.get_weights())


def test_class_weights_are_sample_weights(rows: Rows) -> None:
    x, y = rows
    by_class, by_row, unweighted, ones = build(), build(), build(), build()
    by_class.fit(x, y, epochs=2, class_weight={0: 1.0, 1: 3.0, 2: 0.0}, **QUIET)
    by_row.fit(x, y, epochs=2, sample_weight=np.array([1.0, 3.0, 0.0])[y], **QUIET)
    unweighted.fit(x, y, epochs=2, **QUIET)
    ones.fit(x, y, epochs=2, sample_weight=np.ones(len(y)), **QUIET)
    assert equal(by_class.get_weights(), by_row.get_weights())
    assert equal(unweighted.get_weights(), ones.get_weights())
    assert not equal(by_class.get_weights(), unweighted.get_weights())


def test_a_weight_of_zero_removes_a_row(rows: Rows) -> None:
    x, y = rows
    weighted, fewer = (build(optimizer=keras.optimizers.SGD(0.1)) for _ in range(2))
    # a mean over 60 rows of which half count is half the mean over that half
    weighted.fit(x, y, sample_weight=np.repeat([2.0, 0.0], 30), epochs=1, verbose=0, batch_size=60)
    fewer.fit(x[:30], y[:30], epochs=1, verbose=0, batch_size=30)
    for one, other in zip(weighted.get_weights(), fewer.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_schedules_set_their_dials_epoch_by_epoch(rows: Rows) -> None:
    x, y = rows
    model = build("dropout(linear(0.5, 0.1, epochs=2)) + l2(0.25)")
    seen = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.dials))
    model.fit(x, y, epochs=4, callbacks=[record], **QUIET)
    assert [dials["dropout.rate"] for dials in seen] == pytest.approx([0.5, 0.3, 0.1, 0.1])
    assert {dials["l2.strength"] for dials in seen} == {0.25}


def test_early_stopping_stops_and_restores_the_best_weights(rows: Rows) -> None:
    x, y = rows
    model = build("early_stopping(2)", optimizer=keras.optimizers.SGD(0.5))
    history = model.fit(x[:20], y[:20], epochs=200, validation_data=(x[20:], y[20:]), **QUIET).history["val_loss"]
    best = int(np.argmin(history))
    assert len(history) == best + 1 + 2 < 200
    assert model.evaluate(x[20:], y[20:], verbose=0)[0] == pytest.approx(history[best], rel=1e-6)


def test_early_stopping_needs_validation_data(rows: Rows) -> None:
    x, y = rows
    with pytest.raises(InputError, match="early_stopping watches validation: pass validation_data"):
        build("early_stopping(2)").fit(x, y, **QUIET)
    for given in ({"validation_data": (x, y)}, {"validation_split": 0.2}):
        build("early_stopping(2)").fit(x, y, epochs=1, **QUIET, **given)


def test_the_same_seed_gives_the_same_training_and_another_seed_another(rows: Rows) -> None:
    x, y = rows
    one, same, other = (build("dropout(0.5)", seed=seed) for seed in (3, 3, 4))
    histories = [model.fit(x, y, epochs=2, **QUIET).history["loss"] for model in (one, same, other)]
    assert histories[0] == histories[1] != histories[2]
    assert equal(one.get_weights(), same.get_weights())


def test_reset_restores_the_start(rows: Rows) -> None:
    x, y = rows
    model = build("dropout(0.5) + batch_norm(0.9) + gaussian_noise(0.1)", seed=1)
    start = model.get_weights()
    first = model.fit(x, y, epochs=2, **QUIET).history
    model.reset(1)
    assert equal(model.get_weights(), start)
    assert int(model.optimizer.iterations) == 0
    assert model.fit(x, y, epochs=2, **QUIET).history == first


@pytest.mark.parametrize("recipe", ["none", "dropout(0.5) + l2(0.001)", "batch_norm(0.9) + gaussian_noise(0.1)"])
def test_a_loaded_model_predicts_the_same(rows: Rows, recipe: str, tmp_path: Path) -> None:
    x, y = rows
    model = build(recipe)
    model.fit(x, y, epochs=2, **QUIET)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, RegularizedModel)
    assert loaded.recipe == model.recipe
    assert loaded.dials == model.dials
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert loaded.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


def test_a_loaded_model_continues_the_training(rows: Rows, tmp_path: Path) -> None:
    x, y = rows
    model = build("l2(0.001)")  # no random stream: Keras saves none
    model.fit(x, y, epochs=2, **QUIET)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.fit(x, y, epochs=1, **QUIET).history == model.fit(x, y, epochs=1, **QUIET).history
    assert equal(loaded.get_weights(), model.get_weights())


@pytest.mark.parametrize("imports", ["import keras, regzoo", "import regzoo, keras"])
@pytest.mark.slow
def test_files_of_this_and_an_older_version_load_after_the_import_of_regzoo(
    imports: str, rows: Rows, tmp_path: Path
) -> None:
    """Keras finds weights by the names of classes and attributes, so these are part of the format."""
    x, y = rows
    model = build("dropout(0.5) + l2(0.001)")
    model.fit(x, y, epochs=1, **QUIET)
    model.save(tmp_path / "current.keras")
    np.savez(tmp_path / "predictions.npz", x=x, current=model.predict(x, verbose=0))
    script = """
import sys, numpy as np
IMPORTS
for folder in sys.argv[1:]:
    with np.load(f"{folder}/predictions.npz") as saved:
        for name in sorted(set(saved.files) - {"x"}):
            model = keras.models.load_model(f"{folder}/{name}.keras")
            difference = np.abs(model.predict(saved["x"], verbose=0) - saved[name]).max()
            print(name, isinstance(model, regzoo.RegularizedModel), difference)
"""
    folders = [str(tmp_path), str(FIXTURES / "format_1_models")]
    command = [sys.executable, "-W", "error::UserWarning", "-c", script.replace("IMPORTS", imports), *folders]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    loaded = [line.split() for line in done.stdout.splitlines()]
    kinds = {name: kind for name, kind, _ in loaded}
    averages = {"mc_dropout": "False", "snapshot_ensemble": "False"}
    assert kinds == {"current": "True", "attached": "True", "built": "True", **averages}, done.stderr
    assert float(loaded[0][-1]) == 0.0
    assert max(float(difference) for *_, difference in loaded) < 1e-6  # float32 probabilities, on any processor


def test_a_turned_dial_acts_at_once(rows: Rows) -> None:
    model = build("dropout(0.5)")
    assert model.dials == {"dropout.rate": 0.5}
    model.set_dials({"dropout.rate": 0.0})
    x = rows[0]
    np.testing.assert_array_equal(model.logits(x, training=True), model.logits(x))
    model.set_dials({"dropout.rate": 1.0})
    np.testing.assert_allclose(model.logits(x, training=True), np.zeros((60, 3)), atol=0)  # all hidden units are off
    assert np.abs(model.logits(x)).min() > 0  # inference uses them
