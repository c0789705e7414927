"""Stochastic depth: rates linear in depth, draws for each example, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import StochasticDepth

TINY = "resnet(filters=[2, 3], blocks=1)"


def layer(rate: float, index: int = 0, of: int = 1, seed: int = 0) -> Any:
    """Return its layer at the end of branch ``index`` of ``of``."""
    return StochasticDepth(rate).layer(Slot("branch", index, of, 4, seed))


def some(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(("index", "p"), [(0, 0.15), (1, 0.3), (2, 0.45), (3, 0.6)])
def test_the_rate_rises_linearly_with_depth(index: int, p: float) -> None:
    n = 50_000
    switch = np.array(layer(0.6, index, 4)(np.ones((n, 1, 1, 1), np.float32), training=True), np.float64)
    assert np.unique(switch) == pytest.approx([0, 1 / (1 - p)], rel=1e-6)
    # Five standard errors of a share, and of a mean of variance p / (1 - p).
    assert (switch == 0).mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))
    assert switch.mean() == pytest.approx(1, abs=5 * math.sqrt(p / (1 - p) / n))


@pytest.mark.parametrize("shape", [(40, 3), (40, 5, 3), (40, 4, 4, 3)])
def test_an_examples_branch_is_left_out_as_a_whole(shape: tuple[int, ...]) -> None:
    h = some(*shape)
    share = np.array(layer(0.5)(h, training=True)) / h
    per_example = share.reshape(40, -1)
    np.testing.assert_allclose(per_example, per_example[:, :1].repeat(per_example.shape[1], 1), rtol=1e-6)
    assert 0 < np.count_nonzero(per_example[:, 0]) < 40  # each example draws its own


def test_rate_1_leaves_the_last_branch_out_with_finite_gradients() -> None:
    h = tf.constant(some(5, 4, 4, 2))
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = layer(1.0, 2, 3)(h, training=True)
    assert not np.any(out)
    assert not np.any(tape.gradient(out, h))


def test_at_rate_1_the_last_block_of_a_network_does_not_learn(images: Any) -> None:
    model = regzoo.build(TINY, "stochastic_depth(1.0)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"stochastic_depth": 2}
    first, last = (model.get_layer(f"block_{stage}_0_conv_1") for stage in (0, 1))
    before = [first.get_weights()[0], last.get_weights()[0]]
    model.fit(*images, batch_size=30, verbose=0)
    assert not np.array_equal(before[0], first.get_weights()[0])  # left out for every second example
    assert np.array_equal(before[1], last.get_weights()[0])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_without_branches_there_is_no_place() -> None:
    assert StochasticDepth(0.5).layer(Slot("activation", 0, 1, 4, 0)) is None
    with pytest.raises(InputError, match="stochastic_depth finds no place to act in cnn"):
        regzoo.build("cnn([2], dense=3)", "stochastic_depth(0.5)", input_shape=(8, 8, 1), classes=3)
