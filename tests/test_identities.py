"""Mathematical identities of regularizers, with their published numbers, in models as users build them.

Each regularizer's own test computes its case by hand; here the identities stand together, numbered.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_diabetes

import regzoo
from regzoo.core import Backbone, OnActivations, Slot, parse
from regzoo.regularizers import Ensemble, McDropout

RIDGE = [0.0182, -0.0514, 0.1892, 0.1245, 0.0037, -0.0182, -0.0939, 0.0725, 0.1624, 0.0691]
"""Diabetes, standardized, no intercept: least squares with a penalty of 1 on each squared coefficient."""


@dataclass(frozen=True)
class DropoutFirst(Backbone):
    """ReLUs whose preactivation slot comes after their activation slot: batch norm directly after dropout."""

    def __call__(self, x: Any, slot: Any) -> Any:
        """Map x (batch, features) to its positive part."""
        return slot("preactivation", slot("activation", keras.layers.ReLU(name="relu")(x)))


@dataclass(frozen=True)
class Bare(Backbone):
    """No layers; the inputs are announced as activations."""

    def __call__(self, x: Any, slot: Any) -> Any:
        """Return x, (batch, features)."""
        return slot("activation", x)


def make_layer(recipe: str, rank: int) -> Any:
    """Return the recipe's layer at an activation slot of this rank."""
    (regularizer,) = parse(recipe)
    assert isinstance(regularizer, OnActivations)
    return regularizer.layer(Slot("activation", 0, 1, rank, seed=0))


def apply_in_training(recipe: str, h: np.ndarray) -> np.ndarray:
    """Return the output of the recipe's layer for activations h in training."""
    layer = make_layer(recipe, h.ndim)
    return np.array(layer(h, training=True), np.float64)


@pytest.mark.parametrize(("rate", "variance"), [(0.1, 0.1111), (0.2, 0.25), (0.5, 1.0), (0.8, 4.0)])
@pytest.mark.parametrize("name", ["dropout", "gaussian_dropout"])
def test_1_masks_have_mean_1_and_variance_r_over_1_minus_r(name: str, rate: float, variance: float) -> None:
    mask = apply_in_training(f"{name}({rate})", np.ones((1000, 200), np.float32))
    assert rate / (1 - rate) == pytest.approx(variance, abs=5e-5)
    # Five standard errors of a mean and of a variance; 1e-4 for the four published digits.
    fourth = float(np.mean((mask - 1) ** 4))
    assert mask.mean() == pytest.approx(1, abs=5 * math.sqrt(variance / mask.size))
    assert mask.var() == pytest.approx(variance, abs=5 * math.sqrt(fourth / mask.size) + 1e-4)


def test_1_rate_0_is_the_identity_and_rate_1_gives_zeros() -> None:
    h = np.random.default_rng(0).normal(size=(50, 20)).astype(np.float32)
    assert np.array_equal(apply_in_training("dropout(0.0)", h), h)
    assert np.array_equal(apply_in_training("gaussian_dropout(0.0)", h), h)
    assert np.array_equal(apply_in_training("dropout(1.0)", h), np.zeros_like(h))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_2_inference_is_the_mean_over_masks_in_both_forms_of_dropout(rate: float) -> None:
    """Inverted dropout is scaled in training, that of 2014 at inference, so its next weights are 1 / keep as large."""
    h, n = np.array([[1.0, -2.0, 0.5]], np.float32), 100_000
    for name, scale in (("dropout", 1.0), ("classic_dropout", 1 - rate)):
        error = scale * np.abs(h[0]) * math.sqrt(rate / (1 - rate) / n)
        mean = apply_in_training(f"{name}({rate})", np.tile(h, (n, 1))).mean(0)
        inferred = np.array(make_layer(f"{name}({rate})", rank=2)(h))[0]
        assert inferred == pytest.approx(scale * h[0], rel=1e-6)
        assert (np.abs(mean - inferred) < 5 * error).all()


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (442, 10) and targets (442,), each column of mean 0 and population standard deviation 1."""
    x, y = load_diabetes(return_X_y=True)
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()


def test_3_dropout_is_ridge_in_closed_form() -> None:
    x, y = diabetes()
    for rate, strength in ((0.1, 0.1111), (0.2, 0.25), (0.5, 1.0), (0.8, 4.0)):
        penalty = rate / (1 - rate)
        assert penalty == pytest.approx(strength, abs=5e-5)
        w = np.linalg.solve(x.T @ x + penalty * np.diag(np.diag(x.T @ x)), x.T @ y)
        # L2 in Keras's convention on the mean squared error: diag(X'X) is the number of rows.
        np.testing.assert_allclose(w, np.linalg.solve(x.T @ x / len(y) + penalty * np.eye(10), x.T @ y / len(y)))
        if rate == 0.5:
            assert w == pytest.approx(RIDGE, abs=5e-5)
            expected = np.mean((y - x @ w) ** 2) + penalty * np.sum(w**2)  # over masks
            assert expected == pytest.approx(0.64863, abs=5e-6)


@pytest.mark.parametrize("recipe", ["dropout(0.5)", "input_dropout(0.5)", "classic_dropout(0.5)"])
def test_3_training_a_model_with_dropout_meets_ridge(recipe: str) -> None:
    """Within 0.02 in every coefficient, and in the loss: new masks for 200 copies of the data, 60 steps.

    A coefficient's gradient has a standard deviation below 2 |residual| |input| / keep ~ 4 in a row and 4 / 297 in a
    step. Curvatures are 2 and more: at learning rate 0.1 the weights vary by at most sqrt(0.1 / 4) of that, 0.002, and
    0.8^60 of their initial distance remains.
    """
    x, y = (array.astype(np.float32) for array in diabetes())
    model = regzoo.build(Bare(), recipe, input_shape=(10,), outputs=1, optimizer=keras.optimizers.SGD(0.1))
    many, targets = np.tile(x, (200, 1)), np.tile(y, 200)
    model.fit(tf.data.Dataset.from_tensors((many, targets)).repeat(60), shuffle=False, verbose=0)
    w = model.get_layer("head").get_weights()[0][:, 0]
    scale = 0.5 if recipe.startswith("classic") else 1.0  # inference multiplies by the keep probability instead
    assert scale * w == pytest.approx(RIDGE, abs=0.02)
    assert float(model.update(many, targets[:, None])[0]) == pytest.approx(0.64863, abs=0.02)


def test_4_weight_scaling_is_the_geometric_mean_over_all_masks() -> None:
    """For one softmax layer: renormalized, of all 2^8 thinned networks; the arithmetic mean differs."""
    model = regzoo.build("mlp([8])", "dropout(0.5)", input_shape=(5,), classes=4)
    draw = np.random.default_rng(0)
    model.get_layer("head").set_weights([draw.normal(size=(8, 4)), draw.normal(size=4)])
    x = draw.normal(size=(20, 5)).astype(np.float32)
    hidden = keras.Model(model.input, model.get_layer("activation_0").output)(x).numpy().astype(np.float64)
    kernel, bias = (weight.astype(np.float64) for weight in model.get_layer("head").get_weights())
    masks = np.array(list(itertools.product([0.0, 1.0], repeat=8)))  # (256, 8), all equally likely at keep 0.5

    def softmax(logits: np.ndarray) -> np.ndarray:
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    thinned = softmax((hidden[None] * masks[:, None] / 0.5) @ kernel + bias)  # (256, 20, 4)
    geometric = np.exp(np.log(thinned).mean(0))
    geometric /= geometric.sum(-1, keepdims=True)
    np.testing.assert_allclose(geometric, softmax(hidden @ kernel + bias), rtol=0, atol=1e-14)
    np.testing.assert_allclose(model.predict(x, verbose=0), geometric, rtol=0, atol=1e-6)  # float32
    arithmetic = thinned.mean(0)
    assert np.abs(arithmetic - geometric).max() > 0.01
    # Monte Carlo dropout's mean is the arithmetic one: five standard errors of a mean of 4,000 passes.
    sampled = McDropout(4000).finish([model]).predict(x, verbose=0)
    assert (np.abs(sampled - arithmetic) < 5 * thinned.std(0) / math.sqrt(4000) + 1e-6).all()


@pytest.mark.parametrize(("rate", "published"), [(0.1, 0.8598), (0.2, 0.7317), (0.5, 0.4054)])
def test_5_dropout_before_batch_norm_shifts_the_variance(rate: float, published: float) -> None:
    """Batch norm uses the variance under masks for inference; without masks it is smaller by this factor."""
    c, v = 1 / math.sqrt(2 * math.pi), 0.5 - 0.5 / math.pi  # of the positive part of N(0, 1)
    assert [c, v] == pytest.approx([0.3989, 0.3408], abs=5e-5)
    keep = 1 - rate
    assert v / ((c**2 + v) / keep - c**2) == pytest.approx(published, abs=5e-5)

    sgd = keras.optimizers.SGD(0.0)
    model = regzoo.build(DropoutFirst(), f"dropout({rate}) + batch_norm(0.0)", (4,), 2, optimizer=sgd)
    x = np.random.default_rng(0).normal(size=(100_000, 4)).astype(np.float32)
    model.update(x, np.arange(100_000) % 2)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    positive = np.maximum(x, 0.0).astype(np.float64)
    found = positive.var() / float(np.mean(norm.moving_variance.numpy()))

    def error(h: np.ndarray) -> float:
        """Return the relative standard error of the variance of h."""
        centered = h - h.mean()
        return math.sqrt((np.mean(centered**4) / np.mean(centered**2) ** 2 - 1) / h.size)

    thinned = positive * (np.random.default_rng(1).random(x.shape) < keep) / keep
    assert found == pytest.approx(published, rel=5 * math.hypot(error(positive), error(thinned)))


def test_6_an_ensembles_nll_is_at_most_its_members_mean() -> None:
    """Jensen's inequality holds for any members and labels: here ten untrained ones, with logits of several sizes."""
    x, y = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32), np.arange(200) % 3
    members = [regzoo.build("linear", input_shape=(5,), classes=3, seed=seed) for seed in range(10)]
    for scale, member in enumerate(members):
        member.set_weights([scale * weight for weight in member.get_weights()])
    ensemble = Ensemble(10).finish(members)

    def nll(model: Any) -> float:
        return float(-np.log(np.array(model(x), np.float64)[np.arange(200), y]).mean())

    assert nll(ensemble) < np.mean([nll(member) for member in members])


def test_7_l1_leaves_no_exact_zeros_and_l2_is_no_decay_under_adam() -> None:
    x, y = (array.astype(np.float32) for array in diabetes())

    def trained(recipe: str, optimizer: Any) -> np.ndarray:
        model = regzoo.build("linear", recipe, input_shape=(10,), outputs=1, optimizer=optimizer)
        model.get_layer("head").set_weights([np.ones((10, 1)), np.zeros(1)])
        step = tf.function(model.update)
        for _ in range(200):
            step(x, y[:, None])
        return model.get_layer("head").get_weights()[0][:, 0]

    sparse = trained("l1(0.5)", keras.optimizers.SGD(0.05))
    # They cross zero by up to learning rate times strength in each step: near it, and never at it.
    assert (np.abs(sparse) < 2 * 0.05 * 0.5).sum() >= 5
    assert (sparse != 0.0).all()
    with_sgd = [trained(recipe, keras.optimizers.SGD(0.05)) for recipe in ("l2(0.25)", "weight_decay(0.5)")]
    with_adam = [trained(recipe, keras.optimizers.Adam(0.05)) for recipe in ("l2(0.25)", "weight_decay(0.5)")]
    np.testing.assert_allclose(with_sgd[0], with_sgd[1], atol=1e-5)  # 200 steps of a few roundings of weights below 1
    assert np.abs(with_adam[0] - with_adam[1]).max() > 0.01


def test_8_dropblock_draws_seeds_with_gamma_and_is_dropout_at_1() -> None:
    """gamma = r H W / (b^2 (H - b + 1)(W - b + 1)), so that H W r units are dropped where no blocks overlap."""
    ones, rate, block = np.ones((4000, 9, 9, 2), np.float32), 0.05, 3
    gamma = rate * 81 / (9 * 49)
    corner = apply_in_training(f"dropblock({rate}, block={block})", ones)[:, 0, 0] == 0.0
    center = apply_in_training(f"dropblock({rate}, block={block})", ones)[:, 4, 4] == 0.0
    # Only one seed reaches the corner, and any of nine the center.
    for dropped, expected in ((corner, gamma), (center, 1 - (1 - gamma) ** 9)):
        assert dropped.mean() == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / dropped.size))
    independent = apply_in_training("dropblock(0.3, block=1)", ones) == 0.0
    assert np.array_equal(independent, apply_in_training("dropout(0.3)", ones) == 0.0)


NEUTRAL = ["mixup(0.0)", "cutmix(0.0)", "label_smoothing(0.0)", "activation_noise(0.0)", "l2(0.0)", "dropout(0.0)"]


def test_9_neutral_strengths_are_the_baseline(rows: Any) -> None:
    """Bit for bit after five steps; the contract checks this for every regularizer."""

    def trained(recipe: str) -> list[np.ndarray]:
        model = regzoo.build("mlp([6])", recipe, input_shape=(5,), classes=3, seed=1)
        step = tf.function(model.update)
        for _ in range(5):
            step(*rows)
        return model.get_weights()

    baseline = trained("none")
    for recipe in NEUTRAL:
        assert all(map(np.array_equal, trained(recipe), baseline)), recipe
