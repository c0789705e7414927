"""`InTraining` layers apply a function in training and are the identity at inference."""

from __future__ import annotations

from typing import Any

import numpy as np

from regzoo.core.layers import InTraining
from regzoo.core.lazy import keras


def doubled(h: Any, seed: Any) -> Any:
    """Double the activations."""
    return 2.0 * h


def noisy(h: Any, seed: Any) -> Any:
    """Add noise from the layer's stream."""
    return h + keras.random.normal(keras.ops.shape(h), seed=seed)


def test_it_acts_in_training_only() -> None:
    layer = InTraining(doubled, seed=0)
    h = np.ones((2, 3), np.float32)
    assert np.array_equal(layer(h, training=True), 2 * h)
    assert np.array_equal(layer(h, training=False), h)
    assert np.array_equal(layer(h), h)
    assert layer(keras.Input((4, 5))).shape == (None, 4, 5)
    assert layer.weights == []


def test_its_stream_is_its_seed_and_moves_on() -> None:
    h = np.zeros((2, 3), np.float32)
    first, again, other = (InTraining(noisy, seed) for seed in (1, 1, 2))
    draws = [np.array(layer(h, training=True)) for layer in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])
