"""Input dropout: its moments, stock Keras, the ends of its domain, and ridge regression."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Backbone
from regzoo.regularizers import InputDropout

X = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)


def dropped(rate: float, x: np.ndarray = X, seed: int = 0) -> np.ndarray:
    """Return the inputs of a batch after the augmentation; check that the targets stay."""
    x, y = InputDropout(rate).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_mask_has_mean_1_and_variance_r_over_1_minus_r(rate: float) -> None:
    mask = dropped(rate, np.ones((1000, 200), np.float32)).astype(np.float64)
    assert np.unique(mask) == pytest.approx([0, 1 / (1 - rate)], rel=1e-6)
    # Five standard errors of a mean. Two values: the mean decides the variance.
    assert mask.mean() == pytest.approx(1, abs=5 * math.sqrt(rate / (1 - rate) / mask.size))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_equals_stock_keras_for_the_same_seed(rate: float) -> None:
    stock = keras.layers.Dropout(rate, seed=7)
    np.testing.assert_allclose(dropped(rate, seed=7), stock(X, training=True), rtol=1e-6)


def test_the_ends_of_its_domain() -> None:
    assert np.array_equal(dropped(0.0), X)
    assert not dropped(1.0).any()


def test_every_seed_and_every_step_has_its_own_mask() -> None:
    assert np.array_equal(dropped(0.5, seed=1), dropped(0.5, seed=1))
    assert not np.array_equal(dropped(0.5, seed=1), dropped(0.5, seed=2))
    stream = keras.random.SeedGenerator(0)
    first, second = (InputDropout(0.5).batch(X, None, stream)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_for_squared_loss_it_is_ridge(line: Backbone) -> None:
    """E (y - w m x / (1 - r))^2 = (y - w x)^2 + r / (1 - r) sum (w x)^2, exactly for a linear model."""
    n, rate = 100_000, 0.2
    model = regzoo.build(
        line, f"input_dropout({rate})", input_shape=(2,), outputs=1, optimizer=keras.optimizers.SGD(0.0)
    )
    model.get_layer("head").set_weights([np.array([[1.0], [-2.0]]), np.array([0.5])])
    x, y = np.tile(np.array([[0.3, 0.1]], np.float32), (n, 1)), np.full((n, 1), 2.0, np.float32)
    loss, logits = model.update(x, y)
    clean = (2.0 - (0.3 - 0.2 + 0.5)) ** 2
    spread = float(((np.array(logits) - y) ** 2).std())
    assert float(loss) == pytest.approx(clean + 0.25 * (0.3**2 + 0.2**2), abs=5 * spread / math.sqrt(n))
    assert model.evaluate(x[:10], y[:10], verbose=0)[0] == pytest.approx(clean, rel=1e-5)


def test_at_rate_1_only_biases_learn(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "input_dropout(1.0)", input_shape=(5,), classes=3)
    before = model.get_layer("dense_0").get_weights()[0]
    model.fit(*rows, verbose=0)
    assert np.array_equal(before, model.get_layer("dense_0").get_weights()[0])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
