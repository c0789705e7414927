"""Batch, layer and group normalization: stock Keras's results, formulas, slots, degenerate layers, clashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import GroupNorm, LayerNorm
from regzoo.regularizers._normalization import VARIANCE_SHIFTING

COVERS = ("batch_norm", "layer_norm", "group_norm")
"""The regularizers that this module tests in place of a module of their own; see ``tests/test_house.py``."""

Twin = Callable[..., tuple[Any, Any]]

NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


def find_layer(model: Any) -> Any:
    """Return the model's first normalization layer."""
    return next(layer for layer in model.layers if isinstance(layer, NORMALIZATIONS))


def list_values(layer: Any) -> list[np.ndarray]:
    """Return scale, offset and, for batch normalization, the two moving averages."""
    return [np.array(value) for value in layer.get_weights()]


def normalize(h: np.ndarray, groups: int) -> np.ndarray:
    """Return the group normalization of ``h`` before any training."""
    return np.array(GroupNorm(groups).layer(Slot("preactivation", 0, 1, h.ndim, 0))(h), np.float64)


@pytest.mark.parametrize(
    ("recipe", "stock_layer", "relative"),
    [
        ("batch_norm(0.9)", lambda: keras.layers.BatchNormalization(momentum=0.9), 1e-5),
        ("batch_norm(0.5)", lambda: keras.layers.BatchNormalization(momentum=0.5), 1e-5),
        ("layer_norm", keras.layers.LayerNormalization, 0.0),
        ("group_norm(2)", lambda: keras.layers.GroupNormalization(2), 0.0),
    ],
)
def test_it_equals_stock_keras_in_training_and_inference(
    twin: Twin, rows: Any, recipe: str, stock_layer: Callable[[], Any], relative: float
) -> None:
    ours, stock = twin(recipe, lambda: keras.optimizers.SGD(0.1), before=stock_layer)
    if recipe.startswith("batch_norm"):  # its averages are those of the last weights: tests/training/model says how
        averages = find_layer(ours).get_weights()[2:]
        find_layer(stock).set_weights([*find_layer(stock).get_weights()[:2], *averages])
    # 24 steps of a few float32 roundings, of values near 1; moving averages may be larger.
    for mine, theirs in zip(list_values(find_layer(ours)), list_values(find_layer(stock)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=relative, atol=2e-6)
    for name, layer in (("dense_0", stock.layers[0]), ("head", stock.layers[-1])):
        np.testing.assert_allclose(ours.get_layer(name).get_weights()[0], layer.get_weights()[0], atol=2e-6)
    np.testing.assert_allclose(ours.logits(rows[0]), stock(rows[0]), atol=1e-5)


def test_the_dial_of_batch_norm_is_no_weight(twin: Twin) -> None:
    ours, stock = twin("batch_norm(0.9)", keras.optimizers.SGD, before=keras.layers.BatchNormalization, epochs=1)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in stock.get_weights()]
    ours.set_dials({"batch_norm.momentum": 0.5})
    ours.reset(3)
    assert ours.dials == {"batch_norm.momentum": 0.5}


def test_the_momentum_of_batch_norm_is_a_dial(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(0.9)", input_shape=(5,), classes=3)
    model.set_dials({"batch_norm.momentum": 0.0})
    x, y = rows
    hidden = np.array(x @ model.get_layer("dense_0").get_weights()[0])
    model.update(x, y)
    # At momentum 0 the moving averages are those of the last batch.
    np.testing.assert_allclose(find_layer(model).moving_mean, hidden.mean(0), atol=1e-6)
    np.testing.assert_allclose(find_layer(model).moving_variance, hidden.var(0), rtol=1e-5)


def test_a_schedule_changes_the_momentum_of_batch_norm(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(step(0.5, 0.0, epochs=1))", input_shape=(5,), classes=3)
    assert model.dials == {"batch_norm.momentum": 0.5}
    model.fit(*rows, epochs=2, verbose=0)
    assert model.dials == {"batch_norm.momentum": 0.0}


def test_it_comes_before_every_nonlinearity() -> None:
    assert regzoo.build("mlp([4, 4])", "batch_norm(0.9)", input_shape=(5,), classes=3).hits == {"batch_norm": 2}
    model = regzoo.build("cnn([2], dense=3)", "batch_norm(0.9)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"batch_norm": 2}
    names = [type(layer).__name__ for layer in model.layers]
    after = [names[i + 1] for i, name in enumerate(names) if name == "BatchNormalization"]
    assert after == ["Activation", "Activation"]


def test_group_norm_comes_before_every_nonlinearity_and_trains(images: Any) -> None:
    model = regzoo.build("cnn([6], dense=5)", "group_norm(4)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"group_norm": 2}
    assert [layer.groups for layer in model.layers if isinstance(layer, keras.layers.GroupNormalization)] == [3, 1]
    model.fit(*images, batch_size=30, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("regularizer", [LayerNorm(), GroupNorm(4)])
def test_it_does_not_act_after_the_nonlinearity(regularizer: Any) -> None:
    assert regularizer.layer(Slot("activation", 0, 1, 2, 0)) is None


def test_layer_norm_normalizes_each_position_over_its_channels() -> None:
    h = 10 * np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32) + 2
    out = np.array(LayerNorm().layer(Slot("preactivation", 0, 1, 4, 0))(h), np.float64)
    expected = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(out, expected, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_is_the_formula_on_maps(groups: int) -> None:
    h = 10 * np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32) + 2
    grouped = h.astype(np.float64).reshape(3, 20, groups, -1)
    mean, variance = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    expected = ((grouped - mean) / np.sqrt(variance + 1e-3)).reshape(h.shape)
    np.testing.assert_allclose(normalize(h, groups), expected, atol=1e-5)


def test_one_group_of_units_is_layer_normalization() -> None:
    h = np.random.default_rng(0).normal(size=(9, 7)).astype(np.float32)
    np.testing.assert_allclose(normalize(h, 1), keras.layers.LayerNormalization()(h), atol=1e-6)


@pytest.mark.parametrize(
    ("groups", "shape", "chosen"),
    [
        (8, (None, 64), 8),
        (8, (None, 12), 6),  # 8 and 7 do not divide 12
        (8, (None, 7), 1),  # 7 would leave one value in a group
        (8, (None, 8), 4),
        (8, (None, 8, 8, 7), 7),  # but there are positions: instance normalization
        (8, (None, 1, 1, 7), 1),
        (8, (None, None, 1), 1),
        (100, (None, 5, 6), 6),
    ],
)
def test_the_number_of_groups_divides_the_width(groups: int, shape: tuple[int | None, ...], chosen: int) -> None:
    assert GroupNorm(groups).choose_groups(shape) == chosen


def test_an_example_does_not_depend_on_its_batch(rows: Any) -> None:
    model = regzoo.build("mlp([4, 4])", "layer_norm", input_shape=(5,), classes=3)
    assert model.hits == {"layer_norm": 2}
    x = rows[0]
    # Matrix products of another size may sum in another order: float32 roundings of values near 1.
    np.testing.assert_allclose(model.logits(x[:1], training=True), model.logits(x, training=True)[:1], atol=1e-6)
    assert np.array_equal(model.logits(x, training=True), model.logits(x, training=False))


@pytest.mark.parametrize(("backbone", "recipe"), [("mlp([1])", "layer_norm"), ("mlp([4])", "group_norm(2)")])
def test_constant_and_single_units_give_finite_gradients(backbone: str, recipe: str) -> None:
    model = regzoo.build(backbone, recipe, input_shape=(5,), classes=3)
    loss, _ = model.update(np.zeros((4, 5), np.float32), np.arange(4) % 3)
    assert np.isfinite(loss)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_group_norm_of_a_single_unit_is_refused() -> None:
    with pytest.raises(InputError, match="group_norm: a layer with a single unit has no group to normalize"):
        regzoo.build("mlp([4, 1])", "group_norm(2)", input_shape=(5,), classes=3)


def test_dropout_clashes_with_batch_norm_in_either_order_since_both_are_the_same_model() -> None:
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


@pytest.mark.parametrize(
    ("recipe", "clashes"),
    [
        ("batch_norm(0.9) + layer_norm", ["layer_norm normalizes again what batch_norm has normalized"]),
        ("layer_norm + group_norm(2)", ["group_norm normalizes again what layer_norm has normalized"]),
        ("group_norm(2) + layer_norm", ["layer_norm normalizes again what group_norm has normalized"]),
        ("dropout(0.5) + layer_norm", []),
        ("group_norm(2) + dropout(0.5)", []),
    ],
)
def test_two_normalizations_clash(recipe: str, clashes: list[str]) -> None:
    assert regzoo.parse(recipe).clashes() == clashes


SHIFTING = (
    "dropout",
    "classic_dropout",
    "gaussian_dropout",
    "alpha_dropout",
    "spatial_dropout",
    "dropblock",
    "concrete_dropout",
    "residual_dropout",
    "embedding_dropout",
)
"""What gives activations another variance in training than at inference: Li et al. 2019, and their relatives."""


def test_no_other_is_said_to_shift_the_variance() -> None:
    assert set(SHIFTING) == VARIANCE_SHIFTING


@pytest.mark.parametrize("name", SHIFTING)
def test_what_shifts_the_variance_clashes_with_batch_norm_in_either_order(name: str) -> None:
    for recipe in (f"{name} + batch_norm", f"batch_norm + {name}"):
        (sentence,) = regzoo.parse(recipe).clashes()
        assert sentence.startswith(f"{name} shifts the variance")


@pytest.mark.parametrize(
    ("dropout", "norm", "clashes"),
    [
        ("dropout(0.5, on=last)", "batch_norm(0.9)", 0),
        ("dropout(0.5, on=dense)", "batch_norm(0.9, on=conv)", 0),
        ("dropout(0.5, on=conv)", "batch_norm(0.9, on=dense)", 1),
        ("dropout(0.5)", "batch_norm(0.9, on=last)", 1),
    ],
)
def test_dropout_behind_every_batch_norm_does_not_clash(dropout: str, norm: str, clashes: int) -> None:
    for recipe in (f"{dropout} + {norm}", f"{norm} + {dropout}"):
        assert len(regzoo.parse(recipe).clashes()) == clashes
