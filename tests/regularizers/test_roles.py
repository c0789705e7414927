"""Weight regularizers on every role of a weight: Keras's constraints and regularizers, and NumPy, say what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import regzoo
from regzoo.core import Companion, Gradients, OnWeights, Projection, Weight
from regzoo.core.weights import describe_weights
from regzoo.regularizers import (
    L1,
    L1L2,
    L2,
    L2SP,
    Dropconnect,
    GroupLasso,
    MaxNorm,
    Orthogonal,
    SpectralNorm,
    UnitNorm,
    WeightDecay,
    WeightNoise,
)

FAN_IN: dict[str, tuple[int, ...]] = {
    "dense/kernel": (0,),
    "conv/kernel": (0, 1, 2),
    "grouped/kernel": (0, 1, 2),
    "depthwise/kernel": (0, 1),
    "transposed/kernel": (0, 1, 3),
    "separable/depthwise_kernel": (0, 1),
    "separable/pointwise_kernel": (0, 1, 2),
    "gru_cell/kernel": (0,),
    "gru_cell/recurrent_kernel": (0,),
    "query/kernel": (0,),
    "attention_output/kernel": (0, 1),
}
"""The ``axis`` of a Keras constraint for the incoming weights of a unit, by kernel."""

TABLES = ["words/embeddings", "columns/kernel"]
LEFT_ALONE = ["gru_cell/bias", "query/bias", "columns/bias", "prelu/alpha", "norm/gamma", "norm/beta", "dense/bias"]
LORA = ["tuned/lora_kernel_a", "tuned/lora_kernel_b"]

CONSTRAINTS = (MaxNorm(0.5), UnitNorm(), SpectralNorm(), GroupLasso(0.1), Orthogonal(0.1), Dropconnect(0.3))
PENALTIES: tuple[tuple[OnWeights, Any], ...] = (
    (L1(0.03), keras.regularizers.L1(0.03)),
    (L2(0.03), keras.regularizers.L2(0.03)),
    (L1L2(0.03, 0.07), keras.regularizers.L1L2(0.03, 0.07)),
)


def make_layers() -> list[Any]:
    """Return built layers with weights of every role."""
    tuned = layers.Dense(3, name="tuned")
    shapes: list[tuple[Any, tuple[int | None, ...]]] = [
        (layers.Dense(5, name="dense"), (None, 4)),
        (layers.Conv2D(6, (2, 3), name="conv"), (None, 5, 5, 4)),
        (layers.Conv2D(6, (2, 3), groups=2, name="grouped"), (None, 5, 5, 4)),
        (layers.DepthwiseConv2D((2, 3), depth_multiplier=2, name="depthwise"), (None, 5, 5, 4)),
        (layers.Conv2DTranspose(3, (2, 3), name="transposed"), (None, 5, 5, 4)),
        (layers.SeparableConv2D(3, 2, depth_multiplier=2, name="separable"), (None, 5, 5, 4)),
        (layers.GRU(3, name="gru"), (None, 6, 4)),
        (layers.Embedding(7, 4, name="words"), (None, 6)),
        (layers.EinsumDense("bt,td->btd", (5, 4), bias_axes="td", name="columns"), (None, 5)),
        (layers.PReLU(name="prelu"), (None, 6, 4)),
        (layers.LayerNormalization(name="norm"), (None, 4)),
        (tuned, (None, 4)),
    ]
    for layer, shape in shapes:
        layer.build(shape)
    tuned.enable_lora(2)
    attention = layers.MultiHeadAttention(2, 3, name="look")
    attention.build((None, 6, 4), (None, 6, 4))
    return [*(layer for layer, _ in shapes), attention]


@pytest.fixture(scope="module")
def weights(tensorflow: None) -> dict[str, Weight]:
    """Return the descriptions of weights of every role."""
    pairs = [pair for layer in make_layers() for pair in describe_weights(layer)]
    return {"/".join(weight.path.split("/")[-2:]): weight for _, weight in pairs}


def draw(weight: Weight) -> np.ndarray:
    """Return random numbers for a weight."""
    return np.random.default_rng(len(weight.path)).normal(size=weight.shape).astype(np.float32)


def list_matrices(name: str, w: np.ndarray) -> list[np.ndarray]:
    """Return the blocks (inputs, units) on the diagonal of the matrix that a kernel is, taken apart by hand."""
    if name == "grouped/kernel":
        return [part.reshape(-1, 3) for part in np.split(w, 2, axis=-1)]
    if "depthwise" in name:
        return [w[:, :, channel].reshape(-1, 2) for channel in range(4)]
    if name == "transposed/kernel":
        return [np.stack([w[:, :, unit].ravel() for unit in range(3)], axis=1)]
    return [w.reshape(4, 6) if name == "query/kernel" else w.reshape(-1, w.shape[-1])]


@pytest.mark.parametrize("name", FAN_IN)
def test_norms_are_those_of_kerass_constraints(weights: dict[str, Weight], name: str) -> None:
    weight, axis = weights[name], FAN_IN[name]
    w = draw(weight)
    limit = float(np.median(np.sqrt((w**2).sum(axis))))  # half of the units are longer
    cases: list[tuple[OnWeights, Any]] = [
        (MaxNorm(limit), keras.constraints.MaxNorm(limit, axis=axis)),
        (UnitNorm(), keras.constraints.UnitNorm(axis=axis)),
    ]
    for regularizer, stock in cases:
        rule = regularizer.rule(weight)
        assert isinstance(rule, Projection)
        # Keras adds 1e-7 to norms near 1; some roundings (6e-8).
        np.testing.assert_allclose(np.array(rule.project(w)), np.array(stock(w)), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FAN_IN)
def test_spectral_norm_is_that_of_the_whole_matrix(weights: dict[str, Weight], name: str) -> None:
    weight = weights[name]
    w = draw(weight)
    rule = SpectralNorm().rule(weight)
    assert isinstance(rule, Companion)
    sigma = max(np.linalg.svd(matrix, compute_uv=False)[0] for matrix in list_matrices(name, w))
    found, u = np.array(w), rule.start(w)
    for step in range(1, 100):
        found, u = rule.follow(found, u, step)
    np.testing.assert_allclose(np.array(found), w / sigma, rtol=1e-3)  # what the iteration has left after 100 steps


@pytest.mark.parametrize("name", FAN_IN)
def test_orthogonal_compares_units_that_share_inputs(weights: dict[str, Weight], name: str) -> None:
    weight = weights[name]
    w = draw(weight)
    stock = keras.regularizers.OrthogonalRegularizer(0.3, mode="columns")
    expected = np.mean([float(stock(keras.ops.convert_to_tensor(matrix))) for matrix in list_matrices(name, w)])
    rule: Any = Orthogonal(0.3).rule(weight)
    assert float(rule.value(w)) == pytest.approx(expected, rel=1e-5)


def test_orthogonal_has_nothing_to_compare_in_a_depthwise_kernel_of_one_filter_a_channel() -> None:
    layer = layers.DepthwiseConv2D(3)
    layer.build((None, 8, 8, 4))
    assert Orthogonal(0.3).rule(describe_weights(layer)[0][1]) is None


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("dense/kernel", lambda w: list(w)),
        ("conv/kernel", lambda w: [w[:, :, i] for i in range(4)]),
        ("grouped/kernel", lambda w: [part[:, :, i] for part in np.split(w, 2, axis=-1) for i in range(2)]),
        ("depthwise/kernel", lambda w: [w[:, :, i] for i in range(4)]),
        ("transposed/kernel", lambda w: [w[..., i] for i in range(4)]),
        ("gru_cell/kernel", lambda w: list(w)),
        ("gru_cell/recurrent_kernel", lambda w: list(w)),
        ("query/kernel", lambda w: list(w)),
        ("attention_output/kernel", lambda w: list(w.reshape(6, 4))),
        ("words/embeddings", lambda w: list(w)),
        ("columns/kernel", lambda w: list(w)),
    ],
)
def test_a_group_of_the_lasso_is_what_leaves_an_input(
    weights: dict[str, Weight], name: str, groups: Callable[[np.ndarray], list[np.ndarray]]
) -> None:
    w = draw(weights[name])
    expected = sum(np.sqrt(group.size) * np.linalg.norm(group) for group in groups(w))
    rule: Any = GroupLasso(0.5).rule(weights[name])
    assert float(rule.value(w)) == pytest.approx(0.5 * expected, rel=1e-5)


@pytest.mark.parametrize("name", [*FAN_IN, *TABLES, *LORA])
def test_penalties_are_those_of_keras(weights: dict[str, Weight], name: str) -> None:
    weight = weights[name]
    w = draw(weight)
    for regularizer, stock in PENALTIES:
        rule: Any = regularizer.rule(weight)
        assert float(rule.value(w)) == pytest.approx(float(stock(w)), rel=1e-5)
    rule = L2SP(0.03).rule(weight)
    assert float(rule.value(w, w - 1)) == pytest.approx(0.03 * w.size, rel=1e-5)


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_biases_scales_and_positions_are_left_alone(weights: dict[str, Weight], name: str) -> None:
    regularizers = (*CONSTRAINTS, *(each for each, _ in PENALTIES), L2SP(0.1), WeightNoise(0.1))
    assert [each.name for each in regularizers if each.rule(weights[name]) is not None] == []


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_made_of_rows(weights: dict[str, Weight], name: str) -> None:
    weight = weights[name]
    w = draw(weight)
    rule: Any = MaxNorm(1.5).rule(weight)
    np.testing.assert_allclose(np.array(rule.project(w)), keras.constraints.MaxNorm(1.5, axis=1)(w), rtol=1e-6)
    acting = [each.name for each in (*CONSTRAINTS, WeightNoise(0.1)) if each.rule(weight) is not None]
    assert acting == ["max_norm", "group_lasso", "weight_noise"]


@pytest.mark.parametrize("name", LORA)
def test_loras_factors_have_no_units(weights: dict[str, Weight], name: str) -> None:
    assert [each.name for each in (*CONSTRAINTS, WeightNoise(0.1)) if each.rule(weights[name]) is not None] == []


@pytest.mark.parametrize("name", ["gru_cell/recurrent_kernel", "depthwise/kernel"])
def test_noise_and_masks_reach_every_kernel(weights: dict[str, Weight], name: str) -> None:
    w = np.ones(weights[name].shape, np.float32)
    for regularizer in (Dropconnect(0.5), WeightNoise(0.1)):
        rule: Any = regularizer.rule(weights[name])
        assert not np.array_equal(np.array(rule.perturb(w, keras.random.SeedGenerator(0))), w)


def test_weight_decay_shrinks_what_penalties_penalize() -> None:
    pairs = [pair for layer in make_layers() for pair in describe_weights(layer)]
    descriptions = {id(variable): weight for variable, weight in pairs}
    variables = [variable for variable, _ in pairs]
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    compute = Gradients(list, 0.5, 0, None, lambda variable: descriptions[id(variable)])
    WeightDecay(0.1).gradients(compute, variables)
    for variable, weight in pairs:
        left = 1.0 if any(weight.path.endswith(name) for name in LEFT_ALONE) or "/bias" in weight.path else 0.95
        np.testing.assert_allclose(variable.numpy(), left, rtol=1e-6, err_msg=weight.path)
    bare = Gradients(list, 0.5, 0, None)  # a step of the user's own: path and shape tell what they can
    WeightDecay(0.1).gradients(bare, variables[:2])
    assert variables[0].numpy() == pytest.approx(0.95**2)
    assert variables[1].numpy() == pytest.approx(1)


@dataclass(frozen=True)
class Halving(OnWeights):
    """Halves kernels after each step, as a regularizer that was written before weights had roles."""

    def rule(self, weight: Weight) -> Projection | None:
        """Return a projection for each kernel with more than one unit."""
        return Projection(lambda w: w * 0.5) if weight.kernel and weight.shape[-1] > 1 else None


@pytest.fixture(scope="module")
def mixed(tensorflow: None) -> Any:
    """Return a model with recurrent, depthwise, transposed, attention and embedding weights, all of them ones."""
    tokens = keras.Input((4,), dtype="int32")
    h = layers.Embedding(5, 4, name="words")(tokens)
    h = layers.MultiHeadAttention(2, 2, name="look")(h, h)
    image = layers.Reshape((2, 2, 4))(h)
    image = layers.DepthwiseConv2D(1, name="depthwise")(image)
    image = layers.PReLU(name="prelu")(layers.Conv2DTranspose(3, 1, name="transposed")(image))
    outputs = layers.Dense(1, name="out")(layers.GRU(2, name="gru")(layers.Reshape((4, 3))(image)))
    model = keras.Model(tokens, outputs)
    for weight in model.weights:
        if "seed" not in weight.path:
            weight.assign(np.ones(weight.shape))
    return model


# Norms of ones: an embedding row of 4, q, k and v of 4 inputs, attention's output of 2 heads by 2, a depthwise filter
# of 1, a transposed one of 4 inputs, GRU kernels of 3 inputs and 2 states, an output unit of 2. Limit 1.5.
@pytest.mark.parametrize(
    ("recipe", "moved"),
    [
        (
            "max_norm(1.5)",
            {
                "words/embeddings": 0.75,
                **{f"look/{part}/kernel": 0.75 for part in ("query", "key", "value", "attention_output")},
                "transposed/kernel": 0.75,
                "gru/gru_cell/kernel": 1.5 / 3**0.5,
            },
        ),
        (
            "unit_norm",
            {
                **{f"look/{part}/kernel": 0.5 for part in ("query", "key", "value", "attention_output")},
                "transposed/kernel": 0.5,
                "gru/gru_cell/kernel": 1 / 3**0.5,
                "gru/gru_cell/recurrent_kernel": 1 / 2**0.5,
                "out/kernel": 1 / 2**0.5,
            },
        ),
        (
            Halving(),
            {
                **{f"look/{part}/kernel": 0.5 for part in ("query", "key", "value", "attention_output")},
                "transposed/kernel": 0.5,
                "gru/gru_cell/kernel": 0.5,
                "gru/gru_cell/recurrent_kernel": 0.5,
            },
        ),
    ],
    ids=str,
)
def test_on_a_users_model_only_what_the_paper_means_moves(mixed: Any, recipe: Any, moved: dict[str, float]) -> None:
    model = regzoo.attach(recipe, mixed, optimizer=keras.optimizers.SGD(0.0))
    model.update(np.array([[0, 1, 2, 3]], np.int32), np.zeros((1, 1), np.float32))
    values = {weight.path: weight.numpy() for weight in model.trainable_weights}
    found = {path: float(value.flat[0]) for path, value in values.items() if not np.allclose(value, 1, atol=1e-6)}
    assert found == pytest.approx(moved, rel=1e-6)
    assert all(np.ptp(value) < 1e-6 for value in values.values())


def test_regzoos_own_position_embeddings_are_left_alone() -> None:
    model = regzoo.build("transformer(width=4, heads=2, depth=1, hidden=5)", "l2(0.1)", (5,), 3)
    assert model.hits == {"l2": 8}  # the columns' vectors; query, key, value, out, two dense layers and the head
    positions = {weight.path: weight.role for _, weight in describe_weights(model)}
    assert positions["embed/bias"] == "position"
    assert positions["embed/kernel"] == "embedding"
