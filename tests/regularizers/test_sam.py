"""Sharpness-aware minimization: a step by hand, exact restoring, and other regularizers in the recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo

ByHand = Callable[[str], Any]
ROW, ZERO = np.array([[1.0, 0.0]], np.float32), np.zeros((1, 1), np.float32)


def head(model: Any) -> list[float]:
    """Return both weights and the bias."""
    kernel, bias = model.get_layer("head").get_weights()
    return [*kernel[:, 0], *bias]


def test_a_step_by_hand(by_hand: ByHand) -> None:
    model = by_hand("sam(0.1)")
    loss, _ = model.update(ROW, ZERO)
    # Prediction 1.5, gradient (3, 0, 3). Climbing 0.1 in its direction adds 0.1 / sqrt 2 to the first weight and to the
    # bias; there the prediction is 1.5 + 0.1 sqrt 2 and the gradient twice that. The learning rate is 0.5.
    there = 1.5 + 0.1 * math.sqrt(2)
    assert float(loss) == pytest.approx(1.5**2, rel=1e-6)
    assert head(model) == pytest.approx([1 - there, -2.0, 0.5 - there], rel=1e-6)


def test_rho_0_is_the_plain_step(by_hand: ByHand, rows: Any) -> None:
    plain, still = by_hand("none"), by_hand("sam(0.0)")
    for model in (plain, still):
        model.update(ROW, ZERO)
    assert head(plain) == head(still)


def test_the_weights_are_restored_exactly(rows: Any) -> None:
    model = regzoo.build("mlp([6])", "sam(0.2)", (5,), 3, optimizer=keras.optimizers.SGD(0.0), seed=1)
    before = model.get_weights()
    model.fit(*rows, epochs=2, verbose=0)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_without_a_gradient_nothing_happens(by_hand: ByHand) -> None:
    model = by_hand("sam(1e6)")
    model.update(ROW, np.full((1, 1), 1.5, np.float32))
    assert head(model) == [1.0, -2.0, 0.5]


@pytest.mark.parametrize("recipe", ["weight_decay(0.1) + sam(0.0)", "sam(0.0) + weight_decay(0.1)"])
def test_weights_decay_once(by_hand: ByHand, recipe: str) -> None:
    model, plain = by_hand(recipe), by_hand("weight_decay(0.1)")
    for each in (model, plain):
        each.update(np.zeros((1, 2), np.float32), np.full((1, 1), 0.5, np.float32))
    assert head(model) == head(plain)
    assert head(model) == pytest.approx([0.95, -1.9, 0.5], rel=1e-6)


NOISY = {
    "a mask": "dropout(0.5)",
    "noise on the weights": "weight_noise(0.2)",
    "both": "dropconnect(0.3) + activation_noise(0.5)",
    "averages of batches": "batch_norm(0.9) + dropout(0.5)",
    "a pass more": "dropout(0.5) + r_drop(1.0)",
    "noise on the gradients": "gradient_noise(0.1)",
    "noise on the batch": "mixup(0.5) + input_dropout(0.2)",
}


@pytest.mark.parametrize("noisy", NOISY.values(), ids=NOISY)
@pytest.mark.parametrize("first", [False, True], ids=["behind", "before"])
def test_rho_0_is_the_baselines_twin_whatever_is_drawn(noisy: str, first: bool, rows: Any) -> None:
    """Both gradients are of one loss of one batch: the second pass has the same draws, and changes no statistics."""
    twins = []
    for recipe in (noisy, f"sam(0.0) + {noisy}" if first else f"{noisy} + sam(0.0)"):
        model = regzoo.build("mlp([6])", recipe, (5,), 3, optimizer=keras.optimizers.SGD(0.1), seed=1)
        step = tf.function(model.update)
        for _ in range(3):
            step(*rows)
        twins.append(model.get_weights())  # batch norm's averages included
    assert all(map(np.array_equal, *twins))


@pytest.mark.parametrize("company", ["dropout(0.5)", "batch_norm(0.9)"])
def test_it_climbs_with_all_weights_on_the_loss_that_it_descends(company: str, rows: Any) -> None:
    """A step at learning rate 1 is the gradient at w + rho g / |g|, with the draws of g; scales climb too."""

    def build(recipe: str, weights: Any = None) -> Any:
        model = regzoo.build("mlp([6])", recipe, (5,), 3, optimizer=keras.optimizers.SGD(1.0), seed=1)
        for variable, value in zip(model.trainable_variables, weights or [], strict=weights is not None):
            variable.assign(value)
        return model

    def read(model: Any) -> list[np.ndarray]:
        return [variable.numpy() for variable in model.trainable_variables]

    def gradient(model: Any) -> list[np.ndarray]:
        before = read(model)
        model.update(*rows)
        return [b - a for b, a in zip(before, read(model), strict=True)]

    here, uphill = read(build(company)), gradient(build(company))
    norm = math.sqrt(sum(float(np.sum(np.square(g))) for g in uphill))
    there = [w + 0.2 * g / norm for w, g in zip(here, uphill, strict=True)]
    wanted = gradient(build(company, there))
    for found, expected in zip(gradient(build(f"{company} + sam(0.2)")), wanted, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)  # float32 roundings of differences of weights near 1


def test_batch_norm_follows_the_first_pass(rows: Any) -> None:
    model = regzoo.build("mlp([6])", "batch_norm(0.5) + sam(0.3)", (5,), 3, optimizer=keras.optimizers.SGD(0.0))
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    model.update(*rows)
    batch = np.mean(rows[0] @ model.get_layer("dense_0").get_weights()[0], 0)
    # From 0, once halfway to the batch's mean at the weights as they were.
    np.testing.assert_allclose(norm.moving_mean.numpy(), 0.5 * batch, atol=1e-5)


def test_it_ends_in_a_flatter_place(rows: Any) -> None:
    x, y = rows
    rises = []
    for recipe in ("sam(0.0)", "sam(0.5)"):
        model = regzoo.build("mlp([8])", recipe, (5,), 3, optimizer=keras.optimizers.SGD(0.3), seed=1)
        step = tf.function(model.update)
        for _ in range(100):
            step(x, y)
        model.set_training_data(lambda: [(x, y)])
        weights, random = model.get_weights(), np.random.default_rng(0)
        loss, around = model.training_loss(), []
        for _ in range(30):
            model.set_weights([w + 0.3 * random.normal(size=w.shape) for w in weights])
            around.append(model.training_loss() - loss)
        rises.append(np.mean(around))
    assert rises[1] < rises[0]
