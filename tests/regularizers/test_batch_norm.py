"""Batch normalization: stock Keras's results, with its momentum on a dial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo

Twin = Callable[..., tuple[Any, Any]]


def norm_of(model: Any) -> Any:
    """The model's one normalization layer."""
    return next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))


def statistics(layer: Any) -> list[np.ndarray]:
    """Scale, offset and the two moving averages."""
    return [v.numpy() for v in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)]


@pytest.mark.parametrize("momentum", [0.9, 0.5])
def test_it_equals_stock_keras_in_training_and_inference(twin: Twin, rows: Any, momentum: float) -> None:
    ours, stock = twin(
        f"batch_norm({momentum})",
        lambda: keras.optimizers.SGD(0.1),
        before=lambda: keras.layers.BatchNormalization(momentum=momentum),
    )
    # 24 steps of a few float32 roundings, of values near 1.
    for mine, theirs in zip(statistics(norm_of(ours)), statistics(norm_of(stock)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=2e-6)
    for name, layer in (("dense_0", stock.layers[0]), ("head", stock.layers[-1])):
        np.testing.assert_allclose(ours.get_layer(name).get_weights()[0], layer.get_weights()[0], atol=2e-6)
    np.testing.assert_allclose(ours.logits(rows[0]), stock(rows[0]), atol=1e-5)


def test_the_dial_is_no_weight(twin: Twin) -> None:
    ours, stock = twin("batch_norm(0.9)", keras.optimizers.SGD, before=keras.layers.BatchNormalization, epochs=1)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in stock.get_weights()]
    ours.turn({"batch_norm.momentum": 0.5})
    ours.reset(3)
    assert ours.dials == {"batch_norm.momentum": 0.5}


def test_the_momentum_is_a_dial(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(0.9)", input_shape=(5,), classes=3)
    model.turn({"batch_norm.momentum": 0.0})
    x, y = rows
    hidden = np.array(x @ model.get_layer("dense_0").get_weights()[0])
    model.update(x, y)
    # At momentum 0 the moving averages are those of the last batch.
    np.testing.assert_allclose(norm_of(model).moving_mean, hidden.mean(0), atol=1e-6)
    np.testing.assert_allclose(norm_of(model).moving_variance, hidden.var(0), rtol=1e-5)


def test_a_schedule_turns_the_momentum(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(step(0.5, 0.0, epochs=1))", input_shape=(5,), classes=3)
    assert model.dials == {"batch_norm.momentum": 0.5}
    model.fit(*rows, epochs=2, verbose=0)
    assert model.dials == {"batch_norm.momentum": 0.0}


def test_it_stands_before_every_nonlinearity() -> None:
    assert regzoo.build("mlp([4, 4])", "batch_norm(0.9)", input_shape=(5,), classes=3).hits == {"batch_norm": 2}
    model = regzoo.build("cnn([2], dense=3)", "batch_norm(0.9)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"batch_norm": 2}
    names = [type(layer).__name__ for layer in model.layers]
    after = [names[i + 1] for i, name in enumerate(names) if name == "BatchNormalization"]
    assert after == ["Activation", "Activation"]


def test_dropout_is_called_a_clash_in_either_order_since_both_are_the_same_model() -> None:
    x, y = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32), np.arange(32) % 3
    weights = []
    for recipe in ("dropout(0.5) + batch_norm(0.9)", "batch_norm(0.9) + dropout(0.5)"):
        (sentence,) = regzoo.parse(recipe).clashes()
        assert "dropout shifts the variance" in sentence
        assert "Li 2019" in sentence
        model = regzoo.build("mlp([6, 6])", recipe, input_shape=(4,), classes=3)
        model.update(x, y)
        weights.append(model.get_weights())
    assert all(np.array_equal(first, second) for first, second in zip(*weights, strict=True))
