"""Group normalization: stock Keras's results, and a number of groups that fits the width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import GroupNorm

Twin = Callable[..., tuple[Any, Any]]


def normalized(h: np.ndarray, groups: int) -> np.ndarray:
    """What it makes of ``h`` before any training."""
    return np.array(GroupNorm(groups).layer(Slot("preactivation", 0, 1, h.ndim, 0))(h), np.float64)


def test_it_equals_stock_keras_in_training_and_inference(twin: Twin, rows: Any) -> None:
    ours, stock = twin(
        "group_norm(2)", lambda: keras.optimizers.SGD(0.1), before=lambda: keras.layers.GroupNormalization(2)
    )
    mine = next(layer for layer in ours.layers if isinstance(layer, keras.layers.GroupNormalization))
    # 24 steps of a few float32 roundings, of values near 1.
    for weight, theirs in zip(mine.get_weights(), stock.layers[1].get_weights(), strict=True):
        np.testing.assert_allclose(weight, theirs, atol=2e-6)
    for name, layer in (("dense_0", stock.layers[0]), ("head", stock.layers[-1])):
        np.testing.assert_allclose(ours.get_layer(name).get_weights()[0], layer.get_weights()[0], atol=2e-6)
    np.testing.assert_allclose(ours.logits(rows[0]), stock(rows[0]), atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_it_is_the_formula_on_maps(groups: int) -> None:
    h = 10 * np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32) + 2
    grouped = h.astype(np.float64).reshape(3, 20, groups, -1)
    mean, variance = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    expected = ((grouped - mean) / np.sqrt(variance + 1e-3)).reshape(h.shape)
    np.testing.assert_allclose(normalized(h, groups), expected, atol=1e-5)


def test_one_group_of_units_is_layer_normalization() -> None:
    h = np.random.default_rng(0).normal(size=(9, 7)).astype(np.float32)
    np.testing.assert_allclose(normalized(h, 1), keras.layers.LayerNormalization()(h), atol=1e-6)


@pytest.mark.parametrize(
    ("groups", "shape", "fitted"),
    [
        (8, (None, 64), 8),
        (8, (None, 12), 6),  # 8 and 7 do not divide 12
        (8, (None, 7), 1),  # 7 would leave one value to a group
        (8, (None, 8), 4),
        (8, (None, 8, 8, 7), 7),  # but there are positions: instance normalization
        (8, (None, 1, 1, 7), 1),
        (8, (None, None, 1), 1),
        (100, (None, 5, 6), 6),
    ],
)
def test_the_groups_fit_the_width(groups: int, shape: tuple[int | None, ...], fitted: int) -> None:
    assert GroupNorm(groups).choose_groups(shape) == fitted


def test_a_single_unit_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="group_norm: a layer with a single unit has no group to normalize"):
        regzoo.build("mlp([4, 1])", "group_norm(2)", input_shape=(5,), classes=3)


def test_it_stands_before_every_nonlinearity_and_trains(images: Any) -> None:
    model = regzoo.build("cnn([6], dense=5)", "group_norm(4)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"group_norm": 2}
    assert [layer.groups for layer in model.layers if isinstance(layer, keras.layers.GroupNormalization)] == [3, 1]
    model.fit(*images, batch_size=30, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert GroupNorm(4).layer(Slot("activation", 0, 1, 2, 0)) is None


def test_constant_activations_give_finite_gradients() -> None:
    model = regzoo.build("mlp([4])", "group_norm(2)", input_shape=(5,), classes=3)
    model.update(np.zeros((4, 5), np.float32), np.arange(4) % 3)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_another_normalization_before_it_is_called_a_clash() -> None:
    assert "what layer_norm has normalized" in regzoo.parse("layer_norm + group_norm(2)").clashes()[0]
    assert "what group_norm has normalized" in regzoo.parse("group_norm(2) + layer_norm").clashes()[0]
    assert regzoo.parse("group_norm(2) + dropout(0.5)").clashes() == []
