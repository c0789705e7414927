"""Where a user's model has its tokens: behind Embedding layers and the sum with positions, or before its attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import attach
from regzoo.training.attach.graph import Graph

L = keras.layers


@keras.saving.register_keras_serializable("test_embeddings")
class Positions(keras.Layer):
    """Add a learned vector for each position, as vision transformers do."""

    def build(self, shape: Any) -> None:
        self.table = self.add_weight(shape=shape[1:], name="positions")

    def call(self, h: Any) -> Any:
        return h + self.table


@keras.saving.register_keras_serializable("test_embeddings")
class TokenAndPosition(keras.Layer):
    """Keras's own example: both tables in one layer."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.token, self.position = L.Embedding(9, 4), L.Embedding(6, 4)

    def build(self, shape: Any) -> None:
        for inner in (self.token, self.position):
            inner.build(shape)

    def call(self, words: Any) -> Any:
        return self.token(words) + self.position(keras.ops.arange(6))


@keras.saving.register_keras_serializable("test_embeddings")
class Block(keras.Layer):
    """Attention inside a layer of the user's."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.attention = L.MultiHeadAttention(2, 2)

    def build(self, shape: Any) -> None:
        self.attention.build(shape, shape)

    def call(self, h: Any) -> Any:
        return h + self.attention(h, h)


def words(make: Callable[[Any], Any]) -> keras.Model:
    x = keras.Input((6,), dtype="int32")
    return keras.Model(x, L.Dense(3, name="out")(L.GlobalAveragePooling1D(name="mean")(make(x))))


def patches(make: Callable[[Any], Any]) -> keras.Model:
    x = keras.Input((4, 6, 1))
    h = L.Reshape((6, 4), name="row")(L.Conv2D(4, 2, 2, name="patches")(x))
    return keras.Model(x, L.Dense(3, name="out")(L.GlobalAveragePooling1D(name="mean")(make(h))))


def attention(h: Any, name: str = "attend") -> Any:
    n = L.LayerNormalization(name=f"{name}_norm")(h)
    return L.Add(name=f"{name}_add")([h, L.MultiHeadAttention(2, 2, name=name)(n, n)])


def table(x: Any, name: str = "table") -> Any:
    return L.Embedding(9, 4, name=name)(x)


def two_tables(x: Any) -> Any:
    places = L.Embedding(6, 4, name="places")(keras.ops.arange(6))
    return attention(L.Add(name="sum")([table(x) * 2.0, table(x, "segments")]) + places)


WANTED: dict[str, tuple[Callable[[], keras.Model], list[str]]] = {
    "an embedding": (lambda: words(table), ["table"]),
    "an LSTM behind it": (lambda: words(lambda x: L.LSTM(3, return_sequences=True)(table(x))), ["table"]),
    "a residual sum": (lambda: words(lambda x: attention(attention(table(x), "one"), "two")), ["table"]),
    "sums of embeddings": (lambda: words(two_tables), ["add"]),
    "positions in a layer": (lambda: words(lambda x: attention(TokenAndPosition(name="both")(x))), ["both"]),
    "a layer of positions": (
        lambda: words(lambda x: L.LSTM(3, return_sequences=True)(Positions(name="pos_embedding")(table(x)))),
        ["pos_embedding"],
    ),
    "two streams": (
        lambda: words(lambda x: L.Concatenate()([table(x), L.Dense(2)(table(x, "other"))])),
        ["other", "table"],
    ),
    "post-norm": (lambda: words(lambda x: Block()(L.LayerNormalization(name="norm")(table(x)))), ["table"]),
    "patches": (lambda: patches(lambda h: attention(attention(Positions(name="places")(h), "one"), "two")), ["places"]),
    "patches, attention inside a layer": (lambda: patches(lambda h: Block()(Block()(h))), ["row"]),
    "patches, post-norm": (lambda: patches(lambda h: Block()(L.LayerNormalization(name="norm")(h))), ["norm"]),
    "patches, positions in an Embedding": (
        lambda: patches(lambda h: attention(L.Add(name="sum")([h, L.Embedding(6, 4)(keras.ops.arange(6))[None] * h]))),
        ["sum"],
    ),
}
"""Models, and the last layer or function before each slot, worked by hand."""


@pytest.mark.parametrize("name", WANTED)
def test_tokens_are_found_by_the_layers(name: str) -> None:
    make, wanted = WANTED[name]
    graph = Graph(make())
    found = [call.operation.name for call in graph.calls if graph.slots[id(call)].embedded]
    assert [name.rstrip("_0123456789") for name in found] == wanted


def test_a_model_without_tokens_has_no_place() -> None:
    x = keras.Input((6, 4))
    raw = keras.Model(x, L.Dense(3)(L.GlobalAveragePooling1D()(attention(x))))  # the first attention reads the inputs
    images = keras.Input((4, 4, 1))
    convolved = keras.Model(images, L.Dense(3)(L.Flatten()(L.Add()([images, L.Conv2D(1, 1)(images)]))))
    for model in (raw, convolved):
        with pytest.raises(InputError, match="embedding_dropout finds no place to act"):
            attach("embedding_dropout(0.1)", model)


def test_a_model_among_the_layers_has_its_tokens_inside_or_after_it() -> None:
    x = keras.Input((6,), dtype="int32")
    encoder = keras.Model(x, Positions(name="pos_embedding")(table(x)), name="encoder")
    model = words(lambda x: attention(encoder(x)))
    assert attach("embedding_dropout(0.1)", model).hits_by_layer["embedding_dropout"] == {"encoder/pos_embedding": 1}
    inside = attach("embedding_dropout(0.1)", model, expand_nested=True)
    assert inside.hits == {"embedding_dropout": 1}


def test_zeros_in_place_of_the_tokens_leave_the_biases() -> None:
    """By hand: at rate 1 nothing of words and positions is left, so the mean of zeros meets the last layer's bias."""
    model = words(TokenAndPosition(name="both"))
    model.layers[-1].set_weights([np.ones((4, 3)), np.array([1.0, 2.0, 3.0])])
    attached = attach("embedding_dropout(1.0)", model)
    x = np.arange(12).reshape(2, 6) % 9
    np.testing.assert_array_equal(attached.logits(x, training=True), [[1, 2, 3]] * 2)
    np.testing.assert_array_equal(attached.logits(x), model(x))
