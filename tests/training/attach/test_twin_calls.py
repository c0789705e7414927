"""The twin law for the calls of a Keras model: callbacks, single batches, repeated `fit` and `compile`, data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.attach.twins import (
    ONE_HOT,
    SPARSE,
    WEIGHTS,
    Make,
    Y,
    assert_same_outcome,
    dataset,
    dense,
    read_state,
    with_state,
)

L, C = keras.layers, keras.callbacks
X = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
FIT: dict[str, Any] = {"epochs": 4, "batch_size": 16, "shuffle": False, "verbose": 0, "validation_data": (X, Y)}


def compile_plainly(model: keras.Model) -> None:
    model.compile(keras.optimizers.Adam(0.05), SPARSE, metrics=["accuracy"])


def stop(epoch: int, logs: Any = None) -> None:
    if epoch == 2:
        raise KeyboardInterrupt


CALLBACKS: dict[str, Callable[[Path], Any]] = {
    "EarlyStopping": lambda _: C.EarlyStopping("loss", patience=0, restore_best_weights=True, min_delta=1.0),
    "LearningRateScheduler": lambda _: C.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)),
    "ReduceLROnPlateau": lambda _: C.ReduceLROnPlateau("loss", patience=1, min_delta=1.0),
    "TerminateOnNaN": lambda _: C.TerminateOnNaN(),
    "SwapEMAWeights": lambda _: C.SwapEMAWeights(swap_on_epoch=True),
    "CSVLogger": lambda folder: C.CSVLogger(folder / "log.csv"),
    "LambdaCallback": lambda folder: C.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (folder / f"{epoch}.json").write_text(json.dumps(sorted(logs)))
    ),
    "ModelCheckpoint": lambda folder: C.ModelCheckpoint(folder / "m.keras", "val_loss", save_best_only=True),
    "ModelCheckpoint of weights": lambda folder: C.ModelCheckpoint(
        folder / "{epoch}.weights.h5", save_weights_only=True, save_freq=3
    ),
    "BackupAndRestore": lambda folder: C.BackupAndRestore(folder / "backup"),
    "TensorBoard": lambda folder: C.TensorBoard(folder / "logs", histogram_freq=1, write_graph=False),
    "ProgbarLogger": lambda _: C.ProgbarLogger(),
    "History": lambda _: C.History(),
}

ELSEWHERE = {"Callback", "CallbackList", "RemoteMonitor", "OrbaxCheckpoint"}
"""The base class, the list that `fit` makes, and what needs a server or a package that is not installed."""


def test_every_callback_of_keras_is_in_the_table() -> None:
    known = {name.split()[0] for name in CALLBACKS} | ELSEWHERE
    assert {name for name in vars(C) if name[0].isupper()} <= known


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLBACKS)
def test_every_callback_sees_the_same(name: str, tmp_path: Path) -> None:
    def run(model: keras.Model) -> Mapping[str, Any]:
        folder = tmp_path / type(model).__name__
        folder.mkdir()
        optimizer = keras.optimizers.SGD(0.1, use_ema=name == "SwapEMAWeights", ema_momentum=0.5)
        model.compile(optimizer, SPARSE, metrics=["accuracy"])
        history = model.fit(X, Y, callbacks=CALLBACKS[name](folder), **FIT).history
        return {**history, "rate": optimizer.learning_rate.numpy(), **read_state(model, X), **read_folder(folder)}

    assert_same_outcome(dense, run)


def read_folder(folder: Path) -> dict[str, Any]:
    """Return what callbacks wrote as numbers: tables, and models by their predictions."""
    read: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".csv":
            read["table"] = np.genfromtxt(path, delimiter=",", skip_header=1)
        elif path.suffix == ".json":
            read[path.name] = len(json.loads(path.read_text()))
        elif path.suffix == ".keras":
            loaded = keras.models.load_model(path)
            read[path.name] = [*loaded.evaluate(X, Y, verbose=0), *loaded.predict(X, verbose=0).ravel()]
        elif path.suffix == ".h5":
            read[path.name] = path.exists()
    return read


def on_batches(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    found: dict[str, Any] = {}
    for start in (0, 16, 32):  # a ragged one at the end
        rows = slice(start, start + 20)
        batch = X[rows], Y[rows]
        found |= {f"train {k}, {start}": v for k, v in model.train_on_batch(*batch, return_dict=True).items()}
        found[f"list, {start}"] = model.train_on_batch(*batch, sample_weight=WEIGHTS[rows])
        found[f"classes, {start}"] = model.train_on_batch(*batch, class_weight={0: 1.0, 1: 3.0, 2: 0.0})
        found |= {f"test {k}, {start}": v for k, v in model.test_on_batch(*batch, return_dict=True).items()}
    model.reset_metrics()
    return {**found, "p": model.predict_on_batch(X), "called": model(X), "training": model(X, training=True)}


def evaluate(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    given: dict[str, Any] = {"verbose": 0, "batch_size": 16}
    found = {f"{k} in dict": v for k, v in model.evaluate(X, Y, return_dict=True, **given).items()}
    found["list"] = model.evaluate(X, Y, sample_weight=WEIGHTS, **given)
    found["steps"] = model.evaluate(dataset(X, Y), steps=2, verbose=0)
    found["predicted steps"] = model.predict(dataset(X, Y), steps=2, verbose=0)
    assert model.metrics_names == ["loss", "compile_metrics"]
    assert model.loss == SPARSE
    assert model.compiled
    return found


def fit_twice(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    first = model.fit(X, Y, **FIT).history
    again = model.fit(X, Y, **{**FIT, "initial_epoch": 2}).history
    assert len(again["loss"]) == 2
    return {**first, **{f"again {k}": v for k, v in again.items()}, **read_state(model, X)}


def compile_twice(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    first = model.fit(X, Y, **FIT).history
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["mse"], weighted_metrics=["mae"])
    again = model.fit(X, ONE_HOT, **{**FIT, "validation_data": (X, ONE_HOT)}).history
    return {**first, **{f"again {k}": v for k, v in again.items()}, **read_state(model, X)}


def endless(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    data = dataset(X, Y).repeat()
    history = model.fit(
        data,
        steps_per_epoch=3,
        epochs=3,
        validation_data=data,
        validation_steps=2,
        validation_freq=2,
        shuffle=False,
        verbose=0,
    ).history
    return {**history, **read_state(model, X)}


def weighted_data(model: keras.Model) -> Mapping[str, Any]:
    model.compile(keras.optimizers.SGD(0.1), SPARSE, weighted_metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS)).batch(16)
    history = model.fit(data, epochs=2, validation_data=data, shuffle=False, verbose=0).history
    return {**history, **read_state(model, X)}


def odd_steps(model: keras.Model) -> Mapping[str, Any]:
    model.compile(keras.optimizers.SGD(0.1), SPARSE, steps_per_execution=3)
    history = model.fit(dataset(X, Y).repeat(), steps_per_epoch=7, epochs=2, shuffle=False, verbose=0).history
    return {**history, **read_state(model, X)}


def too_few_batches(model: keras.Model) -> Mapping[str, Any]:
    compile_plainly(model)
    history: Mapping[str, Any] = model.fit(dataset(X, Y), steps_per_epoch=3, epochs=3, shuffle=False, verbose=0).history
    return history


def without_compile(model: keras.Model) -> Mapping[str, Any]:
    model.compile(None, SPARSE)  # no optimizer: only evaluate and predict
    return {"loss": model.evaluate(X, Y, verbose=0)}


CALLS = {f.__name__: f for f in (on_batches, evaluate, fit_twice, compile_twice, endless, weighted_data, odd_steps)}


@pytest.mark.parametrize(
    ("name", "make"), [("on_batches", dense), *(pytest.param(n, with_state, marks=pytest.mark.slow) for n in CALLS)]
)
def test_a_call_does_the_same(name: str, make: Make) -> None:
    assert_same_outcome(make, CALLS[name])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_that_ends_early_does_the_same() -> None:
    assert_same_outcome(dense, too_few_batches)


@pytest.mark.slow
def test_without_an_optimizer_it_evaluates_the_same() -> None:
    assert_same_outcome(dense, without_compile)
