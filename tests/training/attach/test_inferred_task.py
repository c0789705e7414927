"""attach: the task that follows from a model's last layer, and models that have none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import attach
from regzoo.training.attach.graph import Graph

L = keras.layers
QUIET: Any = {"verbose": 0, "shuffle": False, "batch_size": 16}


def plain() -> keras.Model:
    """Return a model with 5 inputs, a hidden layer and 3 classes."""
    return keras.Sequential([keras.Input((5,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """Return the model with ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def count_slots(model: keras.Model) -> dict[str, int]:
    """Return how many slots of each kind ``model`` has."""
    return {kind: count for kind, count in Graph(model).count_slots().items() if count}


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (lambda h: L.Dense(3, activation="softmax")(h), None),
        (lambda h: L.Softmax()(L.Dense(3)(h)), None),
        (lambda h: L.Activation("softmax")(L.Dense(3)(h)), 3),
        (lambda h: keras.ops.softmax(L.Dense(3)(h)), None),
    ],
)
def test_a_softmax_means_classification_and_its_inputs_are_the_logits(make: Any, classes: int | None) -> None:
    model = functional(make)
    attached = attach("none", model, classes)
    assert (attached.task.kind, attached.task.size) == ("classification", 3)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(attached.logits(x), x @ kernel + bias, atol=1e-5)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))


def test_linear_outputs_are_regression_unless_classes_are_given() -> None:
    model = functional(lambda h: L.Dense(3)(L.Dense(4, activation="relu")(h)))
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    regression, classification = attach("dropout(0.1)", model), attach("dropout(0.1)", model, classes=3)
    assert (regression.task.kind, classification.task.kind) == ("regression", "classification")
    np.testing.assert_array_equal(regression.predict(x, verbose=0), model.predict(x, verbose=0))
    np.testing.assert_array_equal(classification.logits(x), model(x))
    np.testing.assert_allclose(classification.predict(x, verbose=0).sum(1), 1.0, atol=1e-6)


def test_another_final_function_stays_in_place() -> None:
    model = functional(lambda h: L.Dense(1, activation="softplus")(h))
    attached = attach("l2(0.1)", model)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    assert count_slots(model) == {"input": 1}


@pytest.mark.parametrize(
    "make", [lambda h: L.Dense(1, activation="sigmoid")(h), lambda h: L.Activation("sigmoid")(L.Dense(1)(h))]
)
def test_one_sigmoid_stays_as_it_is_or_becomes_two_probabilities_for_two_classes(make: Any) -> None:
    model = functional(make)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    p = model.predict(x, verbose=0)
    np.testing.assert_allclose(attach("none", model).predict(x, verbose=0), p, atol=1e-6)
    attached = attach("none", model, classes=2)
    np.testing.assert_allclose(attached.predict(x, verbose=0), np.hstack([1 - p, p]), atol=1e-6)


def test_metrics_of_one_sigmoid_are_refused_if_it_became_two_probabilities() -> None:
    attached = attach("none", functional(lambda h: L.Dense(1, activation="sigmoid")(h)), classes=2)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    y = np.array([0, 1, 0, 1])
    attached.fit(x, y, epochs=1, **QUIET)
    metrics = [keras.metrics.AUC(), keras.metrics.BinaryAccuracy(), keras.metrics.Precision()]
    for metric in metrics:
        attached.compile("sgd", metrics=[metric])
        with pytest.raises(InputError, match=rf"^{metric.name} cannot.* the one sigmoid .*Leave classes out"):
            attached.evaluate(x, y, verbose=0)
    attached.compile("sgd", metrics=[keras.metrics.SparseCategoricalAccuracy(), "accuracy"])
    attached.evaluate(x, y, verbose=0)
    attached.compile("sgd", metrics=metrics)
    attached.evaluate(x, np.eye(2)[y], verbose=0)


def nest(activation: str, size: int) -> Callable[[Any], Any]:
    return lambda x: keras.Sequential([keras.Input((6,)), L.Dense(size, activation=activation)], name="inner")(x)


def nest_twice(activation: str, size: int) -> Callable[[Any], Any]:
    """End in a model whose softmax or sigmoid cannot be taken out, because the model is also called in the middle."""
    inner = keras.Sequential([keras.Input((6,)), L.Dense(size, activation=activation)], name="inner")
    return lambda x: inner(L.Dense(6)(inner(x)))


@pytest.mark.parametrize(
    ("activation", "size", "kind"), [("softmax", 3, "classification"), ("sigmoid", 1, "multilabel")]
)
def test_a_model_may_end_in_another_model(activation: str, size: int, kind: str) -> None:
    model = functional(lambda x: nest(activation, size)(L.Dense(6)(x)))
    attached, x = attach("none", model), np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    assert (attached.task.kind, attached.task.size) == (kind, size)
    np.testing.assert_allclose(attached(x), model(x), rtol=1e-6)


class Subclassed(keras.Model):
    """A model whose layers cannot be seen from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_several_sigmoids_mean_multilabel_classification() -> None:
    model = functional(lambda h: L.Dense(3, activation="sigmoid")(h))
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    attached = attach("none", model)
    assert (attached.task.kind, attached.task.size) == ("multilabel", 3)
    np.testing.assert_allclose(attached.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    attached.fit(x, np.eye(4, 3), epochs=1, **QUIET)


@pytest.mark.parametrize(
    ("make", "classes", "reason"),
    [
        (lambda h: L.Dense(3, activation="softmax")(h), 4, "ends in a softmax over 3, received classes=4"),
        (lambda h: L.Dense(3, activation="sigmoid")(h), 3, "ends in a sigmoid over 3"),
        (lambda h: L.Dense(3)(h), 2, "needs a model that ends in 2 logits, received 3 of linear"),
        (lambda h: L.Dense(3, activation="relu")(h), 3, "needs a model that ends in 3 logits, received 3 of relu"),
        (lambda h: L.Dense(1)(h)[:, 0], None, r"outputs \(batch, \.\.\., size\), received outputs of shape \(None,\)"),
        (nest_twice("softmax", 3), None, "outputs are probabilities, and its last layer 'inner' does not show it"),
        (nest_twice("sigmoid", 6), None, "outputs are probabilities, and its last layer 'inner' does not show it"),
        (lambda h: L.Activation("linear", name="as_is")(L.Dense(3, activation="softmax")(h)), None, "'as_is' does not"),
        (lambda h: [L.Dense(1)(h), L.Dense(2)(h)], None, "a model with one output, received 2: choose one"),
        (lambda h: h, None, "returns its input"),
    ],
)
def test_a_model_that_ends_in_no_task_is_refused(make: Any, classes: int | None, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        attach("l2(0.1)", functional(make), classes)


@pytest.mark.parametrize(
    ("model", "recipe", "reason"),
    [
        (Subclassed, "l2(0.1)", r"Subclassed is a subclass of keras.Model.*build it with the functional API"),
        (lambda: keras.Sequential([L.Dense(2)]), "l2(0.1)", r"is not built: begin it with keras.Input"),
        (lambda: "mlp", "l2(0.1)", "attach takes a keras.Model, received str"),
        (lambda: attach("none", plain()), "l2(0.1)", "has a recipe already"),
        (
            lambda: functional(lambda x: L.Softmax()(attach("l2(0.5)", plain())(x)), (5,)),
            "dropout(0.1)",
            r"is a model with the recipe l2\(0\.5\): put the model that it was made of in its place",
        ),
        (plain, "dropout", r"dropout\.rate .* is left to the search"),
        (plain, "ensemble(2)", "ensemble acts on trained models"),
        (plain, "dropuot(0.1)", "Did you mean 'dropout'"),
        (plain, "random_flip(0.5)", "random_flip needs images"),
    ],
)
def test_unfit_models_and_recipes_are_refused(model: Callable[[], Any], recipe: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        attach(recipe, model())
