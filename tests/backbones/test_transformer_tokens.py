"""`transformer` on tokens: whole numbers that look up vectors, with padding that nothing sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.backbones import Transformer
from regzoo.backbones.transformer import average_where
from regzoo.core import InputError
from regzoo.core.weights import describe_weights

COVERS = ("transformer",)
TINY = "transformer(width=6, depth=1, heads=2, hidden=7)"
X = np.array([[3, 4, 5, 0, 0], [3, 4, 5, 6, 7], [0, 0, 3, 4, 5], [0, 0, 0, 0, 0]])


def build(recipe: str = "none") -> keras.Model:
    """Return a model of five tokens of eight kinds."""
    return regzoo.build(TINY, recipe, input_shape=(5,), classes=2, vocabulary_size=8)


def test_nothing_sees_padding(tmp_path: Path) -> None:
    model = build()
    before = model.predict(X, verbose=0)
    short = regzoo.build(TINY, input_shape=(3,), classes=2, vocabulary_size=8)
    values = {weight.path: weight.numpy() for weight in model.weights}
    short.set_weights([values[w.path][:3] if w.path == "positions/position" else values[w.path] for w in short.weights])
    assert short.predict(X[:1, :3], verbose=0) == pytest.approx(before[:1], abs=1e-6)  # as if there were no padding

    table = next(weight for weight in model.weights if weight.path == "embed/embeddings")
    table.assign(np.concatenate([np.full((1, 6), 9.0), table.numpy()[1:]]) * np.ones((8, 6)))
    after = model.predict(X, verbose=0)
    assert after[:3] == pytest.approx(before[:3], abs=1e-6)
    assert np.isfinite(after).all()  # an empty sequence has an answer as well
    table.assign(np.where(np.arange(8)[:, None] == 3, np.arange(6.0), table.numpy()))
    assert (np.abs(model.predict(X[:3], verbose=0) - after[:3]).max(1) > 1e-4).all()

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_tokens_and_positions_have_their_roles() -> None:
    roles = {weight.path: (weight.role, weight.unit_axes) for _, weight in describe_weights(build())}
    assert roles["embed/embeddings"] == ("embedding", (0,))
    assert roles["positions/position"] == ("position", (0,))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("gaussian_noise(0.1)", "gaussian_noise needs numbers, received tokens of shape"),
        ("random_flip(0.5)", "random_flip needs images, received tokens"),
        ("swap_noise(0.1)", "swap_noise needs rows, received tokens"),
        ("mixup(0.2)", "mixup mixes the steps of two examples, and the shares of their targets would count padding"),
        ("patch_dropout(0.5)", "patch_dropout leaves out tokens in training, and these are masked"),
    ],
)
def test_what_changes_numbers_is_refused(recipe: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(recipe)


def test_recipes_act_between_its_layers() -> None:
    assert build("embedding_dropout(0.1) + attention_dropout(0.1) + l2(0.01)").hits == {
        "embedding_dropout": 1,
        "attention_dropout": 1,
        "l2": 8,  # the table, four kernels of attention, two of the hidden layers, the head
    }


def test_other_backbones_and_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="mlp takes numbers, and the data holds tokens or text: take transformer"):
        regzoo.build("mlp", input_shape=(5,), classes=2, vocabulary_size=8)
    with pytest.raises(InputError, match=r"take the input_shape \(steps,\), received \(5, 2\)"):
        regzoo.build(TINY, input_shape=(5, 2), classes=2, vocabulary_size=8)
    with pytest.raises(InputError, match="vocabulary_size is the number of different tokens, from 2"):
        regzoo.build(TINY, input_shape=(5,), classes=2, vocabulary_size=1)
    with pytest.raises(InputError, match="at most 1024 tokens, received 1025 steps"):
        regzoo.build(TINY, input_shape=(1025,), classes=2, vocabulary_size=8)


def test_features_are_the_mean_over_the_tokens_that_are_seen() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    mask = np.array([[True, True, False, False], [True, True, True, True], [False, False, False, True]])
    wanted = [rows[seen].mean(axis=0) for rows, seen in zip(x, mask, strict=True)]
    np.testing.assert_allclose(average_where(keras.ops.convert_to_tensor(x), mask), wanted, rtol=1e-5)


def test_the_embedding_slot_is_behind_the_positions() -> None:
    made_by: dict[str, str] = {}

    def announce(kind: str, x: Any) -> Any:
        made_by.setdefault(kind, x._keras_history.operation.name)
        return x

    Transformer(width=6, depth=1, heads=2).call_on_tokens(keras.Input((5,), dtype="int32"), 8, announce)
    assert made_by["embedding"] == "positions"


def test_normalizations_divide_by_the_epsilon_of_the_docstring() -> None:
    norms = [layer for layer in build().layers if isinstance(layer, keras.layers.LayerNormalization)]
    assert {layer.epsilon for layer in norms} == {1e-6}
