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
from regzoo.regularizers import ActivationNoise, GaussianNoise, Mixup, RandomErasing

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


def erase(rate: float, side: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images of ones, (images, side, side), after Keras's layer and ours, where both hide a square of 2 %.

    Keras draws height and width by themselves, sqrt(U(scale)) of the side each, so no aspect, and ends between pixels.
    At one size, aspect 1 and a side of which 2 % are nearly whole pixels, the boxes are the same.
    """
    ones = np.ones((images, side, side, 1), np.float32)
    layer = keras.layers.RandomErasing((rate, rate), (0.02, 0.02), fill_value=0.0, value_range=(0, 1), seed=3)
    ours: Any = RandomErasing(rate, 0.02, 1.0, "mean").batch(ones, ones, keras.random.SeedGenerator(4))
    return np.array(layer(ones, training=True))[..., 0], np.array(ours[0])[..., 0]


@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_random_erasing_hides_what_kerass_hides_as_often(rate: float) -> None:
    side, images, box = 99, 400, 14  # sqrt(0.02) 99 = 14.0007
    hidden = [found == 0 for found in erase(rate, side, images)]
    erased = [found.any((1, 2)) for found in hidden]
    for found, any_ in zip(hidden, erased, strict=True):
        # Five standard errors of a share of `images`.
        assert any_.mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / images))
        # Keras's box has a 15th row or column with probability 0.0007 each.
        assert (found.sum((1, 2))[any_] == box**2).mean() > 0.98
    starts = [found.any(2).argmax(1)[any_] for found, any_ in zip(hidden, erased, strict=True)]
    # The first row: the next whole number of U(0, 85), and one of 0, ..., 85; they differ by 1/2 on average.
    for found, mean in zip(starts, (43.0, 42.5), strict=True):
        assert found.mean() == pytest.approx(mean, abs=5 * 86 / math.sqrt(12 * len(found)))
    assert measure_distance(starts[0] - 0.5, starts[1].astype(float)) < 1.63 * math.sqrt(
        1 / len(starts[0]) + 1 / len(starts[1])
    )


def test_random_erasing_fills_with_the_noise_of_keras() -> None:
    """Keras multiplies N(0, 1) by the largest value and clips it to the range; standardized inputs have no range."""
    images = np.full((12, 60, 60, 1), 9.0, np.float32)
    layer = keras.layers.RandomErasing((1.0, 1.0), (1.0, 1.0), value_range=(-9.0, 1.0), seed=3)
    theirs = np.array(layer(images, training=True))[images != 0].ravel()
    ours: Any = RandomErasing(1.0, 1.0, 1.0).batch(images, images, keras.random.SeedGenerator(4))
    noise = np.array(ours[0])[np.array(ours[0]) != 9.0]
    theirs, noise = theirs[theirs != 9.0][:DRAWS], np.minimum(noise, 1.0)[:DRAWS]
    assert len(theirs) == len(noise) == DRAWS
    assert measure_distance(theirs.astype(float), noise.astype(float)) < LARGEST
