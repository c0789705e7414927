"""Gradient clipping: by hand, stock Keras, and the ends of its domain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Gradients, InputError
from regzoo.regularizers import GradientClip


def clipped(gradients: list[Any], norm: float) -> list[np.ndarray]:
    """Return the gradients that the optimizer receives."""
    given = [np.asarray(gradient, np.float32) for gradient in gradients]
    compute = Gradients(lambda: given, learning_rate=0.1, step=0, seed=None)
    return [np.array(gradient) for gradient in GradientClip(norm).gradients(compute, [])]


def test_the_norm_is_that_of_all_weights_together() -> None:
    first, second = clipped([[[3.0, 0.0]], [4.0]], 1.0)
    assert first[0] == pytest.approx([0.6, 0.0], rel=1e-6)
    assert second == pytest.approx([0.8], rel=1e-6)


def test_short_gradients_keep_every_bit() -> None:
    given = [np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32), np.array([0.1], np.float32)]
    for norm in (100.0, math.inf):
        assert all(map(np.array_equal, clipped(given, norm), given))
    assert str(GradientClip(1.0).neutral()) == "gradient_clip(inf)"


def test_zeros_stay_zeros() -> None:
    assert not np.any(clipped([[0.0, 0.0]], 1e-6))
    assert not np.any(clipped([[0.0, 0.0]], math.inf))


def test_it_equals_stock_keras(twin: Callable[..., tuple[Any, Any]]) -> None:
    ours, stock = twin(
        "gradient_clip(0.1)",
        lambda: keras.optimizers.SGD(0.5),
        stock_optimizer=lambda: keras.optimizers.SGD(0.5, global_clipnorm=0.1),
    )
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)  # 24 steps of some roundings (6e-8)


def test_a_step_is_no_longer_than_norm(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("gradient_clip(0.01)")
    before = np.concatenate([weight.ravel() for weight in model.get_weights()])
    model.update(np.full((1, 2), 1e6, np.float32), np.zeros((1, 1), np.float32))
    after = np.concatenate([weight.ravel() for weight in model.get_weights()])
    # The learning rate is 0.5; weights near 2 are rounded to 1.2e-7.
    assert np.linalg.norm(after - before) == pytest.approx(0.005, abs=1e-6)


def test_a_norm_of_0_is_refused() -> None:
    with pytest.raises(InputError, match=r"gradient_clip: norm must lie in \(0, inf\], received 0.0"):
        GradientClip(0.0)
    assert regzoo.parse("gradient_clip(inf)").regularizers == (GradientClip(math.inf),)
