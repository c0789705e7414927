"""Max-norm: lengths by hand, stock Keras, and the ends of its domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Weight
from regzoo.regularizers import MaxNorm


def shortened(w: Any, limit: float) -> np.ndarray:
    """Return a kernel after the projection."""
    w = np.asarray(w, np.float32)
    return np.array(MaxNorm(limit).rule(Weight("dense/kernel", w.shape)).project(w))


def test_long_units_are_shortened_and_others_keep_every_bit() -> None:
    w = np.array([[3.0, 0.3], [4.0, 0.4]], np.float32)  # norms 5 and 0.5
    projected = shortened(w, 1.0)
    assert projected[:, 0] == pytest.approx([0.6, 0.8], rel=1e-6)
    assert np.array_equal(projected[:, 1], w[:, 1])


def test_a_filter_is_a_unit() -> None:
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    norms = np.sqrt((shortened(w, 0.7) ** 2).sum((0, 1, 2)))
    assert norms == pytest.approx([0.7] * 5, rel=1e-6)


def test_infinity_changes_no_bit_and_zeros_stay() -> None:
    w = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    assert np.array_equal(shortened(w, math.inf), w)
    assert not np.any(shortened(np.zeros((3, 2)), 0.5))
    assert np.abs(shortened(w, 1e-6)).max() < 1e-6
    assert str(MaxNorm(0.5).neutral()) == "max_norm(inf)"
    assert regzoo.parse("max_norm(inf)").regularizers == (MaxNorm(math.inf),)


def test_the_dial_takes_infinity(rows: Any) -> None:
    optimizer = {"optimizer": keras.optimizers.SGD(0.1), "input_shape": (5,), "classes": 3, "seed": 1}
    limited = regzoo.build("mlp([4])", "max_norm(0.5)", **optimizer)
    plain = regzoo.build("mlp([4])", "none", **{**optimizer, "optimizer": keras.optimizers.SGD(0.1)})
    limited.set_dials({"max_norm.limit": math.inf})
    for model in (limited, plain):
        model.update(*rows)
    assert all(map(np.array_equal, limited.get_weights(), plain.get_weights()))


def test_it_equals_stock_keras_in_fit(rows: Any) -> None:
    ours = regzoo.build("mlp([4])", "max_norm(0.5)", (5,), 3, optimizer=keras.optimizers.SGD(0.1), seed=1)
    dense = [keras.layers.Dense(units, kernel_constraint=keras.constraints.MaxNorm(0.5, axis=0)) for units in (4, 3)]
    stock = keras.Sequential([keras.Input((5,)), dense[0], keras.layers.ReLU(), dense[1]])
    stock.set_weights(ours.get_weights())
    stock.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for model in (ours, stock):
        model.fit(*rows, batch_size=20, epochs=3, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        # Keras takes 2e-7 of each kernel away in each of the 9 steps; what it does to later gradients is of that size.
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert np.linalg.norm(ours.get_weights()[0], axis=0).max() <= 0.5 * (1 + 1e-6)


def test_biases_are_left_alone() -> None:
    assert MaxNorm(1.0).rule(Weight("dense/bias", (4,))) is None
    assert regzoo.build("cnn([2], dense=3)", "max_norm(1.0)", (8, 8, 1), 3).hits == {"max_norm": 3}


def test_a_limit_of_0_is_refused() -> None:
    with pytest.raises(InputError, match=r"max_norm: limit must lie in \(0, inf\], received 0.0"):
        MaxNorm(0.0)
