"""Graph: a user's model has its slots where a backbone has them."""

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
Rows = tuple[np.ndarray, np.ndarray]


def sequential(**last: Any) -> keras.Sequential:
    """Return a model with 5 inputs, two hidden layers and 3 classes."""
    hidden = [L.Dense(8, activation="relu"), L.Dense(7), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3)]
    return keras.Sequential([keras.Input((5,)), *hidden, L.Dense(3, **(last or {"activation": "softmax"}))])


def plain() -> keras.Model:
    """Return a model with 5 inputs, a hidden layer and 3 classes."""
    return keras.Sequential([keras.Input((5,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """Return the model with ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def count_slots(model: keras.Model) -> dict[str, int]:
    """Return how many slots of each kind ``model`` has."""
    return {kind: count for kind, count in Graph(model).count_slots().items() if count}


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_slots_are_where_a_backbone_has_them() -> None:
    assert count_slots(sequential()) == {"input": 1, "preactivation": 2, "activation": 2}
    recipe = "dropout(0.5) + batch_norm(0.9) + l2(0.1) + weight_decay(0.1) + gaussian_noise(0.1)"
    # Two nonlinearities, one of them inside its layer; three kernels; the optimizer and the batch count once.
    wanted = {"dropout": 2, "batch_norm": 2, "l2": 3, "weight_decay": 1, "gaussian_noise": 1}
    assert attach(recipe, sequential()).hits == wanted


def test_inserted_layers_act_on_the_nonlinearity_inside_a_layer(rows: Rows) -> None:
    attached = attach("dropout(1.0)", plain())
    assert not np.any(attached.logits(rows[0], training=True))  # all hidden units are off, and biases start at 0
    assert np.any(attached.logits(rows[0]))
    kinds = [type(layer).__name__ for layer in attach("batch_norm(0.9) + dropout(0.1)", plain()).layers]
    assert kinds[1:6] == ["Dense", "BatchNormalization", "Activation", "InTraining", "Dense"]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Activation("gelu"),
        lambda: L.LeakyReLU(),
        lambda: L.PReLU(),
        lambda: L.ELU(),
        lambda: keras.activations.relu,
        lambda: keras.ops.silu,
        lambda: keras.ops.tanh,
        lambda: L.Dense(6, activation="sigmoid"),
    ],
)
def test_all_kinds_of_nonlinearities_are_found(layer: Callable[[], Any]) -> None:
    assert count_slots(functional(lambda x: L.Dense(2)(layer()(x)))) == {
        "input": 1,
        "preactivation": 1,
        "activation": 1,
    }


@pytest.mark.parametrize("layer", [lambda: L.Activation("linear"), lambda: L.Softmax(), lambda: L.Dense(6)])
def test_other_layers_have_no_slot(layer: Callable[[], Any]) -> None:
    assert count_slots(functional(lambda x: L.Dense(2)(layer()(x)))) == {"input": 1}


def test_recurrent_layers_have_an_activation_slot_only() -> None:
    model = functional(lambda x: L.Dense(2)(L.Bidirectional(L.GRU(3))(L.LSTM(4, return_sequences=True)(x))), (7, 5))
    assert count_slots(model) == {"input": 1, "activation": 2}
    assert attach("dropout(0.5)", model).hits == {"dropout": 2}


def test_a_shared_layer_has_slots_at_every_call() -> None:
    shared = L.Dense(6, activation="relu")
    model = functional(lambda x: L.Dense(2)(shared(shared(x))))
    attached = attach("dropout(0.5) + l2(0.1)", model)
    assert attached.hits == {"dropout": 2, "l2": 2}
    assert len(attached.get_weights()) == 4
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))


def dense(name: str, **options: Any) -> Any:
    return L.Dense(6, name=name, **options)


def same_depth(x: Any) -> Any:
    return L.Add()([dense("a")(x), dense("b")(x)])


def two_towers(_: Any) -> keras.Model:
    left, right = keras.Input((6,)), keras.Input((6,))
    return keras.Model([left, right], L.Dense(2)(L.Add()([dense("a")(left), dense("c")(dense("b")(right))])))


@pytest.mark.parametrize(
    ("join", "branches"),
    [
        (lambda x: L.Add()([x, dense("a")(x)]), 1),
        (lambda x: L.Add()([dense("b")(dense("a")(x)), x]), 1),
        (lambda x: x + dense("a")(x), 1),
        (lambda x: L.Add()([dense("short")(x), dense("b")(dense("a")(x))]), 1),  # a shortcut with a projection
        (lambda x: L.Add()([x, dense("a")(x), dense("b")(x)]), 2),
        (same_depth, 0),  # either could be the shortcut
        (lambda x: L.Add()([x, L.Dense(1)(x)]), 0),  # broadcast: no residual
        (lambda x: L.Concatenate()([x, dense("a")(x)]), 0),
    ],
)
def test_branches_are_added_to_the_shortcut(join: Callable[[Any], Any], branches: int) -> None:
    assert count_slots(functional(lambda x: L.Dense(2)(join(L.Dense(6, name="stem")(x))))).get("branch", 0) == branches


def test_towers_without_a_common_source_are_no_branches() -> None:
    assert count_slots(two_towers(None)) == {"input": 2}


def test_stochastic_depth_drops_the_branch_and_not_the_shortcut() -> None:
    model = functional(lambda x: L.Dense(2, use_bias=False, kernel_initializer="ones")(L.Add()([dense("a")(x), x])))
    attached = attach("stochastic_depth(1.0)", model)
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], np.float32)
    np.testing.assert_array_equal(attached.logits(x, training=True), [[21.0, 21.0]])


def test_every_block_of_a_keras_application_is_reached() -> None:
    model = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=4)
    attached = attach("dropout(0.1) + stochastic_depth(0.1) + l2(0.0001)", model)
    # 17 blocks with two nonlinearities each, except the one that does not expand, and one before and one after
    # them; 10 of the blocks have a residual connection.
    assert attached.hits["dropout"] == 35
    assert attached.hits["stochastic_depth"] == 10
    assert attached.hits["l2"] == sum(w.ndim > 1 for w in model.get_weights())
    assert equal(attached.get_weights(), model.get_weights())
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float32)
    # The order of sums may differ between batches; probabilities are near 1/4.
    np.testing.assert_allclose(attached(x), model(x), atol=1e-6)


def test_a_nested_model_is_one_layer_whose_weights_are_reached(rows: Rows) -> None:
    inner = keras.Sequential([keras.Input((5,)), L.Dense(4, activation="relu"), L.Dense(4, activation="relu")])
    model = functional(lambda x: L.Dense(3, activation="softmax")(inner(x)), shape=(5,))
    assert attach("l2(0.1)", model).hits == {"l2": 3}
    np.testing.assert_array_equal(
        attach("l2(0.1)", model).predict(rows[0], verbose=0), model.predict(rows[0], verbose=0)
    )
    with pytest.raises(InputError, match=r"dropout finds no place to act.*unless expand_nested=True: sequential"):
        attach("dropout(0.5)", model)


def test_attention_inside_a_layer_is_out_of_reach() -> None:
    model = functional(lambda x: L.Dense(2)(L.Flatten()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))), shape=(3, 5))
    assert count_slots(model) == {"input": 1, "branch": 1}
    with pytest.raises(InputError, match=r"attention_dropout finds no place.*out of reach: .*\(MultiHeadAttention\)"):
        attach("attention_dropout(0.1)", model)
