"""Flooding: by hand, above and below the level, the reversed gradient, and the baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.regularizers import Flooding


def flooded(level: float, losses: Any) -> np.ndarray:
    """Return the per-example losses after it."""
    return np.array(Flooding(level).loss(None, None, tf.constant(losses)))


@pytest.mark.parametrize(("level", "mean"), [(0.1, 0.2), (0.2, 0.2), (0.5, 0.8), (3.0, 5.8)])
def test_the_mean_is_the_papers(level: float, mean: float) -> None:
    # Losses 0.1 and 0.3, mean 0.2: |0.2 - level| + level.
    assert flooded(level, [0.1, 0.3]).mean() == pytest.approx(mean, rel=1e-6)


def test_above_the_level_and_at_level_0_no_bit_changes() -> None:
    losses = np.random.default_rng(0).exponential(size=50).astype(np.float32)
    assert np.array_equal(flooded(0.1, losses), losses)
    assert np.array_equal(flooded(0.25, [0.0, 0.5]), [0.0, 0.5])  # at the level
    assert np.array_equal(flooded(0.0, losses), losses)
    assert np.array_equal(flooded(0.0, -losses), -losses)  # a confidence penalty can do this
    assert np.array_equal(flooded(0.0, 0 * losses), 0 * losses)


def test_below_the_level_the_gradient_is_turned_round() -> None:
    losses = tf.Variable([0.1, 0.3])
    for level, sign in ((0.15, 1.0), (0.25, -1.0)):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(Flooding(level).loss(None, None, losses))
        assert tape.gradient(value, losses).numpy() == pytest.approx([sign / 2, sign / 2])


def test_a_step_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("flooding(2.0)")
    loss, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    # Loss 1, below 2: |1 - 2| + 2. The bias would move by 0.5 * 2 toward the target, and moves away from it.
    assert float(loss) == pytest.approx(3.0, rel=1e-6)
    assert model.get_layer("head").get_weights()[1] == pytest.approx([-0.5], rel=1e-6)


def test_the_training_loss_hovers_at_the_level(rows: Any) -> None:
    adam = keras.optimizers.Adam(0.01)
    model = regzoo.build("mlp([16])", "flooding(0.5)", input_shape=(5,), classes=3, optimizer=adam)
    step = tf.function(lambda: model.update(*rows)[0])
    for _ in range(300):
        step()
    # Steps of Adam's 0.01 move this loss by some hundredths; without flooding it falls below 0.2.
    assert model.evaluate(*rows, batch_size=60, verbose=0)[0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("weight", "is_flooded"),
    [([1.0, 1.0], False), ([1.0, 0.0], True), ([0.0, 1.0], False), ([10.0, 1.0], True), ([0.0, 0.0], False)],
)
def test_the_mean_is_weighted(weight: list[float], is_flooded: bool) -> None:
    # Losses 0.1 and 0.3, level 0.15: means 0.2, 0.1, 0.3, 0.118, none.
    losses = tf.constant([0.1, 0.3])
    found = np.array(Flooding(0.15).loss(None, None, losses, tf.constant(weight, tf.float64)))  # as users have them
    assert found == pytest.approx([0.2, 0.0] if is_flooded else [0.1, 0.3], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_step_with_weights_by_hand(by_hand: Callable[[str], Any], scale: float) -> None:
    """The size of the weights multiplies the loss, and does not move the level."""
    model = by_hand("flooding(0.5)")
    y = np.array([[1.5], [0.5]], np.float32)  # predictions 0.5: losses 1 and 0, mean 0.5
    for weight, loss in (([3.0, 1.0], 0.75), ([1.0, 3.0], 2 * 0.5 - 0.25)):
        model.optimizer.learning_rate.assign(0.0)
        found = model.update(np.zeros((2, 2), np.float32), y, scale * np.array(weight, np.float32))[0]
        assert float(found) == pytest.approx(2.0 * scale * loss, rel=1e-6)  # weights of mean 2


def test_it_acts_on_what_others_make_of_the_loss_wherever_it_stands(rows: Any) -> None:
    losses = []
    for recipe in ("flooding(1.0) + focal(2.0)", "focal(2.0) + flooding(1.0)"):
        losses.append(float(regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3).update(*rows)[0]))
    focal = float(regzoo.build("mlp([4])", "focal(2.0)", input_shape=(5,), classes=3).update(*rows)[0])
    assert focal < 1.0
    assert losses == pytest.approx([2.0 - focal] * 2, rel=1e-6)
