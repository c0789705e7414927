"""The twin law for losses, metrics and targets: every one that Keras ships, and targets that do not fit."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest

from tests.training.attach.twins import (
    ONE_HOT,
    SPARSE,
    WEIGHTS,
    Y,
    assert_same_outcome,
    compare_outcomes,
    dense,
    get_outcome,
    make_twins,
)

pytestmark = pytest.mark.slow

L = keras.layers
X = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)


def one_sigmoid() -> keras.Model:
    return dense(L.Dense(1, "sigmoid"))


def numbers() -> keras.Model:
    return dense(L.Dense(3))


TARGETS: dict[str, tuple[Callable[[], keras.Model], Any]] = {
    "class numbers": (dense, Y),
    "one-hot": (dense, ONE_HOT),
    "one sigmoid": (one_sigmoid, (Y > 0).astype(np.float32)),
    "numbers": (numbers, ONE_HOT * 1.5),
}


def list_public(module: Any) -> dict[str, Any]:
    """Return classes and functions of a public module of Keras, each under one of its names."""
    names = {value: name for name, value in vars(module).items() if callable(value) and name[0] != "_"}
    return {name: value for value, name in names.items() if name not in ("get", "serialize", "deserialize")}


ARGUMENTS: Mapping[str, dict[str, Any]] = {
    **{name: {"num_classes": 3, "target_class_ids": [0, 2]} for name in ("IoU", "OneHotIoU")},
    **{name: {"num_classes": 3} for name in ("MeanIoU", "OneHotMeanIoU")},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "MeanMetricWrapper": {"fn": keras.losses.mean_squared_error},
    **{name: {"k": 2} for name in ("TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy")},
}
"""Arguments of the metrics that need some."""


def list_metrics() -> dict[str, Callable[[], Any]]:
    """Return what makes each metric: classes, and functions as users pass them."""
    made: dict[str, Callable[[], Any]] = {}
    for name, value in list_public(keras.metrics).items():
        if inspect.isclass(value) and value is not keras.metrics.Metric:
            made[name] = functools.partial(value, **ARGUMENTS.get(name, {}))
        elif not inspect.isclass(value):
            made[name] = functools.partial(lambda value: value, value)
    return made


class Share(keras.metrics.Metric):
    """A metric of the user's: the share of outputs above a half."""

    def __init__(self) -> None:
        super().__init__(name="share")
        self.total, self.count = self.add_weight(name="total"), self.add_weight(name="count")

    def update_state(self, y: Any, p: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        self.total.assign_add(keras.ops.sum(keras.ops.cast(p > 0.5, "float32")))
        self.count.assign_add(keras.ops.cast(keras.ops.size(p), "float32"))

    def result(self) -> Any:
        """Return the share."""
        return self.total / self.count


class Squares(keras.losses.Loss):
    """A loss of the user's."""

    def call(self, y: Any, p: Any) -> Any:
        """Return the squares of the errors, (batch, size)."""
        return keras.ops.square(keras.ops.cast(y, p.dtype) - p)


class Signs(keras.optimizers.Optimizer):
    """An optimizer of the user's."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Step against the sign of the gradient."""
        self.assign_sub(variable, learning_rate * keras.ops.sign(gradient))


METRICS = {**list_metrics(), "of the user": Share, "accuracy": lambda: "accuracy", "crossentropy": lambda: "ce"}
MATCHING = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy", "mse", "hinge")


@pytest.mark.parametrize("targets", ["class numbers", "one-hot", "one sigmoid"])
def test_every_metric_of_keras_reads_the_same(targets: str) -> None:
    make, y = TARGETS[targets]
    twins = make_twins(make)
    for name, metric in METRICS.items():

        def run(model: keras.Model, metric: Callable[[], Any] = metric) -> Mapping[str, Any]:
            model.compile("sgd", "mse", metrics=[metric()], weighted_metrics=[metric()], run_eagerly=True)
            found = model.test_on_batch(X, y, sample_weight=WEIGHTS, return_dict=True)
            return {key: value for key, value in found.items() if key != "loss"}

        compare_outcomes(get_outcome(run, twins[0]), get_outcome(run, twins[1]), name=name)


LOSSES = {**list_public(keras.losses), "of the user": Squares}


@pytest.mark.parametrize("targets", ["class numbers", "one-hot", "one sigmoid"])
def test_every_loss_of_keras_trains_the_same(targets: str) -> None:
    make, y = TARGETS[targets]
    twins = make_twins(make)
    start = twins[0].get_weights()
    for name, found in LOSSES.items():
        if found in (keras.losses.Loss, keras.losses.CTC, keras.losses.ctc):
            continue

        def run(model: keras.Model, found: Any = found, name: str = name) -> Mapping[str, Any]:
            model.set_weights(start)
            loss = found() if inspect.isclass(found) else name
            model.compile(Signs(0.01), loss, run_eagerly=True)
            loss_before = model.train_on_batch(X, y)
            return {"loss": loss_before, "weights": np.concatenate([weight.ravel() for weight in model.get_weights()])}

        compare_outcomes(get_outcome(run, twins[0]), get_outcome(run, twins[1]), name=name)


WRONG: dict[str, Callable[[Any], Any]] = {
    "too large": lambda y: y + 1,
    "negative": lambda y: y - 1,
    "halves": lambda y: y + 0.5,
    "missing": lambda y: np.where(y == y.max(), np.nan, y),
    "infinite": lambda y: np.where(y == y.max(), np.inf, y),
    "one column more": lambda y: np.stack([*y.reshape(len(y), -1).T, y.reshape(len(y), -1)[:, 0]], 1),
    "flat": lambda y: y.reshape(len(y), -1)[:, 0],
    "an axis more": lambda y: y.reshape(len(y), -1, 1),
    "an axis of two": lambda y: np.stack([y, y], axis=-1),
    "too few rows": lambda y: y[:-3],
    "text": lambda y: y.astype(str),
    "booleans": lambda y: y > 0,
    "none at all": lambda y: None,
}


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "graph"])
@pytest.mark.parametrize("targets", ["class numbers", "one-hot", "one sigmoid", "numbers"])
def test_targets_that_do_not_fit_end_the_same(targets: str, eager: bool) -> None:
    make, y = TARGETS[targets]
    loss = dict(zip(("one-hot", "class numbers", "one sigmoid", "numbers"), MATCHING, strict=False))[targets]
    twins = make_twins(make)
    for name in WRONG if eager else ("too large", "missing", "one column more"):

        def run(model: keras.Model, name: str = name) -> Mapping[str, Any]:
            model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], run_eagerly=eager)
            found: Mapping[str, Any] = model.fit(
                X, WRONG[name](y), batch_size=25, epochs=1, shuffle=False, verbose=0
            ).history
            return found

        compare_outcomes(get_outcome(run, twins[0]), get_outcome(run, twins[1]), name=name)


@pytest.mark.parametrize("loss", [{"out": SPARSE}, {"elsewhere": SPARSE}, [SPARSE]], ids=str)
def test_losses_and_metrics_by_the_name_of_the_output_are_the_same(loss: Any) -> None:
    def make() -> keras.Model:
        inputs = keras.Input((5,))
        return keras.Model(inputs, L.Dense(3, "softmax", name="out")(inputs))

    def run(model: keras.Model) -> Mapping[str, Any]:
        weights = {"out": 0.5} if isinstance(loss, dict) else [0.5]
        model.compile("sgd", loss, weights, metrics={"out": ["accuracy"]}, weighted_metrics={"out": "accuracy"})
        history: Mapping[str, Any] = model.fit(X, Y, verbose=0, shuffle=False).history
        return history

    assert_same_outcome(make, run, raises="elsewhere" in loss)


@pytest.mark.parametrize("given", [{"metrics": ["nonsense"]}, {"loss": "nonsense"}, {"optimizer": "nonsense"}], ids=str)
def test_unknown_names_raise_the_same(given: dict[str, Any]) -> None:
    def run(model: keras.Model) -> Mapping[str, Any]:
        model.compile(**{"optimizer": "sgd", "loss": "mse", **given})
        return model.fit(X, ONE_HOT, verbose=0).history

    assert_same_outcome(dense, run, raises=True)


@pytest.mark.parametrize("targets", ["class numbers", "one-hot"])
def test_class_weights_count_the_same_in_metrics(targets: str) -> None:
    make, y = TARGETS[targets]

    def run(model: keras.Model) -> Mapping[str, Any]:
        loss = "categorical_crossentropy" if targets == "one-hot" else "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"], weighted_metrics=["accuracy"])
        weights = {0: 1.0, 1: 5.0, 2: 0.0}
        return model.fit(X, y, class_weight=weights, batch_size=16, epochs=2, shuffle=False, verbose=0).history

    assert_same_outcome(make, run)
