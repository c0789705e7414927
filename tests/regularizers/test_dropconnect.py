"""DropConnect: moments of the mask, one mask for a batch, and the ends of its domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Backbone, Weight
from regzoo.regularizers import Dropconnect


def dropped(w: np.ndarray, rate: float, seed: Any = 0) -> np.ndarray:
    """Return a kernel as the forward pass uses it."""
    stream = seed if isinstance(seed, keras.random.SeedGenerator) else keras.random.SeedGenerator(seed)
    return np.array(Dropconnect(rate).rule(Weight("dense/kernel", w.shape)).perturb(w, stream))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_mask_has_mean_1_and_variance_r_over_1_minus_r(rate: float) -> None:
    mask = dropped(np.ones((400, 500), np.float32), rate).astype(np.float64)
    assert np.unique(mask) == pytest.approx([0, 1 / (1 - rate)], rel=1e-6)
    # Five standard errors of a mean, sqrt(v / n); the variance of a two-valued mask follows from its mean.
    assert mask.mean() == pytest.approx(1, abs=5 * math.sqrt(rate / (1 - rate) / mask.size))
    assert mask.var() == pytest.approx(mask.mean() * (1 / (1 - rate) - mask.mean()), rel=1e-5)


def test_at_rate_0_the_smallest_draw_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: keras.ops.zeros(shape))
    assert np.array_equal(dropped(np.ones((4, 3), np.float32), 0.0), np.ones((4, 3)))


def test_each_step_has_its_mask_and_each_seed_its_steps() -> None:
    w, stream = np.ones((20, 30), np.float32), keras.random.SeedGenerator(0)
    first, second = (dropped(w, 0.5, stream) for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, dropped(w, 0.5, 0))
    assert not np.array_equal(first, dropped(w, 0.5, 1))


def test_one_mask_serves_the_batch(line: Backbone) -> None:
    model = regzoo.build(line, "dropconnect(0.5)", input_shape=(30,), outputs=1)
    x = np.tile(np.random.default_rng(0).normal(size=30), (8, 1)).astype(np.float32)
    _, first = model.update(x, np.zeros((8, 1), np.float32))
    assert np.ptp(first.numpy()) == 0
    assert first.numpy()[0, 0] != pytest.approx(float(model.logits(x[:1])[0, 0]), abs=1e-3)


def test_dropped_weights_get_no_gradient(line: Backbone) -> None:
    model = regzoo.build(line, "dropconnect(0.5)", (200,), outputs=1, optimizer=keras.optimizers.SGD(0.1))
    before = model.get_layer("head").get_weights()[0]
    model.update(np.ones((1, 200), np.float32), np.full((1, 1), 9.0, np.float32))
    still = np.mean(model.get_layer("head").get_weights()[0] == before)
    assert still == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(200))  # five standard errors of a share


def test_rate_0_changes_no_bit_and_rate_1_gives_zeros(rows: Any) -> None:
    w = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    assert np.array_equal(dropped(w, 0.0), w)
    assert not np.any(dropped(w, 1.0))
    model = regzoo.build("mlp([6])", "dropconnect(1.0)", input_shape=(5,), classes=3)
    loss, logits = model.update(*rows)
    assert float(loss) == pytest.approx(math.log(3), rel=1e-6)  # the biases start at 0
    assert not np.any(logits)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_fit_repeats_and_keeps_batch_norms_averages(rows: Any) -> None:
    x, y = rows
    weights = []
    for _ in range(2):
        model = regzoo.build("mlp([6])", "batch_norm(0.5) + dropconnect(0.3)", input_shape=(5,), classes=3, seed=1)
        model.fit(x, y, epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert all(map(np.array_equal, *weights))
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert np.any(norm.moving_mean.numpy())  # what the perturbed pass updates is kept
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_biases_are_left_alone() -> None:
    assert Dropconnect(0.5).rule(Weight("dense/bias", (4,))) is None
