"""The zoo against Keras's layers that draw: the same numbers from the same seed, or the same distribution.

Keras's other layers, constraints, penalties, losses and optimizers stand in the test of each regularizer. Its CutMix is
no reference: its boxes never cross the border, so half of an image is kept on average, and by the paper's code 0.68.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import Slot
from regzoo.regularizers import ActivationNoise, GaussianNoise, Mixup

DRAWS = 4000
LARGEST = 1.63 * math.sqrt(2 / DRAWS)
"""Distance of two empirical distributions of so many draws each that is exceeded with probability 1 %."""


def measure_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the statistic of Kolmogorov and Smirnov, the largest distance of two empirical distributions."""
    points = np.concatenate([first, second])
    ranks = [np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(ranks[0] - ranks[1]).max())


@pytest.mark.parametrize("stddev", [0.01, 0.5])
def test_noise_is_kerass_for_the_same_seed(stddev: float) -> None:
    h = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    stock = np.array(keras.layers.GaussianNoise(stddev, seed=7)(h, training=True))
    ours = ActivationNoise(stddev).layer(Slot("activation", 0, 1, 2, 7))
    np.testing.assert_allclose(np.array(ours(h, training=True)), stock, rtol=1e-6, atol=1e-6)
    batch: Any = GaussianNoise(stddev).batch(h, h, keras.random.SeedGenerator(7))
    np.testing.assert_allclose(np.array(batch[0]), stock, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_draws_from_kerass_beta_with_the_larger_part_kept(alpha: float) -> None:
    images = np.zeros((DRAWS, 1, 1, 1), np.float32)
    drawn = keras.layers.MixUp(alpha, seed=1).get_random_transformation(images)["mix_weight"]
    theirs = np.array(drawn, np.float64).ravel()
    ours = np.array(Mixup(alpha).draw_weights(DRAWS, keras.random.SeedGenerator(2)), np.float64)
    assert measure_distance(ours, np.maximum(theirs, 1 - theirs)) < LARGEST
    assert measure_distance(ours, theirs) > 0.3  # that of Keras is below 1/2 half of the time
