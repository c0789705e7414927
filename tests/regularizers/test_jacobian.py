"""Jacobian penalty: by hand, L2 for a linear model, an unbiased estimate, and the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Forward
from regzoo.regularizers import Jacobian


def penalties(model: Any, x: np.ndarray, strength: float = 2.0, seed: int = 0) -> np.ndarray:
    """Return its addition to each example's loss, here the estimate of |J|^2."""
    run = Forward(lambda x, y: (model.logits(x), tf.zeros(len(x))))
    _, losses = Jacobian(strength).forward(run, x, None, keras.random.SeedGenerator(seed))
    return np.array(losses, np.float64)


def trained(recipe: str, rows: Any) -> list[np.ndarray]:
    """Return the weights of a small model after two epochs."""
    model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
    model.fit(*rows, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return [variable.numpy() for variable in model.trainable_variables]


def test_for_a_linear_model_it_is_l2_of_half_the_strength(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("jacobian(0.2)")
    loss, logits = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # J = (1, -2) for every x; one output, so v is 1 or -1. The loss is (0.5 - 1.5)^2 + 0.1 (1 + 4), its gradient 0.2 w;
    # learning rate 0.5.
    assert float(loss) == pytest.approx(1.5, rel=1e-6)
    assert np.array(logits) == pytest.approx(np.full((4, 1), 0.5))
    assert kernel[:, 0] == pytest.approx([0.9, -1.8], rel=1e-6)
    assert bias == pytest.approx([1.5], rel=1e-6)


def test_one_direction_estimates_the_squared_frobenius_norm_without_bias() -> None:
    model = regzoo.build("mlp([6], activation=tanh)", input_shape=(4,), classes=3)
    point = np.random.default_rng(0).normal(size=(1, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        x = tf.constant(point)
        tape.watch(x)
        logits = model.logits(x)
    exact = float(tf.reduce_sum(tape.batch_jacobian(logits, x) ** 2))
    drawn = penalties(model, np.repeat(point, 20_000, axis=0))
    assert drawn.std() > 0.01 * exact
    assert drawn.mean() == pytest.approx(exact, abs=5 * drawn.std() / math.sqrt(drawn.size))


def test_every_seed_has_its_own_directions() -> None:
    model = regzoo.build("mlp([6])", input_shape=(4,), classes=3)
    x = np.ones((9, 4), np.float32)
    assert np.array_equal(penalties(model, x, seed=1), penalties(model, x, seed=1))
    assert not np.array_equal(penalties(model, x, seed=1), penalties(model, x, seed=2))


def test_strength_0_trains_the_baseline_bit_for_bit(rows: Any) -> None:
    company = "dropout(0.5) + batch_norm(0.9)"
    assert all(map(np.array_equal, trained(f"{company} + jacobian(0.0)", rows), trained(company, rows)))


def test_it_flattens_the_model(rows: Any) -> None:
    x, y = rows
    norms = []
    for strength in (0.0, 1.0):
        adam = keras.optimizers.Adam(0.02)
        model = regzoo.build("mlp([8])", f"jacobian({strength})", (5,), classes=3, optimizer=adam)
        step = tf.function(lambda model=model: model.update(x, y)[0])
        for _ in range(60):
            step()
        norms.append(penalties(model, x).mean())
    assert norms[1] < norms[0] / 2


def test_second_derivatives_of_a_convolutional_model_are_finite(images: Any) -> None:
    model = regzoo.build("cnn([2], dense=3)", "jacobian(100.0)", input_shape=(8, 8, 1), classes=3)
    model.fit(*images, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
