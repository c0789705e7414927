"""Laws of every layer that puts noise on activations: the ends of its domain, its seed, stock Keras's draws.

The modules named after these regularizers test what distinguishes each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, OnActivations, Slot
from regzoo.regularizers import (
    ActivationNoise,
    AlphaDropout,
    AttentionDropout,
    ClassicDropout,
    Dropblock,
    Dropout,
    EmbeddingDropout,
    GaussianDropout,
    ResidualDropout,
    SpatialDropout,
    StochasticDepth,
)


def draw_normal(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def draw_attention(*shape: int) -> np.ndarray:
    """Return attention weights (batch, heads, queries, keys): positive, of sum 1 over the keys."""
    a = np.random.default_rng(0).exponential(size=shape)
    return (a / a.sum(-1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True)
class Case:
    """One regularizer, and where it acts.

    Attributes:
        make: makes the regularizer of a strength.
        h: activations to act on.
        kind: the kind of its slots.
        slot: index of the slot, and number of slots.
        ones: the shape of activations whose noise is compared between seeds and steps.
        strength: at which that noise is compared.
        inference: the strength at which inference is tried.
    """

    make: Callable[[float], OnActivations]
    h: np.ndarray
    kind: Any = "activation"
    slot: tuple[int, int] = (0, 1)
    ones: tuple[int, ...] = (9, 9)
    strength: float = 0.5
    inference: float = 0.7

    def make_layer(self, strength: float, seed: int = 0, rank: int = 0) -> Any:
        """Return its layer at a slot with this seed, for activations of this rank or that of ``h``."""
        return self.make(strength).layer(Slot(self.kind, *self.slot, rank or self.h.ndim, seed))


CASES = {
    "dropout": Case(Dropout, draw_normal(50, 20)),
    "gaussian_dropout": Case(GaussianDropout, draw_normal(50, 20)),
    "classic_dropout": Case(ClassicDropout, draw_normal(50, 20), inference=0.0),  # inference shrinks at other rates
    "alpha_dropout": Case(AlphaDropout, draw_normal(50, 20)),
    "spatial_dropout": Case(SpatialDropout, draw_normal(5, 4, 3, 2), ones=(9, 2, 2, 9)),
    "attention_dropout": Case(AttentionDropout, draw_attention(3, 2, 5, 5), kind="attention", ones=(3, 2, 5, 5)),
    "stochastic_depth": Case(StochasticDepth, draw_normal(5, 4, 4, 2), kind="branch", ones=(50, 2)),
    "residual_dropout": Case(ResidualDropout, draw_normal(5, 4, 8), kind="branch", ones=(9, 4, 8)),
    "embedding_dropout": Case(EmbeddingDropout, draw_normal(5, 4, 8), kind="embedding", ones=(9, 4, 8)),
    "dropblock": Case(Dropblock, draw_normal(5, 8, 8, 2), ones=(9, 8, 8, 3), strength=0.3),
    "dropblock of 3": Case(
        lambda rate: Dropblock(rate, block=3), draw_normal(5, 8, 8, 2), ones=(9, 8, 8, 3), strength=0.3
    ),
    "activation_noise": Case(ActivationNoise, draw_normal(50, 20), strength=1.0, inference=5.0),
}


def choose(*names: str) -> Any:
    """Return a parametrization of ``case`` by these cases."""
    return pytest.mark.parametrize("case", [CASES[name] for name in names], ids=names)


@choose(*CASES)
def test_strength_0_and_inference_change_no_bit(case: Case) -> None:
    assert np.array_equal(case.make_layer(0.0)(case.h, training=True), case.h)
    assert np.array_equal(case.make_layer(case.inference)(case.h), case.h)
    assert np.array_equal(case.make_layer(case.inference)(case.h, training=False), case.h)


@choose(*CASES)
def test_at_strength_0_the_smallest_draw_changes_no_bit(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uniform draw is 0 once in 2^23, and a mask that keeps what is drawn above the rate would drop it."""
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: keras.ops.zeros(shape))
    assert np.array_equal(case.make_layer(0.0)(case.h, training=True), case.h)


@choose(*CASES)
def test_every_seed_and_every_step_has_its_own_noise(case: Case) -> None:
    h = np.ones(case.ones, np.float32)
    first, again, other = (case.make_layer(case.strength, seed) for seed in (1, 1, 2))
    draws = [np.array(layer(h, training=True)) for layer in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])


@choose("dropout", "classic_dropout", "spatial_dropout", "attention_dropout", "stochastic_depth", "residual_dropout")
def test_rate_1_gives_zeros_and_finite_gradients(case: Case) -> None:
    h = tf.constant(case.h)
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = case.make_layer(1.0)(h, training=True)
    assert not np.any(out)
    assert not np.any(tape.gradient(out, h))


@pytest.mark.parametrize("kind", [GaussianDropout, AlphaDropout])
def test_rate_1_is_refused_where_nothing_is_left_to_scale(kind: Callable[[float], OnActivations]) -> None:
    with pytest.raises(InputError, match=r"rate must lie in \[0, 1\), received 1\.0"):
        kind(1.0)


@pytest.mark.parametrize(("name", "backbone"), [("gaussian_dropout", "mlp([4])"), ("alpha_dropout", "mlp([4], selu)")])
def test_a_rate_that_float32_rounds_to_1_stays_finite(name: str, backbone: str, rows: Any) -> None:
    h = tf.constant(draw_normal(5, 4))
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = CASES[name].make_layer(1 - 1e-12)(h, training=True)
    assert np.isfinite(out).all()
    assert np.isfinite(tape.gradient(out, h)).all()
    model = regzoo.build(backbone, f"{name}({1 - 1e-12!r})", input_shape=(5,), classes=3)
    assert model.dials == {f"{name}.rate": 1.0}
    model.update(*rows)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize(
    ("name", "rates", "stock", "h", "absolute"),
    [
        ("dropout", (0.1, 0.5, 0.9), keras.layers.Dropout, draw_normal(64, 32), 0.0),
        # Sums of terms near 1, some of which cancel: a few float32 roundings (6e-8) of a few units.
        ("alpha_dropout", (0.05, 0.3, 0.9), keras.layers.AlphaDropout, draw_normal(64, 32), 1e-6),
        ("spatial_dropout", (0.1, 0.5, 0.9), keras.layers.SpatialDropout1D, draw_normal(16, 5, 8), 0.0),
        ("spatial_dropout", (0.1, 0.5, 0.9), keras.layers.SpatialDropout2D, draw_normal(16, 4, 3, 8), 0.0),
        ("attention_dropout", (0.1, 0.5, 0.9), keras.layers.Dropout, draw_attention(8, 2, 5, 5), 0.0),
    ],
)
def test_it_equals_stock_keras_for_the_same_seed(
    name: str, rates: tuple[float, ...], stock: Callable[..., Any], h: np.ndarray, absolute: float
) -> None:
    for rate in rates:
        ours, theirs = CASES[name].make_layer(rate, 7, h.ndim), stock(rate, seed=7)
        for _ in range(3):
            np.testing.assert_allclose(ours(h, training=True), theirs(h, training=True), rtol=1e-6, atol=absolute)
