"""Initial weights of the user's own model: drawn as building it anew would, in a stream for each layer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.training.attach.graph import Graph
from regzoo.training.own_model.draw import InitialDraw, list_frozen_layers
from regzoo.training.own_model.seeded import run_seeded

LAYERS = keras.layers

WEIGHTED: dict[str, Callable[[], tuple[tuple[int, ...], keras.Layer]]] = {
    "Dense": lambda: ((4,), LAYERS.Dense(3)),
    "EinsumDense": lambda: ((4,), LAYERS.EinsumDense("ab,bc->ac", 3, bias_axes="c")),
    "Conv1D": lambda: ((6, 3), LAYERS.Conv1D(2, 3)),
    "Conv2D": lambda: ((6, 6, 3), LAYERS.Conv2D(2, 3)),
    "Conv2DTranspose": lambda: ((6, 6, 3), LAYERS.Conv2DTranspose(2, 3)),
    "DepthwiseConv2D": lambda: ((6, 6, 3), LAYERS.DepthwiseConv2D(3)),
    "SeparableConv2D": lambda: ((6, 6, 3), LAYERS.SeparableConv2D(2, 3)),
    "Embedding": lambda: ((5,), LAYERS.Embedding(7, 3)),
    "LSTM": lambda: ((5, 3), LAYERS.LSTM(4)),
    "GRU": lambda: ((5, 3), LAYERS.GRU(4)),
    "SimpleRNN": lambda: ((5, 3), LAYERS.SimpleRNN(4)),
    "ConvLSTM1D": lambda: ((4, 6, 3), LAYERS.ConvLSTM1D(2, 3)),
    "RNN of cells": lambda: ((5, 3), LAYERS.RNN([LAYERS.LSTMCell(3), LAYERS.GRUCell(2)])),
    "Bidirectional": lambda: ((5, 3), LAYERS.Bidirectional(LAYERS.LSTM(4))),
    "TimeDistributed": lambda: ((5, 3), LAYERS.TimeDistributed(LAYERS.Dense(2))),
    "MultiHeadAttention": lambda: ((5, 4), _Self(LAYERS.MultiHeadAttention(2, 3))),
    "BatchNormalization": lambda: ((4,), LAYERS.BatchNormalization()),
    "LayerNormalization": lambda: ((4,), LAYERS.LayerNormalization()),
    "GroupNormalization": lambda: ((4,), LAYERS.GroupNormalization(2)),
    "PReLU": lambda: ((4,), LAYERS.PReLU(alpha_initializer="random_uniform")),
    "SpectralNormalization": lambda: ((4,), LAYERS.SpectralNormalization(LAYERS.Dense(3))),
    "a fixed seed": lambda: ((4,), LAYERS.Dense(3, kernel_initializer=keras.initializers.HeNormal(seed=5))),
    "an initializer of NumPy": lambda: ((4,), LAYERS.Dense(3, kernel_initializer=_draw_by_numpy)),
    "an initializer of Keras's global stream": lambda: ((4,), LAYERS.Dense(3, kernel_initializer=_draw_by_keras)),
    "an initializer of TensorFlow's global stream": lambda: ((4,), LAYERS.Dense(3, kernel_initializer=_draw_by_tf)),
    "a layer built in its call": lambda: ((4,), _Late()),
    "a nested model": lambda: ((4,), keras.Sequential([keras.Input((4,)), LAYERS.Dense(3), LAYERS.Dense(2)])),
}


def _draw_by_numpy(shape: Any, dtype: Any = None) -> Any:
    return np.random.normal(size=shape)  # noqa: NPY002  # as users do


def _draw_by_keras(shape: Any, dtype: Any = None) -> Any:
    return keras.random.normal(shape)


def _draw_by_tf(shape: Any, dtype: Any = None) -> Any:
    return tf.random.normal(shape)


for each in (_draw_by_numpy, _draw_by_keras, _draw_by_tf):
    keras.saving.register_keras_serializable("test_draw")(each)


@keras.saving.register_keras_serializable("test_draw")
class _Self(keras.layers.Layer):
    """Self-attention with one argument."""

    def __init__(self, inner: Any, **options: Any) -> None:
        super().__init__(**options)
        self.inner = keras.saving.deserialize_keras_object(inner) if isinstance(inner, dict) else inner

    def call(self, x: Any) -> Any:
        return self.inner(x, x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}


@keras.saving.register_keras_serializable("test_draw")
class _Late(keras.layers.Layer):
    """A layer without a ``build``, whose layers are built when they are called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.first, self.second = LAYERS.Dense(3), LAYERS.Dense(2)

    def call(self, x: Any) -> Any:
        return self.second(keras.ops.relu(self.first(x)))


def build(name: str) -> keras.Model:
    shape, layer = WEIGHTED[name]()
    inputs = keras.Input(shape, dtype="int32" if name == "Embedding" else "float32")
    return keras.Model(inputs, layer(inputs))


def draw(model: keras.Model, seed: int) -> list[np.ndarray]:
    values = InitialDraw(Graph(model)).draw(seed)
    return [values[id(weight)] for weight in model.weights]


@pytest.mark.parametrize("name", WEIGHTED)
def test_a_draw_is_what_another_building_could_have_drawn(name: str) -> None:
    """What two buildings agree on (zeros, ones, LSTM's forget gate) is that; what is random differs by the seed."""
    model, other = build(name), build(name)
    first, again, second = draw(model, 1), draw(model, 1), draw(model, 2)
    assert len(first) == len(model.weights) > 0
    builds = zip(model.get_weights(), other.get_weights(), strict=True)
    for (built, rebuilt), one, same, two in zip(builds, first, again, second, strict=True):
        fixed_seed = name == "a fixed seed" and built.ndim == 2
        assert one.shape == built.shape
        assert np.array_equal(one, same)
        if np.array_equal(built, rebuilt) and not fixed_seed:
            assert np.array_equal(one, built)
        else:
            assert not np.array_equal(one, two)
            assert not np.array_equal(one, built)
            limit = np.abs(np.concatenate([built.ravel(), rebuilt.ravel()])).max()
            assert np.abs(one).max() < 10 * limit


def test_a_layer_draws_alike_whatever_else_is_in_the_model_and_whatever_keras_calls_it() -> None:
    def model(extra: bool) -> keras.Model:
        inputs = keras.Input((4,))
        x = LAYERS.BatchNormalization()(inputs) if extra else inputs
        return keras.Model(inputs, LAYERS.Dense(2)(LAYERS.Dense(4)(x)))

    alone, beside = model(False), model(True)
    assert alone.layers[-1].name != beside.layers[-1].name
    assert all(map(np.array_equal, draw(alone, 3)[-4:], draw(beside, 3)[-4:]))
    first, last = draw(alone, 3)[0], draw(alone, 3)[2]
    assert not np.array_equal(first[:, :2], last)  # two layers, two streams


def test_a_layer_that_is_called_twice_is_drawn_once() -> None:
    inputs, shared = keras.Input((4,)), LAYERS.Dense(4)
    model = keras.Model(inputs, shared(shared(inputs)))
    assert [value.shape for value in draw(model, 0)] == [(4, 4), (4,)]


ADAPTED: dict[str, Callable[[], tuple[keras.Layer, Any, Any]]] = {
    "Normalization": lambda: (LAYERS.Normalization(), np.arange(8.0).reshape(4, 2), keras.Input((2,))),
    "Discretization": lambda: (LAYERS.Discretization(num_bins=3), np.arange(9.0).reshape(9, 1), keras.Input((1,))),
    "StringLookup": lambda: (LAYERS.StringLookup(), ["a", "b", "b"], keras.Input((1,), dtype="string")),
    "IntegerLookup": lambda: (LAYERS.IntegerLookup(), [3, 5, 5], keras.Input((1,), dtype="int64")),
    "TextVectorization": lambda: (LAYERS.TextVectorization(), ["a b", "b c"], keras.Input((1,), dtype="string")),
    "TextVectorization with idf": lambda: (
        LAYERS.TextVectorization(output_mode="tf_idf"),
        ["a b", "b c"],
        keras.Input((1,), dtype="string"),
    ),
}


@pytest.mark.parametrize("name", ADAPTED)
@pytest.mark.parametrize("weights", ["fresh", "keep"])
def test_adapted_layers_keep_their_state_through_pack_and_attach(name: str, weights: Any) -> None:
    """Expected: what the adapted layer itself returns."""
    from regzoo.core import Recipe
    from regzoo.training.own_model.build import build_own_model
    from regzoo.training.own_model.pack import pack
    from regzoo.training.task import Task

    layer, data, inputs = ADAPTED[name]()
    layer.adapt(np.array(data))
    encoded = keras.ops.cast(layer(inputs), "float32")
    features = LAYERS.Flatten()(encoded) if encoded.shape[1] else LAYERS.Embedding(9, 3)(layer(inputs))
    flat = features if len(features.shape) == 2 else LAYERS.GlobalAveragePooling1D()(features)
    model = keras.Model(inputs, LAYERS.Dense(2)(flat))
    probe = keras.Model(inputs, layer(inputs))
    built = build_own_model(pack(model, weights), Recipe(), Task("regression", 2), seed=4)
    copy = built.get_layer(layer.name)
    x = tf.constant(np.array(data).reshape(len(data), -1))
    assert np.array_equal(probe(x), copy(x))
    if weights == "keep":
        assert np.allclose(model(x), built(x), atol=1e-6)


def test_frozen_layers_are_named() -> None:
    model = keras.Sequential([keras.Input((4,)), LAYERS.Dense(3, name="base", trainable=False), LAYERS.Dense(2)])
    assert list_frozen_layers(model) == ["base"]


def test_the_streams_of_the_user_are_left_as_they_were() -> None:
    def draw_one() -> float:
        return float(keras.random.uniform(()))

    def draw_all() -> list[float]:
        return [random.random(), np.random.random(), draw_one(), float(tf.random.uniform(()))]  # noqa: NPY002

    keras.utils.set_random_seed(11)
    expected = draw_all()
    keras.utils.set_random_seed(11)
    assert run_seeded(5, draw_one) == run_seeded(5, draw_one) != run_seeded(6, draw_one)
    assert draw_all() == expected
    tf.random.set_seed(None)
