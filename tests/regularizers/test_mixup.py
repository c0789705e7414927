"""Mixup: the Beta distribution down to alpha 0, by hand, targets of any kind, and the baseline."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import regzoo
from regzoo.regularizers import Mixup

N = 20_000


def shares(alpha: float, seed: int = 0, n: int = N) -> np.ndarray:
    """Return the weights of n examples themselves."""
    return np.array(Mixup(alpha).draw_weights(n, keras.random.SeedGenerator(seed)), np.float64)


def mixed(alpha: float, x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch after the augmentation."""
    x, y = Mixup(alpha).batch(x, y, keras.random.SeedGenerator(seed))
    return np.array(x), np.array(y)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 8.0])
def test_the_share_is_the_larger_part_of_a_beta(alpha: float) -> None:
    law = stats.beta(alpha, alpha)
    distance = stats.kstest(shares(alpha), lambda s: law.cdf(s) - law.cdf(1 - s)).statistic
    # Kolmogorov: P(D > d) <= 2 exp(-2 n d^2); 5.7e-7, as for five standard errors.
    assert distance < math.sqrt(math.log(2 / 5.7e-7) / (2 * N))


@pytest.mark.parametrize("alpha", [0.2, 0.1, 0.01, 1e-3])
def test_small_alpha_hardly_mixes(alpha: float) -> None:
    """Small gamma draws underflow: a ratio of them would often be 1/2."""
    law = stats.beta(alpha, alpha)
    for edge in (0.6, 0.99):
        expected = law.cdf(edge) - law.cdf(1 - edge)
        found = (shares(alpha, n=100_000) < edge).mean()
        assert found == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 100_000))


def test_the_ends_of_its_domain() -> None:
    assert (shares(0.0) == 1).all()
    assert (shares(1e-30) == 1).all()
    # Beta(a, a) has a standard deviation of 1 / sqrt(8 a + 4); float32 gamma draws add 1e-7 of their size.
    assert np.abs(shares(1e9) - 0.5).max() < 1e-3


def test_alpha_0_changes_no_bit() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(50, 8, 8, 1)).astype(np.float32), random.normal(size=(50, 3)).astype(np.float32)
    after = mixed(0.0, x, y)
    assert np.array_equal(after[0], x)
    assert np.array_equal(after[1], y)


def test_inputs_and_targets_are_mixed_equally() -> None:
    """With the identity as batch, row i has its own weight at i and the rest at the partner."""
    one = np.eye(40, dtype=np.float32)
    x, y = mixed(1.0, one, one)
    assert np.array_equal(x, y)
    own, rest = np.diag(x), x - np.diag(np.diag(x))
    assert (own >= 0.5).all()
    assert ((rest > 0).sum(1) <= 1).all()
    assert ((rest > 0).sum(0) <= 1).all()
    np.testing.assert_allclose(x.sum(1), 1, rtol=1e-6)
    assert len(np.unique(own)) > 30  # a share for each example
    images = np.repeat(one, 12, axis=1).reshape(40, 40, 4, 3)
    np.testing.assert_array_equal(mixed(1.0, images, one)[0], np.repeat(x, 12, axis=1).reshape(40, 40, 4, 3))


def test_every_seed_and_every_step_has_its_own_mixture() -> None:
    one = np.eye(9, dtype=np.float32)
    assert np.array_equal(mixed(1.0, one, one, seed=1)[0], mixed(1.0, one, one, seed=1)[0])
    assert not np.array_equal(mixed(1.0, one, one, seed=1)[0], mixed(1.0, one, one, seed=2)[0])
    stream = keras.random.SeedGenerator(0)
    first, second = (Mixup(1.0).batch(one, one, stream)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_schedule_takes_it_back_to_the_baseline(rows: Any) -> None:
    trained = []
    for recipe in ("mixup(linear(1.0, 0.0, epochs=1))", "none"):
        model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
        start = model.get_weights()
        if recipe != "none":
            model.fit(*rows, epochs=1, verbose=0)
            assert not np.array_equal(start[0], model.get_weights()[0])
            model.reset(1)
        model.fit(*rows, batch_size=16, epochs=3, initial_epoch=1, shuffle=False, verbose=0)
        trained.append([weight.numpy() for weight in model.trainable_variables])
    assert all(map(np.array_equal, *trained))


def test_numbers_are_mixed_too(numbers: Any) -> None:
    x, y = numbers
    model = regzoo.build("mlp([4])", "mixup(1.0)", input_shape=(5,), outputs=1)
    model.fit(x, ((y - y.mean()) / y.std()).astype(np.float32), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
