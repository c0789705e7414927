"""Patch dropout: how many tokens are left, which, and what the layers behind see."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot, parse
from regzoo.regularizers import PatchDropout
from regzoo.testing.graph_ops import list_operations

TINY = "transformer(width=6, depth=1, heads=2, hidden=7)"
L = keras.layers


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at embeddings, with this seed."""
    return PatchDropout(rate).layer(Slot("embedding", 0, 1, 3, seed))


def numbered(examples: int, count: int) -> np.ndarray:
    """Return tokens (examples, count, 2) that hold their number and ten times it."""
    tokens = np.arange(count, dtype=np.float32)[:, None] * [1.0, 10.0]
    return np.tile(tokens[None], (examples, 1, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("count", "rate", "kept"),
    [(4, 0.5, 2), (5, 0.5, 2), (10, 0.1, 9), (100, 0.9, 10), (196, 0.25, 147), (3, 0.99, 1), (1, 0.5, 1), (7, 0.0, 7)],
)
def test_the_number_of_tokens_is_the_papers_whole_number(count: int, rate: float, kept: int) -> None:
    regularizer = PatchDropout(rate)
    assert regularizer.count_kept(count) == kept
    assert int(regularizer.count_kept(tf.constant(count))) == kept
    assert layer(rate)(numbered(3, count), training=True).shape == (3, kept, 2)


def test_kept_tokens_are_whole_in_their_order_and_unscaled() -> None:
    left = np.array(layer(0.5)(numbered(400, 8), training=True))
    np.testing.assert_array_equal(left[..., 1], 10 * left[..., 0])
    assert (np.diff(left[..., 0]) >= 1).all()  # each once, and in order
    assert len({tuple(row) for row in left[..., 0]}) > 40  # each example draws its own, of 70 sets
    # The share of examples that keep a token is 1/2; five standard errors.
    share = [(left[..., 0] == token).any(1).mean() for token in range(8)]
    assert share == pytest.approx([0.5] * 8, abs=5 * math.sqrt(0.25 / 400))


def test_gradients_reach_the_kept_tokens_alone() -> None:
    tokens = tf.constant(numbered(5, 6))
    with tf.GradientTape() as tape:
        tape.watch(tokens)
        left = layer(0.5)(tokens, training=True)
    gradient = np.array(tape.gradient(left, tokens))
    np.testing.assert_array_equal(gradient.sum(1), np.full((5, 2), 3.0))
    assert set(np.unique(gradient)) == {0.0, 1.0}


def test_a_seed_repeats_and_another_one_does_not() -> None:
    tokens = numbered(30, 8)
    first, again, other = (np.array(layer(0.5, seed)(tokens, training=True)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_layers_behind_see_the_kept_columns_alone() -> None:
    model = regzoo.build(TINY, "patch_dropout(0.5)", input_shape=(6,), classes=3, seed=1)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    inserted = next(each for each in model.layers if type(each).__name__ == "Shortened")
    behind = keras.Model(inserted.output, model.get_layer("head").output)
    embed = keras.Model(model.input, model.get_layer("embed").output)
    start = inserted.generator.state.numpy()

    def again(call: Any) -> np.ndarray:
        inserted.generator.state.assign(start)
        return np.array(call())

    left = again(lambda: inserted(embed(x), training=True))
    first = again(lambda: model.logits(x, training=True))
    np.testing.assert_allclose(behind(left), first, atol=1e-6)  # sums of at most 7 numbers near 1
    kept = (np.array(embed(x))[:, :, None] == left[:, None]).all(-1).any(-1)
    assert kept.sum(1).tolist() == [3] * 4
    without, instead = np.where(kept, x, 9.0), np.where(kept, 9.0, x)
    # The columns that were left out have no part in it.
    np.testing.assert_array_equal(again(lambda: model.logits(without, training=True)), first)
    assert np.abs(again(lambda: model.logits(instead, training=True)) - first).max() > 1e-3


@pytest.mark.parametrize("shape", [(6,), (6, 3), (None, 3), (8, 8, 1)])
def test_it_trains_on_columns_steps_and_patches(shape: tuple[int | None, ...]) -> None:
    model = regzoo.build(TINY, "patch_dropout(0.5)", input_shape=shape, classes=3)
    random = np.random.default_rng(0)
    x = random.normal(size=(16, *(size or 6 for size in shape))).astype(np.float32)
    model.update(x, random.integers(0, 3, 16))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(tf.TensorSpec((None, *shape)))
    assert not [kind for kind in list_operations(graph) if "Random" in kind or "Sort" in kind or "TopK" in kind]
    np.testing.assert_array_equal(model(x), model(x))


def test_shapes_are_static_so_xla_compiles_the_step() -> None:
    model = regzoo.build(TINY, "patch_dropout(0.5)", input_shape=(6,), classes=3)
    seen: list[Any] = []
    inserted = next(each for each in model.layers if type(each).__name__ == "Shortened")
    perturb = inserted.perturb

    def spy(h: Any, seed: Any) -> Any:
        left = perturb(h, seed)
        seen.append(left.shape)
        return left

    inserted.perturb = spy
    x, y = np.zeros((8, 6), np.float32), np.arange(8) % 3
    step = tf.function(lambda: model.update(x, y)[0], jit_compile=True, autograph=False)
    assert np.isfinite(step().numpy())
    assert seen[0] == (8, 3, 6)


def test_its_rate_is_part_of_the_program() -> None:
    half, quarter = parse("patch_dropout(0.5)"), parse("patch_dropout(0.25)")
    assert half.structure() != quarter.structure()
    assert not half.dials()
    with pytest.raises(InputError, match="cannot be scheduled"):
        parse("patch_dropout(linear(0.5, 0.0, epochs=3))")


def tokens(behind: Any, mask: bool = False) -> keras.Model:
    """Return a model with embedded tokens and the layers ``behind``."""
    words = keras.Input((6,), dtype="int32")
    return keras.Model(words, behind(L.Embedding(9, 4, mask_zero=mask)(words)))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: tokens(lambda h: L.Dense(3, "softmax")(L.Flatten()(h))), "needs all of them"),
        (lambda: tokens(lambda h: L.Dense(3, "softmax")(L.Flatten()(L.Reshape((6, 4))(h)))), "needs all of them"),
        (lambda: tokens(lambda h: L.Dense(3, "softmax")(h)), "predicts|one at each of several positions"),
        (lambda: tokens(lambda h: L.Dense(3, "softmax")(L.LSTM(4)(h)), mask=True), "mask_zero"),
    ],
)
def test_models_that_need_every_token_are_refused(model: Any, reason: str) -> None:
    with pytest.raises(InputError, match=f"patch_dropout leaves out tokens.*({reason})"):
        regzoo.attach("patch_dropout(0.5)", model())


def test_an_own_model_trains_on_the_tokens_that_are_left() -> None:
    model = regzoo.attach("patch_dropout(0.5)", tokens(lambda h: L.Dense(3, "softmax")(L.LSTM(4)(h))))
    random = np.random.default_rng(0)
    model.update(random.integers(0, 9, (16, 6)), random.integers(0, 3, 16))
    assert model.hits_by_layer == {"patch_dropout": {model.layers[1].name: 1}}


def test_without_tokens_there_is_no_place() -> None:
    assert PatchDropout(0.5).layer(Slot("embedding", 0, 1, 2, 0)) is None
    assert PatchDropout(0.5).layer(Slot("input", 0, 1, 3, 0)) is None
    with pytest.raises(InputError, match="patch_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4])", "patch_dropout(0.5)", input_shape=(5,), classes=3)
