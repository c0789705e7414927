"""The twin law: ``attach("none", m)`` trains, evaluates, predicts and is saved as ``m`` is. Keras gives the values."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError
from regzoo.training.attach.attach import attach

L = keras.layers
Make = Callable[[], keras.Model]

ROUNDING = 2e-5
"""A few hundred float32 roundings (6e-8) of numbers near 1: a dozen steps sum in another order."""

HALF = 2e-2
"""The same for bfloat16, whose rounding is 4e-3, in the activations of a small network."""


def dense(head: Any = None) -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(8, "relu", name="first"), head or L.Dense(3, "softmax")])


def with_state() -> keras.Model:
    """Batch norm, dropout of its own, a penalty of its own, and a loss that a layer adds."""
    inputs = keras.Input((5,))
    h = L.Dense(8, kernel_regularizer="l2", name="first")(inputs)
    h = L.Activation("relu")(L.BatchNormalization()(h))
    h = L.ActivityRegularization(l2=0.01)(L.Dropout(0.4, seed=3)(h))
    return keras.Model(inputs, L.Dense(3, "softmax")(h))


def shared() -> keras.Model:
    """One layer that is called twice."""
    inputs, layer = keras.Input((5,)), L.Dense(5, "tanh", name="first")
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Add()([layer(inputs), layer(layer(inputs))])))


def sequences() -> keras.Model:
    """Masks, a bidirectional layer and an embedding of token numbers."""
    inputs = keras.Input((5,), dtype="int32")
    h = L.Embedding(7, 4, mask_zero=True, name="first")(inputs)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Bidirectional(L.LSTM(4))(h)))


def two_inputs() -> keras.Model:
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    h = L.Concatenate()([L.Dense(4, "relu", name="first")(left), right])
    return keras.Model({"left": left, "right": right}, L.Dense(3, "softmax")(h))


def images() -> keras.Model:
    inputs = keras.Input((5, 5, 1))
    h = L.Conv2D(4, 3, activation="relu", padding="same", name="first")(inputs)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(L.MaxPooling2D()(h))))


def x_for(model: keras.Model) -> Any:
    random = np.random.default_rng(0)
    if len(model.inputs) > 1:
        return {tensor.name: random.normal(size=(50, 5)).astype(np.float32) for tensor in model.inputs}
    if "int" in str(model.inputs[0].dtype):
        return random.integers(0, 7, (50, 5)).astype(np.int32)
    return random.normal(size=(50, *model.inputs[0].shape[1:])).astype(np.float32)


Y = np.random.default_rng(1).integers(0, 3, 50)
ONE_HOT = np.eye(3, dtype=np.float32)[Y]
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"


@dataclass(frozen=True)
class Case:
    """What `compile` and `fit` are given; functions make what is used up."""

    make: Make = dense
    y: Any = field(default_factory=lambda: Y)
    loss: Any = SPARSE
    optimizer: Callable[[], Any] = lambda: keras.optimizers.SGD(0.1)
    compile: Callable[[], dict[str, Any]] = dict
    fit: Callable[[], dict[str, Any]] = dict
    data: Callable[[Any, Any], dict[str, Any]] = lambda x, y: {"x": x, "y": y, "batch_size": 16}
    policy: str = "float32"
    tolerance: float = ROUNDING


def optimizers() -> dict[str, Case]:
    """Return a case for each optimizer of the installed Keras, and for what all of them take."""
    found = {name: kind for name, kind in vars(keras.optimizers).items() if inspect.isclass(kind)}
    wrappers = ("Optimizer", "OptimizerMap", "MultiOptimizer", "LossScaleOptimizer")
    plain = {name: kind for name, kind in found.items() if name not in wrappers and name[0].isupper()}
    options: dict[str, dict[str, Any]] = {
        "loss_scale_factor": {"loss_scale_factor": 512.0},
        "ema": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
        "accumulation": {"gradient_accumulation_steps": 2},
        "clipnorm": {"clipnorm": 0.01},
        "global_clipnorm": {"global_clipnorm": 0.01},
        "clipvalue": {"clipvalue": 0.001},
        "weight_decay": {"weight_decay": 0.1},
        "schedule": {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    }

    def scaled() -> Any:
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=64.0)

    def several() -> Any:
        adam, sgd = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1)
        return keras.optimizers.MultiOptimizer(lambda variable: adam if "first" in variable.path else sgd)

    return {
        **{name: Case(optimizer=kind) for name, kind in plain.items()},
        **{name: Case(optimizer=functools.partial(keras.optimizers.Adam, **given)) for name, given in options.items()},
        "loss scale optimizer": Case(optimizer=scaled),
        "one for each layer": Case(optimizer=several),
    }


def metrics(*make: Callable[[], Any]) -> Callable[[], dict[str, Any]]:
    return lambda: {"metrics": [each() for each in make], "weighted_metrics": [each() for each in make]}


M = keras.metrics

TARGETS = {
    "one-hot": Case(
        y=ONE_HOT,
        loss=DENSE,
        compile=metrics(
            lambda: "accuracy",
            M.CategoricalAccuracy,
            M.AUC,
            lambda: M.F1Score(average="macro"),
            M.Precision,
            lambda: M.Recall(class_id=1),
            lambda: M.TopKCategoricalAccuracy(2),
            M.KLDivergence,
        ),
    ),
    "class numbers": Case(compile=metrics(lambda: "accuracy", lambda: M.SparseTopKCategoricalAccuracy(2))),
    "a column of class numbers": Case(y=Y[:, None], compile=metrics(lambda: "accuracy")),
    "label smoothing": Case(y=ONE_HOT, loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1)),
    "focal": Case(y=ONE_HOT, loss=keras.losses.CategoricalFocalCrossentropy()),
    "the sum of a batch": Case(loss=keras.losses.SparseCategoricalCrossentropy(reduction="sum")),
    "an ignored class": Case(loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=1)),
    "a list of one loss": Case(loss=[SPARSE], compile=lambda: {"loss_weights": [0.5]}),
    "hinge": Case(y=2 * ONE_HOT - 1, loss="categorical_hinge"),
    "a function": Case(y=ONE_HOT, loss=lambda y, p: keras.ops.mean(keras.ops.square(y - p), axis=-1)),
    "one sigmoid": Case(
        make=lambda: dense(L.Dense(1, "sigmoid")),
        y=(Y > 0).astype(np.float32),
        loss="binary_crossentropy",
        compile=metrics(lambda: "accuracy", M.AUC, M.Precision),
    ),
    "labels": Case(
        make=lambda: dense(L.Dense(3, "sigmoid")), y=ONE_HOT, loss="binary_crossentropy", compile=metrics(M.AUC)
    ),
    "numbers": Case(make=lambda: dense(L.Dense(1)), y=Y * 0.5, loss="huber", compile=metrics(lambda: "mae")),
    "two numbers": Case(make=lambda: dense(L.Dense(3)), y=ONE_HOT, loss="mse", compile=metrics(lambda: "mae")),
}

MODELS = {
    "state": Case(make=with_state),
    "shared": Case(make=shared),
    "sequences": Case(make=sequences),
    "two inputs": Case(make=two_inputs),
    "images": Case(make=images),
}


class Batches(keras.utils.PyDataset):
    """Batches of 16 rows; the last one is smaller."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        rows = slice(16 * index, 16 * index + 16)
        return self.x[rows], self.y[rows]


def dataset(x: Any, y: Any) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)


def generate(x: Any, y: Any) -> Iterator[Any]:
    while True:
        yield from (Batches(x, y)[index] for index in range(4))


WEIGHTS = np.linspace(0.0, 3.0, 50).astype(np.float32)

DATA = {
    "dataset": Case(data=lambda x, y: {"x": dataset(x, y)}),
    "endless dataset": Case(data=lambda x, y: {"x": dataset(x, y).repeat(), "steps_per_epoch": 3}),
    "PyDataset": Case(data=lambda x, y: {"x": Batches(x, y)}),
    "generator": Case(data=lambda x, y: {"x": generate(x, y), "steps_per_epoch": 4}),
    "sample weights": Case(fit=lambda: {"sample_weight": WEIGHTS}, compile=metrics(lambda: "accuracy")),
    "sample weights and penalties": Case(make=with_state, fit=lambda: {"sample_weight": WEIGHTS}),
    "class weights": Case(fit=lambda: {"class_weight": {0: 1.0, 1: 5.0, 2: 0.0}}),
    "validation split": Case(fit=lambda: {"validation_split": 0.3}, compile=metrics(lambda: "accuracy")),
}

FLAGS = {
    "eager": Case(compile=lambda: {"run_eagerly": True}),
    "several steps": Case(compile=lambda: {"steps_per_execution": 3}),
    "XLA": Case(compile=lambda: {"jit_compile": True}, data=lambda x, y: {"x": x[:48], "y": y[:48], "batch_size": 16}),
    "mixed_bfloat16": Case(policy="mixed_bfloat16", tolerance=HALF),
    "mixed_float16": Case(policy="mixed_float16", tolerance=HALF),
    "float64": Case(policy="float64", tolerance=1e-9),
}

CALLBACKS = {
    "early stopping": Case(
        fit=lambda: {
            "callbacks": [keras.callbacks.EarlyStopping("loss", patience=0, restore_best_weights=True, min_delta=1.0)]
        }
    ),
    "schedule": Case(fit=lambda: {"callbacks": [keras.callbacks.LearningRateScheduler(lambda e: 0.1 / (e + 1))]}),
    "plateau": Case(fit=lambda: {"callbacks": [keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1.0)]}),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "optimizer": optimizers(),
        "targets": TARGETS,
        "model": MODELS,
        "data": DATA,
        "flag": FLAGS,
        "callback": CALLBACKS,
    }.items()
    for name, case in cases.items()
}

QUICK = {
    *("optimizer: loss_scale_factor", "flag: float64"),
}


def make_twins(make: Make, recipe: str = "none") -> tuple[keras.Model, keras.Model]:
    """Return the model and its twin."""
    keras.utils.set_random_seed(0)
    model = make()
    return model, attach(recipe, model)


def compile_and_fit(model: keras.Model, case: Case, x: Any) -> dict[str, Any]:
    """Train three epochs; return history, weights, predictions and evaluation."""
    model.compile(optimizer=case.optimizer(), loss=case.loss, **case.compile())
    keras.utils.set_random_seed(1)
    given = case.data(x, case.y)
    history = model.fit(**given, epochs=3, shuffle=False, verbose=0, **case.fit()).history
    evaluated = model.evaluate(x, case.y, verbose=0, return_dict=True)
    weights = {f"weight {number}": weight for number, weight in enumerate(model.get_weights())}
    return {**history, **{f"final {k}": v for k, v in evaluated.items()}, **weights, "p": model.predict(x, verbose=0)}


@pytest.mark.parametrize(
    ("policy", "case"),
    [
        pytest.param(case.policy, case, id=name, marks=[] if name in QUICK else [pytest.mark.slow])
        for name, case in CASES.items()
    ],
    indirect=["policy"],
)
def test_the_twin_trains_as_the_model_does(policy: str, case: Case) -> None:
    assert_same_training(*make_twins(case.make), case)


NEUTRAL = "l2(0.0) + gradient_clip(1000000.0)"
"""A recipe that takes part in the training step and changes nothing."""

NO_EXAMPLE_LOSS = ("the sum of a batch", "an ignored class", "a list of one loss")


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32"], indirect=True)
@pytest.mark.parametrize("name", [name for name in {**TARGETS, **MODELS, **DATA} if name not in NO_EXAMPLE_LOSS])
def test_a_loss_counts_in_regzoos_own_step_as_in_keras(policy: str, name: str) -> None:
    case = {**TARGETS, **MODELS, **DATA}[name]
    assert_same_training(*make_twins(case.make, NEUTRAL), case)


@pytest.mark.parametrize("name", NO_EXAMPLE_LOSS)
def test_a_loss_without_a_value_for_each_example_is_refused(name: str) -> None:
    _, twin = make_twins(dense, NEUTRAL)
    with pytest.raises(InputError, match=r"takes one loss|reduction='sum'|ignore_class"):
        twin.compile("sgd", TARGETS[name].loss)


def assert_same_training(model: keras.Model, twin: keras.Model, case: Case) -> None:
    """Train both; compare histories, evaluation, weights and predictions."""
    x = x_for(model)
    theirs, ours = compile_and_fit(model, case, x), compile_and_fit(twin, case, x)
    assert [name.rstrip("_0123456789") for name in ours] == [name.rstrip("_0123456789") for name in theirs]
    for (name, value), own in zip(theirs.items(), ours.values(), strict=True):
        np.testing.assert_allclose(
            np.asarray(own, np.float64), np.asarray(value, np.float64), case.tolerance, case.tolerance, err_msg=name
        )
    assert twin.predict(x, verbose=0).dtype == model.predict(x, verbose=0).dtype


@pytest.mark.parametrize("y", [Y + 1, Y - 1, np.where(Y == 2, np.nan, Y)], ids=["too large", "negative", "NaN"])
def test_the_twin_refuses_the_labels_that_the_model_refuses(y: Any) -> None:
    for model in make_twins(dense):
        model.compile("sgd", SPARSE)
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            model.fit(x_for(model), y, epochs=1, verbose=0)


@pytest.mark.parametrize("frozen_before", [True, False])
def test_frozen_and_unfrozen_layers_train_as_in_the_model(frozen_before: bool) -> None:
    def make() -> keras.Model:
        model = dense()
        model.get_layer("first").trainable = not frozen_before
        return model

    moved = []
    for model in make_twins(make):
        weights = model.get_layer("first").get_weights()
        if not frozen_before:
            model.get_layer("first").trainable = False
        compile_and_fit(model, Case(), x_for(model))
        np.testing.assert_array_equal(model.get_layer("first").get_weights()[0], weights[0])
        model.get_layer("first").trainable = True
        moved.append(compile_and_fit(model, Case(), x_for(model))["p"])
    np.testing.assert_allclose(moved[1], moved[0], atol=ROUNDING)


@pytest.mark.slow
def test_the_twin_is_cloned_saved_and_loaded_as_the_model_is(tmp_path: Path) -> None:
    model, twin = make_twins(with_state)
    x = x_for(model)
    for each in (model, twin):
        compile_and_fit(each, Case(), x)
        p = each.predict(x, verbose=0)
        each.save(tmp_path / "m.keras")
        loaded = keras.models.load_model(tmp_path / "m.keras")
        np.testing.assert_allclose(loaded.predict(x, verbose=0), p, atol=ROUNDING)
        assert loaded.evaluate(x, Y, verbose=0) == pytest.approx(each.evaluate(x, Y, verbose=0), abs=ROUNDING)
        each.save_weights(tmp_path / "w.weights.h5")
        copy = type(each).from_config(each.get_config())
        copy.load_weights(tmp_path / "w.weights.h5")
        np.testing.assert_allclose(copy.predict(x, verbose=0), p, atol=ROUNDING)
        each.export(tmp_path / type(each).__name__, verbose=False)
        exported = tf.saved_model.load(str(tmp_path / type(each).__name__))
        np.testing.assert_allclose(exported.serve(x), p, atol=ROUNDING)
