"""Dropout: moments of the mask, rate 1, schedules, and ridge regression."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import regzoo
from regzoo.core import Backbone, Slot
from regzoo.regularizers import Dropout


def layer(rate: float, seed: int = 0) -> Any:
    """Return dropout's layer at a slot with this seed."""
    return Dropout(rate).layer(Slot("activation", 0, 1, 2, seed))


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (442, 10) and targets (442,), each column of mean 0 and population standard deviation 1."""
    x, y = load_diabetes(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()


def ridge(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Return the coefficients of least squares with ``strength`` times diag(X'X) added to X'X."""
    return np.linalg.solve(x.T @ x + strength * np.diag(np.diag(x.T @ x)), x.T @ y)


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.8])
def test_the_mask_has_mean_1_and_variance_r_over_1_minus_r(rate: float) -> None:
    mask = np.array(layer(rate)(np.ones((1000, 200), np.float32), training=True), np.float64)
    n, kept, variance = mask.size, 1 / (1 - rate), rate / (1 - rate)
    fourth = rate + (1 - rate) * (kept - 1) ** 4  # fourth central moment of the two-valued mask
    assert np.unique(mask) == pytest.approx([0, kept], rel=1e-6)
    # Five standard errors of a mean, sqrt(v / n), and of a sample variance, sqrt((m4 - v^2) / n). The latter's own
    # bias is (mean - 1)^2, at most 25 v / n.
    assert mask.mean() == pytest.approx(1, abs=5 * math.sqrt(variance / n))
    tolerance = 5 * math.sqrt(max(fourth - variance**2, 0) / n) + 25 * variance / n + 1e-6
    assert mask.var() == pytest.approx(variance, abs=tolerance)


def test_units_examples_and_steps_are_masked_independently() -> None:
    drop = layer(0.5)
    first, second = (np.array(drop(np.ones((400, 250), np.float32), training=True)) - 1 for _ in range(2))
    # Each entry is +-1: the mean product of n independent pairs has a standard error of 1 / sqrt n.
    limit = 5 / math.sqrt(399 * 249)
    assert abs((first[1:] * first[:-1]).mean()) < limit
    assert abs((first[:, 1:] * first[:, :-1]).mean()) < limit
    assert abs((first * second).mean()) < limit


def test_rate_1_gives_zeros_and_finite_gradients() -> None:
    h = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    assert not np.any(layer(1.0)(h, training=True))
    model = regzoo.build("mlp([6])", "dropout(1.0)", input_shape=(20,), classes=3)
    before = model.get_layer("dense_0").get_weights()
    loss, logits = model.update(h, np.arange(50) % 3)
    # Nothing reaches the head but its bias, which starts at 0: every class has probability 1/3.
    assert float(loss) == pytest.approx(math.log(3), rel=1e-6)
    assert not np.any(logits)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert all(map(np.array_equal, before, model.get_layer("dense_0").get_weights()))


def test_it_acts_after_every_activation_and_not_after_the_output() -> None:
    assert regzoo.build("mlp([4, 4, 4])", "dropout(0.5)", input_shape=(5,), classes=3).hits == {"dropout": 3}
    assert regzoo.build("cnn([2, 2], dense=3)", "dropout(0.5)", input_shape=(8, 8, 1), classes=3).hits == {"dropout": 3}
    assert (
        Dropout(0.5).layer(Slot("input", 0, 1, 2, 0)) is Dropout(0.5).layer(Slot("preactivation", 0, 1, 2, 0)) is None
    )


def test_a_schedule_turns_it_off(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "dropout(linear(1.0, 0.0, epochs=2))", input_shape=(5,), classes=3)
    start = model.get_layer("dense_0").get_weights()
    model.fit(*rows, epochs=1, verbose=0)
    assert model.dials == {"dropout.rate": 1.0}
    assert all(map(np.array_equal, start, model.get_layer("dense_0").get_weights()))
    model.fit(*rows, epochs=3, initial_epoch=1, verbose=0)
    assert model.dials == {"dropout.rate": 0.0}
    assert not np.array_equal(start[0], model.get_layer("dense_0").get_weights()[0])


def test_inverted_and_test_time_scaling_agree_in_expectation(line: Backbone) -> None:
    rate, n = 0.3, 40_000
    model = regzoo.build(line, f"dropout({rate})", input_shape=(4,), outputs=1)
    w = model.get_layer("head").get_weights()[0][:, 0]
    x = np.array([1.0, -2.0, 0.5, 3.0], np.float32)
    trained = np.array(model.logits(np.tile(x, (n, 1)), training=True), np.float64)[:, 0]
    # Inverted: scaled while training, left alone at inference. 2014: masked while training, inference scaled by the
    # keep probability. Both have inference equal to the mean over masks, whose standard error is sd / sqrt n.
    error = math.sqrt(rate / (1 - rate) * ((w * x) ** 2).sum() / n)
    assert trained.mean() == pytest.approx(float(model.logits(x[None])[0, 0]), abs=5 * error)
    assert ((1 - rate) * trained).mean() == pytest.approx((1 - rate) * w @ x, abs=5 * (1 - rate) * error)


@pytest.mark.parametrize(("rate", "strength"), [(0.1, 0.1111), (0.2, 0.25), (0.5, 1.0), (0.8, 4.0)])
def test_the_minimizer_of_the_expected_loss_is_ridge(rate: float, strength: float) -> None:
    x, y = diabetes()
    assert rate / (1 - rate) == pytest.approx(strength, abs=5e-5)
    w = ridge(x, y, rate / (1 - rate))
    # E (y - sum m w x)^2 = (y - w x)^2 + r / (1 - r) sum (w x)^2; its gradient at w, over n rows.
    gradient = (-2 * x.T @ (y - x @ w) + 2 * rate / (1 - rate) * (x**2).sum(0) * w) / len(y)
    assert np.abs(gradient).max() < 1e-12
    # Standardized columns: diag(X'X) = n, so the same as Keras's L2 of strength r / (1 - r).
    np.testing.assert_allclose(w, np.linalg.solve(x.T @ x / len(y) + rate / (1 - rate) * np.eye(10), x.T @ y / len(y)))


def test_dropout_is_ridge_for_linear_regression(line: Backbone) -> None:
    x, y = diabetes()
    w = ridge(x, y, 1.0)
    published = [0.0182, -0.0514, 0.1892, 0.1245, 0.0037, -0.0182, -0.0939, 0.0725, 0.1624, 0.0691]
    assert w == pytest.approx(published, abs=5e-5)

    copies = 200
    model = regzoo.build(line, "dropout(0.5)", input_shape=(10,), outputs=1, optimizer=keras.optimizers.SGD(1.0))
    model.get_layer("head").set_weights([w[:, None], np.zeros(1)])
    many, targets = np.tile(x, (copies, 1)).astype(np.float32), np.tile(y, copies).astype(np.float32)
    masked = np.array(model.logits(many, training=True), np.float64)[:, 0]
    losses = (masked - targets) ** 2
    # Means over all masked rows; sd / sqrt n bounds their standard errors, the rows themselves being fixed.
    assert losses.mean() == pytest.approx(0.64863, abs=5 * losses.std() / math.sqrt(losses.size))
    model.update(many, targets[:, None])
    step = model.get_layer("head").get_weights()[0][:, 0] - w  # minus the mean gradient of the loss
    # A row's gradient is twice its residual times its masked input, which is at most twice the input.
    errors = np.sqrt(((4 * (masked - targets)[:, None] * many) ** 2).mean(0) / losses.size)
    assert (np.abs(step) < 5 * errors).all()
