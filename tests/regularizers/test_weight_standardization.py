"""Weight standardization: by hand, a layer that standardizes itself, every kind of layer, what it may not disturb."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import regzoo
from regzoo.core import Weight
from regzoo.core.weights import describe_weights
from regzoo.regularizers import Ensemble, WeightStandardization

SGD = keras.optimizers.SGD


def standardize(w: np.ndarray, axes: tuple[int, ...] = (0,)) -> np.ndarray:
    """Return the formula in NumPy."""
    w = w.astype(np.float64)
    size = np.prod([w.shape[axis] for axis in axes])
    result: np.ndarray = (w - w.mean(axes, keepdims=True)) / (w.std(axes, keepdims=True) * np.sqrt(size))
    return result


class StandardizedDense(layers.Dense):
    """A dense layer that standardizes its own kernel."""

    def call(self, inputs: Any) -> Any:
        """Return the outputs."""
        mean, variance = tf.nn.moments(self.kernel, [0], keepdims=True)
        kernel = (self.kernel - mean) / tf.sqrt(variance * self.kernel.shape[0])
        return self.activation(tf.matmul(inputs, kernel) + self.bias)


def test_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("weight_standardization")
    # Weights 1 and -2: the mean is -0.5, the deviations 1.5 and -1.5, their length 1.5 sqrt(2).
    x = np.array([[1.0, 0.0], [3.0, 1.0]], np.float32)
    assert model.predict(x, verbose=0)[:, 0] == pytest.approx([0.5 + 0.5**0.5, 0.5 + 2 * 0.5**0.5], rel=1e-6)
    assert model.get_layer("head").get_weights()[0][:, 0].tolist() == [1.0, -2.0]  # the variable is what is trained


def test_it_trains_as_layers_that_standardize_themselves(rows: Any) -> None:
    ours = regzoo.build("mlp([4])", "weight_standardization", (5,), 3, optimizer=SGD(0.1, momentum=0.9), seed=1)
    stock = keras.Sequential([keras.Input((5,)), StandardizedDense(4, "relu"), StandardizedDense(3)])
    stock.set_weights(ours.get_weights())
    stock.compile(SGD(0.1, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for model in (ours, stock):
        model.fit(*rows, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)  # 24 steps of roundings of weights near 1
    plain = ours.evaluate(*rows, verbose=0)[0]
    assert plain == pytest.approx(stock.evaluate(*rows, verbose=0), rel=1e-5)


def test_a_normalization_cancels_length_and_gain(rows: Any) -> None:
    """In front of one, the paper's form without sqrt(n) is the same function."""
    w = np.random.default_rng(0).normal(size=(3, 3, 4, 6)).astype(np.float32)
    rule: Any = WeightStandardization().rule(Weight("conv/kernel", w.shape))
    papers = (w - w.mean((0, 1, 2))) / (w.std((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(np.array(rule.compute(w)) * np.sqrt(36), papers, rtol=1e-4, atol=1e-6)
    assert np.array_equal(np.array(rule.compute(np.ones((3, 3, 4, 6), np.float32))), np.zeros((3, 3, 4, 6)))


def make_model() -> Any:
    """Return a model of many kinds of layers; two are shared, one is in a model inside, and one is in a wrapper."""
    inner = keras.Sequential([keras.Input((6, 4)), layers.Dense(4, name="within")], name="inner")
    shared = layers.Dense(4, name="shared")
    inputs = keras.Input((6, 4))
    h = shared(layers.MultiHeadAttention(2, 3, name="look")(inputs, inputs))
    h = shared(inner(h))
    h = layers.TimeDistributed(layers.BatchNormalization(), name="norms")(layers.Conv1D(4, 3, padding="same")(h))
    h = layers.TimeDistributed(layers.Dense(4, activity_regularizer="l2"), name="each")(h)
    h = layers.Bidirectional(layers.LSTM(6, return_sequences=True), name="both")(h)
    h = layers.Conv1DTranspose(4, 2)(
        layers.SeparableConv1D(4, 4, padding="same")(layers.DepthwiseConv1D(4, padding="same")(h))
    )
    h = layers.GRU(5, dropout=0.3, name="gru")(h)
    return keras.Model(inputs, layers.Dense(2, name="out")(h))


def test_in_every_kind_of_layer_its_kernels_are_standardized() -> None:
    keras.utils.set_random_seed(0)
    model = make_model()
    attached = regzoo.attach("weight_standardization", model, optimizer=SGD(0.0))
    axes = {}
    for variable, weight in describe_weights(model):
        if weight.kernel:
            axes[variable.path] = tuple(axis for axis in range(len(weight.shape)) if axis not in weight.unit_axes)
            variable.assign(standardize(variable.numpy(), axes[variable.path]))
    assert attached.hits == {"weight_standardization": len(axes)}
    assert (
        len(axes) == 19
    )  # q, k, v, out; shared, within, conv; each; LSTMs 2 x 2; depthwise, separable 2, transposed; GRU 2; out
    x = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
    # Roundings of ten layers, and of the differences of the four or more weights of a unit, which may be close.
    np.testing.assert_allclose(attached.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)


def test_losses_states_and_noise_inside_layers_are_those_of_the_baseline() -> None:
    keras.utils.set_random_seed(0)
    model = make_model()
    for variable, weight in describe_weights(model):
        if weight.kernel:
            axes = tuple(axis for axis in range(len(weight.shape)) if axis not in weight.unit_axes)
            variable.assign(standardize(variable.numpy(), axes))
    x = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
    y = np.zeros((3, 2), np.float32)
    results = []
    for recipe in ("weight_standardization", "none", "weight_standardization + weight_noise(0.0)"):
        attached = regzoo.attach(recipe, model, optimizer=SGD(0.0), seed=3)
        losses = [float(attached.update(x, y)[0]) for _ in range(2)]  # the second with the next noise of the GRU
        states = [v.numpy() for v in attached.non_trainable_variables if "moving" in v.path]
        results.append((losses, states))
    for losses, states in results[::2]:
        assert losses == pytest.approx(results[1][0], rel=1e-5)
        for mine, theirs in zip(states, results[1][1], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    assert results[1][0][0] != results[1][0][1]
    assert any(np.any(state) for state in results[0][1])


def test_masks_and_noise_act_on_the_standardized_kernel(line: Any) -> None:
    for recipe in ("weight_standardization + dropconnect(0.5)", "dropconnect(0.5) + weight_standardization"):
        model = regzoo.build(line, recipe, (40,), outputs=1, optimizer=SGD(0.0), seed=1)
        kernel = standardize(model.get_layer("head").get_weights()[0])[:, 0]
        columns = np.eye(40, dtype=np.float32)
        found = model.update(columns, np.zeros((40, 1), np.float32))[1].numpy()[:, 0]
        kept = found != 0
        assert 5 < kept.sum() < 35
        np.testing.assert_allclose(found[kept], 2 * kernel[kept], rtol=1e-4, atol=1e-6)


def test_frozen_kernels_and_units_of_one_weight_stay() -> None:
    inputs = keras.Input((4,))
    base = layers.Dense(3, name="base", trainable=False)
    model = keras.Model(inputs, layers.Dense(1, name="out")(base(inputs)))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    attached = regzoo.attach("weight_standardization + weight_noise(0.0)", model, optimizer=SGD(0.0))
    kernel, bias = model.get_layer("out").get_weights()
    for trainable in (False, True):  # later changes do not make it another function
        attached.get_layer("base").trainable = trainable
        attached.get_layer("out").trainable = not trainable
        expected = base(x).numpy() @ standardize(kernel) + bias
        np.testing.assert_allclose(attached.predict(x, verbose=0), expected, atol=1e-6)
        attached.compile(SGD(0.0))
        np.testing.assert_allclose(attached.update(x, np.zeros((5, 1)))[1], expected, atol=1e-6)
    assert WeightStandardization().rule(Weight("dense/kernel", (1, 4))) is None
    assert WeightStandardization().rule(Weight("dense/bias", (4,))) is None


def test_files_copies_averages_and_ensembles_keep_the_function(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    model = regzoo.build("mlp([4])", "weight_standardization + ema(0.5)", (5,), 3, optimizer=SGD(0.1), seed=1)
    model.fit(x, y, epochs=3, verbose=0)
    first, b, second, c = model.get_weights()
    logits = np.maximum(x @ standardize(first) + b, 0) @ standardize(second) + c
    np.testing.assert_allclose(model.logits(x).numpy(), logits, atol=1e-5)
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "saved", verbose=False)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-6)
    saved = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(saved.serve(x).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(keras.Model(model.input, model.output)(x).numpy(), expected, atol=1e-6)
    mean = Ensemble(2).finish([model, loaded])
    np.testing.assert_allclose(mean.predict(x, verbose=0), expected, atol=1e-6)


def test_inside_another_model_it_still_acts(rows: Any) -> None:
    x, y = rows
    model = regzoo.build("mlp([4])", "weight_standardization", (5,), 3, seed=1)
    outer = keras.Sequential([keras.Input((5,)), model])
    outer.compile("sgd", "sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("error", regzoo.core.errors.InactiveRecipeWarning)
        outer.fit(x, y, verbose=0)
    np.testing.assert_allclose(outer.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_in_mixed_precision_it_is_computed_in_that_of_the_weights(rows: Any) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = regzoo.build("mlp([4])", "weight_standardization", (5,), 3, optimizer=SGD(0.1), seed=1)
        seen: list[Any] = []

        def note(h: Any) -> Any:
            seen.append(h.dtype)
            return h

        kernel = model.get_layer("dense_0").kernel
        kernel.assign(kernel + 30.0)  # in float16, 0.02 apart: standardized there, little would be left
        model.get_layer("dense_0").activation = note
        half = model.get_layer("dense_0")(rows[0])
    finally:
        keras.config.set_dtype_policy(before)
    expected = rows[0] @ standardize(kernel.numpy().astype(np.float64))
    assert seen == [tf.float16]
    np.testing.assert_allclose(np.array(half), expected, atol=5e-3)  # float16 has 11 bits, and outputs below 4
    model.update(*rows)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize(("squares", "length"), [(1.5e-4, 1.0), (0.5e-4, math.sqrt(0.5))])
def test_kernels_near_zero_keep_what_length_they_have(squares: float, length: float) -> None:
    # The sum of squares is divided by, but never by less than 1e-4.
    w = np.array([[1.0], [-1.0]], np.float32) * math.sqrt(squares / 2)
    found = np.asarray(WeightStandardization().standardize(keras.ops.convert_to_tensor(w), (0,)))
    assert np.linalg.norm(found) == pytest.approx(length, rel=1e-5)
