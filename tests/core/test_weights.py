"""Descriptions of a model's weights: the layers that hold them, weights that two layers hold, layers of the user."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from regzoo.core import Weight
from regzoo.core.weights import describe_weights


class Tied(keras.Layer):
    """Multiplies by the table of an Embedding, transposed, and adds a bias of its own."""

    def __init__(self, embedding: Any) -> None:
        super().__init__(name="tied")
        self.table = embedding.embeddings

    def build(self, input_shape: Any) -> None:
        """Make the bias."""
        self.bias = self.add_weight(shape=(1, 7), name="bias")

    def call(self, x: Any) -> Any:
        """Return logits, (batch, steps, 7)."""
        return x @ keras.ops.transpose(self.table) + self.bias


class Wider(layers.Dense):
    """A Dense with a weight more, and with inner weights that no table knows."""

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        super().build(input_shape)
        self.extra = self.add_weight(shape=(2, 3), name="class_gain")
        self.parts = [self.add_weight(shape=(2, 3)), self.add_weight(shape=(4, 5, 6), name="cls_token")]


class PositionEmbedding(keras.Layer):
    """Adds a vector for each position, as KerasHub's layer of this name."""

    def build(self, input_shape: Any) -> None:
        """Make the vectors."""
        self.vectors = self.add_weight(shape=input_shape[1:], name="embeddings")

    def call(self, x: Any) -> Any:
        """Return x + vectors."""
        return x + self.vectors


@pytest.fixture(scope="module")
def described(tensorflow: None) -> dict[str, Weight]:
    """Return the weights of a model with layers inside of layers, by the end of their path."""
    tokens = keras.Input((5,), dtype="int32")
    embedding = layers.Embedding(7, 4, name="words")
    x = PositionEmbedding(name="places")(embedding(tokens))
    inner = keras.Sequential([layers.Bidirectional(layers.LSTM(2, return_sequences=True, name="seq"))], name="inner")
    x = layers.Add()([inner(x), layers.MultiHeadAttention(2, 2, name="look")(x, x)])
    x = layers.SpectralNormalization(layers.Dense(4, name="bounded"), name="spectral")(x)
    x = layers.TimeDistributed(Wider(4, name="wider"), name="each")(x)
    model = keras.Model(tokens, Tied(embedding)(x))
    model.trainable = False  # described all the same: rules follow `trainable` later
    pairs = describe_weights(model)
    assert [id(variable) for variable, _ in pairs] == [
        id(v) for v in model.variables if "seed" not in v.path and "vector_u" not in v.path
    ]
    return {"/".join(weight.path.split("/")[-2:]): weight for _, weight in pairs}


@pytest.mark.parametrize(
    ("path", "role", "unit_axes", "holders"),
    [
        ("words/embeddings", "embedding", (0,), ["words"]),  # Tied holds it too, and did not make it
        ("tied/bias", "bias", (0, 1), ["tied"]),
        ("places/embeddings", "position", (0,), ["places"]),
        ("lstm_cell/kernel", "kernel", (1,), ["inner", "bidirectional", "backward_seq", "lstm_cell"]),
        (
            "lstm_cell/recurrent_kernel",
            "recurrent_kernel",
            (1,),
            ["inner", "bidirectional", "backward_seq", "lstm_cell"],
        ),
        ("lstm_cell/bias", "bias", (0,), ["inner", "bidirectional", "backward_seq", "lstm_cell"]),
        ("query/kernel", "kernel", (1, 2), ["look", "query"]),
        ("value/bias", "bias", (0, 1), ["look", "value"]),
        ("attention_output/kernel", "kernel", (2,), ["look", "attention_output"]),
        ("bounded/kernel", "kernel", (1,), ["spectral", "bounded"]),  # SpectralNormalization holds it too
        ("wider/kernel", "kernel", (1,), ["each", "wider"]),
        ("wider/class_gain", "scale", (0, 1), ["each", "wider"]),
        ("wider/variable", "kernel", (1,), ["each", "wider"]),
        ("wider/cls_token", "embedding", (0, 1), ["each", "wider"]),
    ],
)
def test_each_weight_belongs_to_the_innermost_layer_that_made_it(
    described: dict[str, Weight], path: str, role: str, unit_axes: tuple[int, ...], holders: list[str]
) -> None:
    weight = next(weight for name, weight in described.items() if name.startswith(path))
    assert (weight.role, weight.unit_axes) == (role, unit_axes)
    names = [layer.name.rstrip("_0123456789") for layer in weight.layers]
    assert names == [name.rstrip("_0123456789") for name in holders]
    assert weight.layer == weight.layers[-1]


def test_classes_run_from_the_layers_own_to_kerass(described: dict[str, Weight]) -> None:
    weight = described["wider/kernel"]
    assert weight.layer.classes == ("Wider", "Dense", "Layer")
    assert weight.layers[0].classes == ("TimeDistributed", "Wrapper", "Layer")


def test_a_users_class_of_a_name_that_keras_has_is_the_users(tensorflow: None) -> None:
    class Embedding(keras.Layer):
        """Multiplies by a kernel."""

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(input_shape[-1], 3), name="embeddings_kernel")

        def call(self, x: Any) -> Any:
            return x @ self.w

    layer = Embedding()
    layer(np.ones((2, 4), np.float32))
    (_, weight), *others = describe_weights(layer)
    assert (weight.role, weight.unit_axes, others) == ("kernel", (1,), [])
    assert weight.layer.name == layer.name


class TokensAndPositions(keras.Layer):
    """The sum of two tables, as in Keras's own examples."""

    def __init__(self) -> None:
        super().__init__()
        self.token_emb = layers.Embedding(7, 4)
        self.pos_emb = layers.Embedding(5, 4)

    def call(self, x: Any) -> Any:
        """Return vectors of tokens x, (batch, 5, 4)."""
        return self.token_emb(x) + self.pos_emb(keras.ops.arange(5))


def test_an_embedding_of_positions_is_known_by_its_name(tensorflow: None) -> None:
    layer = TokensAndPositions()
    layer(np.zeros((2, 5), np.int32))
    model = keras.Sequential([keras.Input((5,), dtype="int32"), layer])
    for holder in (layer, model):
        assert [weight.role for _, weight in describe_weights(holder)] == ["embedding", "position"]
    named = layers.Embedding(5, 4, name="position_embedding")
    named.build()
    assert describe_weights(named)[0][1].role == "position"


def test_lora_freezes_the_kernel_and_adds_factors(tensorflow: None) -> None:
    layer = layers.Dense(3)
    layer.build((None, 4))
    layer.enable_lora(2)
    assert {weight.path.split("/")[-1]: weight.role for _, weight in describe_weights(layer)} == {
        "kernel": "kernel",
        "bias": "bias",
        "lora_kernel_a": "lora",
        "lora_kernel_b": "lora",
    }
