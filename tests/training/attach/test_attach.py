"""attach: the copy has the weights and predictions of the user's model, for every kind of inputs."""

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
Rows = tuple[np.ndarray, np.ndarray]
QUIET: Any = {"verbose": 0, "shuffle": False, "batch_size": 16}


def sequential(**last: Any) -> keras.Sequential:
    """Return a model with 5 inputs, two hidden layers and 3 classes."""
    hidden = [L.Dense(8, activation="relu"), L.Dense(7), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3)]
    return keras.Sequential([keras.Input((5,)), *hidden, L.Dense(3, **(last or {"activation": "softmax"}))])


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """Return the model with ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def two_inputs(kind: type = dict) -> keras.Model:
    """Return a model of numbers and an integer, in a dict or a list."""
    numbers, word = keras.Input((5,), name="numbers"), keras.Input((), name="word", dtype="int32")
    h = L.Concatenate()([L.Dense(4, activation="relu")(numbers), L.Embedding(7, 3)(word)])
    inputs: Any = {"numbers": numbers, "word": word} if kind is dict else [numbers, word]
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.Dense(6, activation="tanh")(h)))


def count_slots(model: keras.Model) -> dict[str, int]:
    """Return how many slots of each kind ``model`` has."""
    return {kind: count for kind, count in Graph(model).count_slots().items() if count}


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("recipe", ["none", "dropout(0.5) + l2(0.01) + activation_noise(0.1) + weight_decay(0.1)"])
def test_weights_and_predictions_equal_those_of_the_model(rows: Rows, recipe: str) -> None:
    model = sequential()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*rows, epochs=1, **QUIET)  # so that batch norm's averages are not at their initial values
    before = model.get_weights()
    attached = attach(recipe, model)
    assert equal(attached.get_weights(), before)
    np.testing.assert_array_equal(attached.predict(rows[0], verbose=0), model.predict(rows[0], verbose=0))
    attached.fit(*rows, epochs=2, **QUIET)
    assert not equal(attached.get_weights(), before)
    assert equal(model.get_weights(), before)  # the user's own model is unchanged


def test_fit_learns_and_reports_what_a_built_model_reports(rows: Rows) -> None:
    attached = attach("dropout(0.1)", sequential(), optimizer=keras.optimizers.Adam(0.01))
    history = attached.fit(*rows, epochs=15, validation_data=rows, **QUIET).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["val_loss"][-1] < 0.8 * history["val_loss"][0]


def test_reset_restores_the_weights_for_every_seed(rows: Rows) -> None:
    model = sequential()
    attached = attach("dropout(0.5)", model, optimizer="sgd", seed=3)
    ends: dict[int, list[np.ndarray]] = {}
    for seed in (3, 4, 3):
        attached.reset(seed)
        assert equal(attached.get_weights(), model.get_weights())
        assert int(attached.optimizer.iterations) == 0
        attached.fit(*rows, epochs=1, **QUIET)
        again = attached.get_weights()
        assert seed not in ends or equal(ends[seed], again)  # equal seeds, equal masks
        ends[seed] = again
    assert not equal(ends[3], ends[4])


def test_random_streams_of_the_models_own_layers_differ() -> None:
    nested = keras.Sequential([keras.Input((6,)), L.Dropout(0.5), L.Dropout(0.5)])
    model = functional(lambda x: L.Dense(2)(L.Dropout(0.5)(nested(x))))
    attached = attach("none", model)
    states = {tuple(v.numpy()) for v in attached.variables if "seed_generator" in v.path}
    assert len(states) == 3


def test_losses_of_the_models_own_layers_are_part_of_the_loss(rows: Rows) -> None:
    penalties = {"kernel_regularizer": keras.regularizers.L2(0.5), "activity_regularizer": keras.regularizers.L1(0.25)}
    model = functional(
        lambda x: L.Dense(3, activation="softmax")(L.Dense(4, activation="relu", **penalties)(x)), shape=(5,)
    )
    x, y = rows
    kernel, bias = model.layers[1].get_weights()
    hidden = np.maximum(x @ kernel + bias, 0.0)
    attached = attach("none", model, optimizer=keras.optimizers.SGD(0.0))
    history = attached.fit(x, y, epochs=1, verbose=0, batch_size=60, validation_data=(x, y), validation_batch_size=60)
    # Keras's activity penalties are divided by the batch; after the nonlinearity, as in the user's layer.
    own = 0.5 * np.sum(kernel**2) + 0.25 * np.abs(hidden).sum() / 60
    # Float32 sums of some hundred terms.
    assert history.history["loss"][0] - history.history["val_loss"][0] == pytest.approx(own, rel=1e-4)


def test_a_frozen_layer_stays_frozen(rows: Rows) -> None:
    model = sequential()
    model.layers[0].trainable = False
    attached = attach("l2(0.01)", model)
    assert attached.hits == {"l2": 2}
    attached.fit(*rows, epochs=1, **QUIET)
    assert equal(attached.get_weights()[:2], model.get_weights()[:2])


def test_the_statistics_of_a_normalization_layer_are_copied(rows: Rows) -> None:
    normalization = L.Normalization()
    normalization.adapt(rows[0])
    attached = attach("dropout(0.5)", keras.Sequential([keras.Input((5,)), normalization, *sequential().layers]))
    assert attached.hits == {"dropout": 2}  # attach itself compares the predictions


@pytest.mark.parametrize("kind", [dict, list])
def test_a_model_with_several_inputs_trains(rows: Rows, kind: type) -> None:
    numbers, y = rows
    words = (np.arange(len(y)) % 7).astype(np.int32)
    x: Any = {"numbers": numbers, "word": words} if kind is dict else [numbers, words]
    model = two_inputs(kind)
    attached = attach("dropout(0.5) + l2(0.001) + label_smoothing(0.1)", model)
    assert attached.hits == {"dropout": 2, "l2": 4, "label_smoothing": 1}
    # An integer input has no slot of its own; what is looked up for it has.
    assert count_slots(model) == {"input": 1, "embedding": 1, "preactivation": 2, "activation": 2}
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    assert "val_loss" in attached.fit(x, y, epochs=1, validation_data=(x, y), **QUIET).history


REFUSED = {
    "mixup(0.2)": "mixup needs inputs of floating numbers alone: mixup averages them",
    "cutmix(0.5)": "cutmix needs inputs that are one array of floating numbers",
    "swap_noise(0.1)": "swap_noise needs rows",
}


@pytest.mark.parametrize("recipe", REFUSED)
@pytest.mark.parametrize("kind", [dict, list])
def test_regularizers_that_need_one_array_are_refused_for_several_inputs(recipe: str, kind: type) -> None:
    with pytest.raises(InputError, match=REFUSED[recipe]):
        attach(recipe, two_inputs(kind))


def test_noise_is_refused_for_integer_inputs() -> None:
    model = functional(
        lambda x: L.Dense(2, activation="softmax")(L.Flatten()(L.Embedding(9, 3)(x))), shape=(4,), dtype="int32"
    )
    assert attach("l2(0.1)", model).hits == {"l2": 2}
    for recipe in ("gaussian_noise(0.1)", "input_dropout(0.1)", "cutout(0.1)", "adversarial(0.1)", "jacobian(0.1)"):
        with pytest.raises(InputError, match=f"{recipe[:-5]} needs inputs of floating numbers"):
            attach(recipe, model)
    attach("swap_noise(0.1)", model)  # a category of another row is a category
