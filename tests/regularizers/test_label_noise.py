"""Label noise: the paper's probabilities, its expectation, its seed and the ends of its domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import LabelNoise

N, CLASSES = 40_000, 4
Y = np.eye(CLASSES, dtype=np.float32)[np.full(N, 2)]


def disturbed(rate: float, y: np.ndarray = Y, seed: int = 0) -> np.ndarray:
    """Return the targets of a batch after it; check that the inputs stay."""
    x, y = LabelNoise(rate).batch("inputs", y, keras.random.SeedGenerator(seed))
    assert x == "inputs"
    return np.array(y)


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_its_expectation_is_label_smoothing(rate: float) -> None:
    after = disturbed(rate)
    assert np.array_equal(np.sort(after, axis=1), np.sort(Y, axis=1))  # one-hot still
    # Xie 2016: the right class with 1 - rate (C - 1) / C, each other with rate / C.
    expected = np.full(CLASSES, rate / CLASSES)
    expected[2] += 1 - rate
    errors = np.sqrt(expected * (1 - expected) / N)
    assert (np.abs(after.mean(0) - expected) < 5 * errors).all()


def test_rate_0_changes_no_bit() -> None:
    soft = np.random.default_rng(0).dirichlet([0.3] * 5, 400).astype(np.float32)
    assert np.array_equal(disturbed(0.0, soft), soft)


def test_whether_and_to_what_are_drawn_apart() -> None:
    after = disturbed(0.5)
    moved = after[:, 2] == 0
    shares = after[moved].mean(0)
    assert shares[[0, 1, 3]] == pytest.approx([1 / 3] * 3, abs=5 * math.sqrt(2 / 9 / moved.sum()))


def test_every_seed_and_every_step_has_its_own_labels() -> None:
    assert np.array_equal(disturbed(0.5, seed=1), disturbed(0.5, seed=1))
    assert not np.array_equal(disturbed(0.5, seed=1), disturbed(0.5, seed=2))
    stream = keras.random.SeedGenerator(0)
    first, second = (LabelNoise(0.5).batch(None, Y, stream)[1] for _ in range(2))
    assert not np.array_equal(first, second)


def test_validation_labels_are_untouched(rows: Any) -> None:
    plain, noisy = (regzoo.build("mlp([4])", r, input_shape=(5,), classes=3) for r in ("none", "label_noise(1.0)"))
    assert noisy.evaluate(*rows, verbose=0) == plain.evaluate(*rows, verbose=0)
    noisy.fit(*rows, verbose=0)
    assert all(np.isfinite(weight).all() for weight in noisy.get_weights())


def test_regression_is_refused() -> None:
    with pytest.raises(InputError, match="label_noise needs classes"):
        regzoo.build("mlp([4])", "label_noise(0.1)", input_shape=(5,), outputs=1)
