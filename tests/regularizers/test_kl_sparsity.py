"""KL sparsity: by hand, its minimum, its tangents, and rarely active units after training."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Objective, Slot
from regzoo.regularizers import KlSparsity
from regzoo.training.engine.program import Program


def kl(rho: float, r: float) -> float:
    """Return the divergence between Bernoulli distributions of probability rho and r."""
    return rho * math.log(rho / r) + (1 - rho) * math.log((1 - rho) / (1 - r))


def cost(h: Any, beta: float = 1.0, rho: float = 0.05) -> tuple[float, np.ndarray]:
    """Return the penalty on activations and its gradient."""
    values = tf.constant(h, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = KlSparsity(beta, rho).penalty(values)
    return float(loss), tape.gradient(loss, values).numpy()


def test_by_hand() -> None:
    h = [[0.1, 0.9], [0.3, 0.7], [0.2, 0.2]]  # means 0.2 and 0.6
    assert cost(h, beta=2.0)[0] == pytest.approx(2 * (kl(0.05, 0.2) + kl(0.05, 0.6)), rel=1e-5)
    expected = [(-0.05 / r + 0.95 / (1 - r)) / 3 for r in (0.2, 0.6)]  # each of three examples moves its mean by 1/3
    np.testing.assert_allclose(cost(h)[1], [expected] * 3, rtol=1e-5)


def test_of_activations_of_both_signs_the_size_counts() -> None:
    h = np.array([[0.1, -0.9], [-0.3, 0.7], [0.2, -0.2]])
    assert cost(h)[0] == pytest.approx(cost(np.abs(h))[0], rel=1e-6)
    np.testing.assert_allclose(cost(h)[1], np.sign(h) * cost(np.abs(h))[1], rtol=1e-5)


@pytest.mark.parametrize("rho", [0.01, 0.05, 0.5])
def test_it_costs_nothing_at_rho(rho: float) -> None:
    loss, gradient = cost(np.full((4, 3), rho), rho=rho)
    # log(rho / r) is 0 up to a float32 rounding, times its slope of at most 1 / rho.
    assert loss == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-4)


@pytest.mark.parametrize(("r", "edge"), [(0.0, 0.001), (0.0005, 0.001), (1.5, 0.99), (20.0, 0.99)])
def test_it_goes_on_along_its_tangent(r: float, edge: float) -> None:
    slope = -0.05 / edge + 0.95 / (1 - edge)
    loss, gradient = cost([[r], [r]])
    assert loss == pytest.approx(kl(0.05, edge) + slope * (r - edge), rel=1e-4)
    if r:
        np.testing.assert_allclose(gradient, slope / 2, rtol=1e-4)


def test_positions_count_as_examples_and_channels_as_units() -> None:
    h = np.random.default_rng(0).uniform(size=(4, 3, 2, 5))
    assert cost(h)[0] == pytest.approx(cost(h.reshape(-1, 5))[0], rel=1e-5)
    assert cost(h)[0] == pytest.approx(sum(kl(0.05, r) for r in h.mean((0, 1, 2))), rel=1e-5)


def test_beta_0_is_no_penalty_and_dead_and_huge_units_stay_finite() -> None:
    for h in (np.zeros((3, 2)), np.full((3, 2), 1e6), np.full((3, 2), -1e6)):
        loss, gradient = cost(h, beta=0.0)
        assert loss == 0
        assert not gradient.any()
        loss, gradient = cost(h)
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_it_makes_units_seldom_active(rows: Any, activation: str) -> None:
    backbone = f"autoencoder(widths=[8], code=6, activation={activation})"
    model = regzoo.build(backbone, "kl_sparsity(0.3)", input_shape=(5,), classes=3)
    assert model.hits == {"kl_sparsity": 3}
    program = Program(model, rows, rows, 30)
    code = keras.Model(model.input, model.get_layer(f"code_{activation}").output)
    distances = []
    for beta in (0.0, 0.3):
        program.train(
            strengths={"kl_sparsity.beta": beta},
            seed=0,
            learning_rate=0.05,
            epochs=15,
            objective=Objective("nll", "min"),
        )
        distances.append(np.abs(np.abs(code(rows[0])).mean(0) - 0.05).mean())
    assert program.traces == 1
    assert distances[1] < 0.5 * distances[0]


def test_where_it_acts_and_what_it_takes() -> None:
    assert regzoo.build("mlp([4, 4])", "kl_sparsity(0.1)", input_shape=(5,), classes=3).hits == {"kl_sparsity": 2}
    assert KlSparsity(0.1).layer(Slot("code", 0, 1, 2, 0)) is None
    assert str(KlSparsity(0.1, 0.2)) == "kl_sparsity(beta=0.1, rho=0.2)"
    with pytest.raises(InputError, match=r"rho must lie in \(0, 1\)"):
        KlSparsity(0.1, 1.0)
