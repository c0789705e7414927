"""`transformer`: tokens of images, rows and sequences, attention by hand, and slots."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.backbones import Transformer
from regzoo.core import InputError
from regzoo.core.parsing import read_backbone

TINY = "transformer(width=6, depth=1, heads=2, hidden=7)"


def norm(x: np.ndarray) -> np.ndarray:
    """Return x after initial layer normalization: scale 1, offset 0."""
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


def attention(x: np.ndarray, layer: Callable[[str, np.ndarray], np.ndarray], heads: int) -> np.ndarray:
    """Return the self-attention of tokens x (tokens, width), computed head by head."""
    query, key, value = (np.split(layer(part, x), heads, axis=-1) for part in ("query", "key", "value"))
    seen = []
    for q, k, v in zip(query, key, value, strict=True):
        powers = np.exp(q @ k.T / np.sqrt(q.shape[-1]))
        seen.append(powers / powers.sum(1, keepdims=True) @ v)
    return layer("out", np.concatenate(seen, -1))


def test_slots_stand_in_every_block(announced: Callable[..., Any]) -> None:
    block = [
        ("attention", (None, 2, 5, 5)),
        ("branch", (None, 5, 6)),
        ("preactivation", (None, 5, 7)),
        ("activation", (None, 5, 7)),
        ("branch", (None, 5, 6)),
    ]
    found = announced("transformer(width=6, depth=2, heads=2, hidden=7)", (5,))
    assert found == [("input", (None, 5)), ("embedding", (None, 5, 6)), *block, *block, ("features", (None, 6))]


@pytest.mark.parametrize(
    ("shape", "tokens"),
    [
        ((8, 8, 1), 4),
        ((28, 28, 1), 49),
        ((9, 5, 2), 6),
        ((64, 64, 3), 256),  # patches of 4 pixels
        ((65, 64, 3), 72),  # of 8, since 4 would make 272
        ((224, 224, 3), 196),  # of 16
        ((7,), 7),
        ((9, 5), 9),
        ((None, 5), None),
    ],
)
def test_patches_columns_and_steps_are_tokens(
    announced: Callable[..., Any], shape: tuple[int, ...], tokens: int | None
) -> None:
    assert announced(TINY, shape)[2] == ("attention", (None, 2, tokens, tokens))


def test_it_is_attention_and_a_small_network_with_two_shortcuts() -> None:
    model = regzoo.build(TINY, input_shape=(3, 5), classes=2)
    weights = {weight.path: weight.numpy() for weight in model.weights}
    draw = np.random.default_rng(0)
    # Biases start at zero, where they would make no difference.
    weights = {path: w if w.ndim > 1 or "norm" in path else draw.normal(size=w.shape) for path, w in weights.items()}
    model.set_weights([weights[weight.path] for weight in model.weights])

    def layer(name: str, h: np.ndarray) -> np.ndarray:
        return h @ weights[f"block_0_{name}/kernel"] + weights[f"block_0_{name}/bias"]

    x = draw.normal(size=(4, 3, 5)).astype(np.float32)
    pooled = []
    for sequence in x:
        h = sequence @ weights["embed/kernel"] + weights["embed/bias"]
        h = h + attention(norm(h), layer, heads=2)
        hidden = layer("dense_0", norm(h))
        gelu = np.array([[v * 0.5 * (1 + math.erf(v / np.sqrt(2))) for v in row] for row in hidden])
        h = h + layer("dense_1", gelu)
        pooled.append(norm(h).mean(0))
    wanted = np.array(pooled) @ weights["head/kernel"] + weights["head/bias"]
    # About ten float32 products deep, of sums of at most 7 numbers near 1.
    np.testing.assert_allclose(model.logits(x), wanted, atol=2e-5)


def test_the_attention_slot_holds_weights_of_sum_1_that_multiply_the_values() -> None:
    """After the softmax: before it, scores may be negative, and zeros there would be an equal share for each key."""
    x = keras.Input((5,))
    seen: dict[str, Any] = {}
    read_backbone(TINY)(x, lambda kind, tensor: seen.setdefault(kind, tensor))
    weights = keras.Model(x, seen["attention"])(np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32))
    assert np.min(weights) > 0
    np.testing.assert_allclose(np.sum(weights, -1), np.ones((3, 2, 5)), atol=1e-6)  # five float32 roundings
    model = regzoo.build(TINY, "attention_dropout(1.0)", input_shape=(5,), classes=3)
    out = keras.Model(model.input, model.get_layer("block_0_out").output)
    np.testing.assert_array_equal(out(np.ones((2, 5), np.float32), training=True), np.zeros((2, 5, 6)))  # bias 0


def test_branches_end_before_the_addition() -> None:
    """Without branches what is left is the mean of the normalized tokens; zeros after the addition would leave none."""
    model = regzoo.build(TINY, "residual_dropout(1.0)", input_shape=(5,), classes=3)
    weights = {weight.path: weight.numpy() for weight in model.weights}
    x = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    tokens = x[:, :, None] * weights["embed/kernel"] + weights["embed/bias"]
    wanted = norm(tokens).mean(1) @ weights["head/kernel"] + weights["head/bias"]
    np.testing.assert_allclose(model.logits(x, training=True), wanted, atol=1e-5)
    for keep, name in enumerate(("attention", "mlp")):  # each of the two is a branch: the other one alone is left out
        kept = regzoo.build(
            TINY, f"residual_dropout(1.0, on={('attention', 'dense')[keep]})", input_shape=(5,), classes=3
        )
        assert kept.hits == {"residual_dropout": 1}, name
        assert np.abs(np.array(kept.logits(x, training=True)) - wanted).max() > 1e-3


def test_initial_values_are_those_of_the_papers() -> None:
    """Columns: U(-1/sqrt(width), 1/sqrt(width)); positions of steps: N(0, 0.02^2); all else Glorot, biases 0."""
    wide = "transformer(width=64, depth=1, heads=4, hidden=128)"
    rows = regzoo.build(wide, input_shape=(100,), classes=3)
    for weight in rows.get_layer("embed").get_weights():
        # 6,400 draws: the largest is within 1 % of the limit but with probability e^-64.
        assert 0.99 / 8 < np.abs(weight).max() <= 1 / 8
        assert weight.std() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.05)  # five standard errors: 5 x 0.9 / 80
    steps = regzoo.build(wide, input_shape=(100, 3), classes=3)
    assert steps.get_layer("embed").get_weights()[1].std() == pytest.approx(0.02, rel=0.05)
    for role, fan in {"query": 128, "key": 128, "value": 128, "out": 128, "dense_0": 192, "dense_1": 192}.items():
        kernel, bias = rows.get_layer(f"block_0_{role}").get_weights()
        assert 0.98 * math.sqrt(6 / fan) < np.abs(kernel).max() <= math.sqrt(6 / fan)
        assert not bias.any()


def test_a_patch_is_a_square_of_the_image() -> None:
    model = regzoo.build("transformer(width=6, depth=1, heads=2, hidden=7, patch=2)", input_shape=(4, 5, 2), classes=2)
    image = np.arange(40, dtype=np.float32).reshape(1, 4, 5, 2)
    patches = keras.Model(model.input, model.get_layer("patches").output)(image).numpy()
    padded = np.pad(image, ((0, 0), (0, 0), (0, 1), (0, 0)))
    assert patches.shape == (1, 6, 8)
    for token in range(6):
        row, column = 2 * (token // 3), 2 * (token % 3)
        np.testing.assert_array_equal(patches[0, token], padded[0, row : row + 2, column : column + 2].ravel())


def test_columns_have_vectors_of_their_own_and_sequences_a_place_in_it() -> None:
    columns = regzoo.build(TINY, input_shape=(4,), classes=2).get_layer("embed").get_weights()
    steps = regzoo.build(TINY, input_shape=(4, 5), classes=2).get_layer("embed").get_weights()
    free = regzoo.build(TINY, input_shape=(None, 5), classes=2).get_layer("embed").get_weights()
    assert [w.shape for w in columns] == [(4, 6), (4, 6)]
    assert [w.shape for w in steps] == [(5, 6), (4, 6)]
    assert [w.shape for w in free] == [(5, 6), (6,)]
    for weight in (*columns, steps[1]):
        assert len({tuple(row) for row in weight}) == 4


def test_it_sees_the_order_of_columns_and_steps() -> None:
    draw = np.random.default_rng(0)
    for shape in ((4,), (4, 5), (8, 8, 1)):
        model = regzoo.build(TINY, input_shape=shape, classes=2)
        x = draw.standard_normal((2, *shape)).astype(np.float32)
        assert np.abs(model.logits(x) - model.logits(x[:, ::-1])).max() > 1e-4


def test_sequences_of_any_length_are_accepted() -> None:
    model = regzoo.build(TINY, input_shape=(None, 5), classes=2)
    for length in (2, 9):
        assert model.predict(np.ones((2, length, 5), np.float32), verbose=0).shape == (2, 2)


def test_tokens_are_independent_without_attention() -> None:
    """With all attention weights at zero in training, tokens no longer depend on one another."""
    model = regzoo.build(TINY, "attention_dropout(0.99)", input_shape=(5,), classes=2)
    assert model.hits == {"attention_dropout": 1}
    x = np.random.default_rng(0).standard_normal((2, 5)).astype(np.float32)
    assert np.abs(model.logits(x, training=True) - model.logits(x)).max() > 1e-3


@pytest.mark.parametrize(
    ("text", "shape", "reason"),
    [
        ("transformer(width=10)", (5,), "transformer: width must be a multiple of heads, received 10 and 4"),
        ("transformer", (1025,), "transformer takes at most 1024 tokens, received 1025 columns; use mlp"),
        (
            "transformer",
            (2000, 8),
            "transformer takes at most 1024 tokens, received 2000 steps; shorten the sequences",
        ),
        (
            "transformer(patch=4)",
            (224, 224, 3),
            "transformer: patch=4 splits images of 224 x 224 into 3136 tokens, more than 1024; use a larger patch",
        ),
    ],
)
def test_impossible_sizes_are_refused(text: str, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(InputError) as raised:
        regzoo.build(text, input_shape=shape, classes=3)
    assert str(raised.value) == reason


def test_values_are_checked_and_every_activation_is_taken() -> None:
    with pytest.raises(InputError, match="width"):
        Transformer(width=-4)
    activations = ("relu", "gelu", "silu", "tanh", "elu", "selu")
    assert [Transformer(activation=name).activation for name in activations] == list(activations)


def test_patches_double_from_257_on_and_1024_are_taken() -> None:
    assert Transformer()._choose_patch_size(1024, 4) == 4
    assert Transformer()._choose_patch_size(1028, 4) == 8
    build = functools.partial(regzoo.build, "transformer(width=4, depth=1, heads=1, hidden=2, patch=1)", classes=2)
    assert build(input_shape=(32, 32, 1)).output_shape == (None, 2)
    with pytest.raises(InputError, match="into 1056 tokens, more than 1024"):
        build(input_shape=(32, 33, 1))


def test_attention_is_its_four_dense_layers() -> None:
    model = regzoo.build("transformer(width=4, depth=1, heads=2)", "l2(0.1, on=attention)", input_shape=(5,), classes=2)
    (layers,) = model.hits_by_layer.values()
    assert set(layers) == {f"block_0_{role}" for role in ("query", "key", "value", "out")}
