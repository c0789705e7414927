"""Every regularizer of weights on every weight of every layer of Keras: untouched, or grouped as its role says.

What a role groups is worked out here by NumPy: a weight is turned into the kernel of a dense layer with the same units,
or with the same inputs, and the regularizer must do to both the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from regzoo.core import (
    Companion,
    OnWeights,
    Perturbation,
    Projection,
    Proximal,
    Reparametrization,
    Weight,
    regularizers,
)
from regzoo.core.weights import describe_weights
from regzoo.regularizers import WeightDecay
from regzoo.testing.harness import fix_strengths
from tests.core.layer_examples import build_examples

ELEMENTS = {"l1", "l2", "l1_l2", "l2_sp", "proximal_l1", "elastic_net"}
UNITS = {"max_norm", "unit_norm", "weight_standardization"}
INPUTS = {"group_lasso", "proximal_group_lasso"}
MATRICES = {"spectral_norm", "orthogonal"}
NOISE = {"weight_noise", "dropconnect"}
AVERAGES = {"ema", "lookahead"}
ALL = ELEMENTS | UNITS | INPUTS | MATRICES | NOISE | {"weight_decay"}
UNTOUCHED: set[str] = set()

KERNELS = ("kernel", "recurrent_kernel", "depthwise_kernel", "pointwise_kernel", "real_kernel", "imag_kernel")
ACTING = {
    **dict.fromkeys((*KERNELS, "reverse_embeddings"), ALL),
    "embeddings": ELEMENTS | INPUTS | {"max_norm", "weight_noise", "weight_decay"},
    **dict.fromkeys(("lora_kernel_a", "lora_kernel_b"), ELEMENTS | {"weight_decay"}),
    **dict.fromkeys(("bias", "beta", "gamma", "scale", "alpha", "concat_score_weight"), UNTOUCHED),
    **dict.fromkeys(("q_bias", "gain", "places", "slopes"), UNTOUCHED),  # of the layer below
    "mixing": ALL,
}
"""By the name that Keras gives a weight: the regularizers that may touch it; averages touch all."""


class Own(layers.Layer):
    """A user's layer, which no table knows, with weights of several kinds; they have the rank of kernels."""

    def build(self, input_shape: Any) -> None:
        """Add them."""
        self.mixing = self.add_weight(shape=(4, 3), name="mixing")
        self.q_bias = self.add_weight(shape=(2, 3), name="q_bias")
        self.gain = self.add_weight(shape=(2, 3), name="gain")
        self.slopes = self.add_weight(shape=(2, 3), name="slopes")


class PositionEmbedding(layers.Layer):
    """A user's layer that adds a vector for each position."""

    def build(self, input_shape: Any) -> None:
        """Add the vectors."""
        self.places = self.add_weight(shape=(6, 4), name="places")


@pytest.fixture(scope="module")
def weights(tensorflow: None) -> dict[str, Weight]:
    """Return the weights of all examples; of those that are described equally, one."""
    built = [*build_examples().values(), Own(), PositionEmbedding()]
    for layer in built[-2:]:
        layer.build((None, 6, 4))
    found = {}
    for variable, weight in [pair for layer in built for pair in describe_weights(layer)]:
        key = (variable.name, weight.shape, weight.role, weight.unit_axes, weight.input_axes, weight.groups)
        found[key] = weight
    return {weight.path: weight for weight in found.values()}


@pytest.fixture(scope="module")
def zoo() -> dict[str, Any]:
    """Return the regularizers of weights, with numbers for their strengths."""
    fixed = {name: fix_strengths(kind()) for name, kind in regularizers().items() if issubclass(kind, OnWeights)}
    return {**fixed, "weight_decay": WeightDecay(0.1)}


def is_acting(regularizer: Any, weight: Weight) -> bool:
    """Return True if the regularizer touches the weight."""
    if isinstance(regularizer, WeightDecay):
        return regularizer.acts_on(weight)
    return regularizer.rule(weight) is not None


def apply(regularizer: Any, weight: Weight, w: np.ndarray) -> np.ndarray:
    """Return the weight after the regularizer, or the gradient of its penalty."""
    rule, variable = regularizer.rule(weight), tf.Variable(w.astype(np.float32))
    if isinstance(rule, Projection):
        return np.array(rule.project(variable))
    if isinstance(rule, Proximal):
        return np.array(rule.prox(variable, tf.constant(0.5)))
    if isinstance(rule, Reparametrization):
        return np.array(rule.compute(variable))
    assert not isinstance(rule, Perturbation | Companion)
    with tf.GradientTape() as tape:
        value = rule.value(variable) if rule.companion is None else rule.value(variable, rule.companion(variable) + 1.0)
    return np.array(tape.gradient(value, variable))


def to_dense(w: np.ndarray, weight: Weight, grouping: str) -> np.ndarray:
    """Return ``w`` as the kernel of a dense layer whose units (or inputs) are those of the weight."""
    if grouping == "elements":
        return w.reshape(-1, 1)
    if grouping == "units":
        units = int(np.prod([w.shape[axis] for axis in weight.unit_axes]))
        return np.moveaxis(w, weight.unit_axes, range(-len(weight.unit_axes), 0)).reshape(-1, units)
    inputs, w = list(weight.input_axes), w.reshape(*w.shape[:-1], weight.groups, -1)
    if weight.groups > 1:
        inputs.append(w.ndim - 2)  # the parts of the last axis have inputs of their own
    elif w.ndim - 2 in inputs:  # the last axis itself
        inputs = [*[axis for axis in inputs if axis != w.ndim - 2], w.ndim - 1]
    return np.moveaxis(w, inputs, range(len(inputs))).reshape(int(np.prod([w.shape[axis] for axis in inputs])), -1)


def test_every_regularizer_of_weights_is_sorted(zoo: dict[str, Any]) -> None:
    assert zoo.keys() == ALL | AVERAGES


def test_each_weight_is_touched_as_its_role_says(weights: dict[str, Weight], zoo: dict[str, Any]) -> None:
    assert len(weights) > 50
    for path, weight in weights.items():
        acting = {name for name, regularizer in zoo.items() if is_acting(regularizer, weight)}
        allowed = ACTING[path.rpartition("/")[2]]
        units = to_dense(np.zeros(weight.shape), weight, "units") if allowed else np.zeros((2, 2))
        shared = weight.groups * np.prod([weight.shape[axis] for axis in {*weight.unit_axes} & {*weight.input_axes}])
        lonely = {"weight_standardization"} if len(units) < 2 else set()  # one incoming weight
        lonely |= {"orthogonal"} if units.shape[1] // shared < 2 else set()  # no units with common inputs
        assert acting == (allowed - lonely) | AVERAGES, path


@pytest.mark.parametrize(
    ("names", "grouping"), [(ELEMENTS, "elements"), (UNITS, "units"), (INPUTS, "inputs")], ids=["element", "unit", "in"]
)
def test_it_does_to_each_group_what_it_does_in_a_dense_layer(
    weights: dict[str, Weight], zoo: dict[str, Any], names: set[str], grouping: str
) -> None:
    tried = 0
    for path, weight in weights.items():
        w = 4.0 * np.random.default_rng(len(path)).normal(size=weight.shape)  # beyond max_norm's limit
        for name in names:
            if is_acting(zoo[name], weight):
                dense = to_dense(w, weight, grouping)
                expected = apply(zoo[name], Weight("dense/kernel", dense.shape), dense)
                found = to_dense(apply(zoo[name], weight, w), weight, grouping)
                np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6, err_msg=f"{name} on {path}")
                assert not np.allclose(found, dense, atol=1e-3), f"{name} does nothing to {path}"
                tried += 1
    assert tried > 20 * len(names)
