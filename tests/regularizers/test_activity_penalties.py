"""Penalties on activations, L1 and L2: Keras's convention, stock Keras's results, and both training loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Objective, OnActivations, Slot
from regzoo.regularizers import ActivityL1, ActivityL2
from regzoo.training.engine.program import Program

COVERS = ("activity_l1", "activity_l2")
"""The regularizers that this module tests in place of a module of their own; see ``tests/test_house.py``."""

KINDS: dict[str, Callable[[float], OnActivations]] = {"activity_l1": ActivityL1, "activity_l2": ActivityL2}


@pytest.fixture(params=COVERS)
def name(request: pytest.FixtureRequest) -> str:
    """Each of the penalties, by name."""
    return str(request.param)


def make_stock_layer(name: str, strength: float) -> Any:
    """Return Keras's own layer with this penalty."""
    return keras.layers.ActivityRegularization(**{name.removeprefix("activity_"): strength})


def compute_penalty(name: str, strength: float, h: np.ndarray, training: bool = True) -> float:
    """Return what the layer adds to the loss; check that it leaves the activations as they are."""
    layer: Any = KINDS[name](strength).layer(Slot("activation", 0, 1, 2, 0))
    assert np.array_equal(layer(h, training=training), h)
    return float(sum(layer.losses))


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("activity_l1", 5.5),  # sum of 1 + 2 + 3 and of 0 + 4 + 1, halved
        ("activity_l2", 15.5),  # sum of 1 + 4 + 9 and of 0 + 16 + 1, halved
    ],
)
def test_by_hand_it_sums_over_units_and_averages_over_the_batch(name: str, mean: float) -> None:
    h = np.array([[1, -2, 3], [0, 4, -1]], np.float32)
    assert compute_penalty(name, 0.5, h) == pytest.approx(0.5 * mean, rel=1e-6)
    assert compute_penalty(name, 0.5, np.tile(h, (10, 1))) == pytest.approx(0.5 * mean, rel=1e-6)
    assert compute_penalty(name, 0.5, h, training=False) == 0


@pytest.mark.parametrize("shape", [(8, 5), (8, 4, 5), (8, 3, 4, 5)])
def test_it_equals_stock_keras_for_any_rank(name: str, shape: tuple[int, ...]) -> None:
    h = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    stock = make_stock_layer(name, 0.3)
    stock(h, training=True)
    assert compute_penalty(name, 0.3, h) == pytest.approx(float(sum(stock.losses)), rel=1e-5)


def test_training_equals_stock_keras(name: str, rows: Any) -> None:
    sgd = keras.optimizers.SGD
    ours = regzoo.build("mlp([4])", f"{name}(0.05)", input_shape=(5,), classes=3, optimizer=sgd(0.1))
    hidden, head = keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3)
    stock = keras.Sequential([keras.Input((5,)), hidden, make_stock_layer(name, 0.05), head])
    hidden.set_weights(ours.get_layer("dense_0").get_weights())
    head.set_weights(ours.get_layer("head").get_weights())
    stock.compile(sgd(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    mine, theirs = (
        model.fit(*rows, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"] for model in (ours, stock)
    )
    np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    # 24 steps, the last of an epoch on 4 rows, of a few float32 roundings of values near 1.
    for layer_name, layer in (("dense_0", hidden), ("head", head)):
        np.testing.assert_allclose(ours.get_layer(layer_name).get_weights()[0], layer.get_weights()[0], atol=2e-6)


def test_strength_0_is_no_penalty_bit_for_bit_and_none_has_a_gradient_at_0(name: str) -> None:
    h = tf.constant(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))
    for strength, values in ((0.0, h), (3.0, tf.zeros_like(h))):
        regularizer: Any = KINDS[name](strength)
        with tf.GradientTape() as tape:
            tape.watch(values)
            loss = regularizer.penalty(values)
        assert float(loss) == 0
        assert not np.any(tape.gradient(loss, values))


def test_a_program_adds_it_in_training_and_a_larger_one_makes_activations_smaller(name: str, rows: Any) -> None:
    model = regzoo.build("mlp([6])", f"{name}(0.1)", input_shape=(5,), classes=3)
    program = Program(model, rows, rows, 16)
    hidden = keras.Model(model.input, model.get_layer("activation_0").output)
    sizes = []
    for strength in (0.0, 0.01, 0.1):
        program.train(
            strengths={f"{name}.strength": strength},
            seed=0,
            learning_rate=0.02,
            epochs=8,
            objective=Objective("nll", "min"),
        )
        sizes.append(np.abs(hidden(rows[0])).mean())
    assert program.traces == 1
    assert sizes[0] > sizes[1] > sizes[2]


def test_it_is_added_where_weights_are_perturbed_too(name: str, rows: Any) -> None:
    recipes = (f"{name}(1.0)", f"{name}(1.0) + weight_noise(0.0)", "weight_noise(0.0)")
    models = [regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3) for recipe in recipes]
    losses = [float(model.update(*rows)[0]) for model in models]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    assert losses[0] > losses[2] + 0.1


def test_validation_loss_holds_no_penalty(name: str, rows: Any) -> None:
    model = regzoo.build("mlp([4])", f"{name}(10.0)", input_shape=(5,), classes=3)
    assert model.hits == {name: 1}
    x, y = rows
    probabilities = model.predict(x, verbose=0)
    expected = -np.log(probabilities[np.arange(len(y)), y]).mean()
    assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(expected, rel=1e-5)
    assert KINDS[name](1.0).layer(Slot("preactivation", 0, 1, 2, 0)) is None
