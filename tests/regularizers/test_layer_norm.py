"""Layer normalization: stock Keras's results, and what distinguishes it from batch normalization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import regzoo
from regzoo.core import Slot
from regzoo.regularizers import LayerNorm

Twin = Callable[..., tuple[Any, Any]]


def test_it_equals_stock_keras_in_training_and_inference(twin: Twin, rows: Any) -> None:
    ours, stock = twin("layer_norm", lambda: keras.optimizers.SGD(0.1), before=keras.layers.LayerNormalization)
    mine = next(layer for layer in ours.layers if isinstance(layer, keras.layers.LayerNormalization))
    # 24 steps of a few float32 roundings, of values near 1.
    for weight, theirs in zip(mine.get_weights(), stock.layers[1].get_weights(), strict=True):
        np.testing.assert_allclose(weight, theirs, atol=2e-6)
    for name, layer in (("dense_0", stock.layers[0]), ("head", stock.layers[-1])):
        np.testing.assert_allclose(ours.get_layer(name).get_weights()[0], layer.get_weights()[0], atol=2e-6)
    np.testing.assert_allclose(ours.logits(rows[0]), stock(rows[0]), atol=1e-5)


def test_each_position_is_normalized_over_its_channels() -> None:
    h = 10 * np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32) + 2
    out = np.array(LayerNorm().layer(Slot("preactivation", 0, 1, 4, 0))(h), np.float64)
    expected = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_an_example_does_not_depend_on_its_batch(rows: Any) -> None:
    model = regzoo.build("mlp([4, 4])", "layer_norm", input_shape=(5,), classes=3)
    assert model.hits == {"layer_norm": 2}
    x = rows[0]
    # Matrix products of another size may sum in another order: float32 roundings of values near 1.
    np.testing.assert_allclose(model.logits(x[:1], training=True), model.logits(x, training=True)[:1], atol=1e-6)
    assert np.array_equal(model.logits(x, training=True), model.logits(x, training=False))


def test_constant_and_single_units_give_finite_gradients() -> None:
    model = regzoo.build("mlp([1])", "layer_norm", input_shape=(5,), classes=3)
    loss, _ = model.update(np.zeros((4, 5), np.float32), np.arange(4) % 3)
    assert np.isfinite(loss)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_another_normalization_before_it_is_called_a_clash() -> None:
    assert regzoo.parse("batch_norm(0.9) + layer_norm").clashes() == [
        "layer_norm normalizes again what batch_norm has normalized"
    ]
    assert regzoo.parse("dropout(0.5) + layer_norm").clashes() == []
    assert LayerNorm().layer(Slot("activation", 0, 1, 2, 0)) is None
