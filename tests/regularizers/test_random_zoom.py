"""Random zooms: the centre, how far, each side by itself, and the ends of the domain."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import RandomZoom

N, HEIGHT, WIDTH = 4000, 9, 7
WHERE = np.stack(np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij"), -1).astype(np.float32)
"""An image that says of each pixel where it was: (height, width, 2)."""


def zoomed(factor: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """The images of a batch after it."""
    x, y = RandomZoom(factor).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


def test_each_side_is_stretched_about_the_centre_by_up_to_factor() -> None:
    after = zoomed(0.3, np.tile(WHERE, (N, 1, 1, 1)))
    # A ramp sampled between pixels is the place it was sampled at; next to the centre that is 1 / scale away.
    scales = [1 / (after[:, 5, 3, 0] - 4), 1 / (after[:, 4, 4, 1] - 3)]
    for scale in scales:
        assert scale.min() >= 0.7 - 1e-5
        assert scale.max() <= 1.3 + 1e-5
        # U(.7, 1.3): variance .6^2 / 12.
        assert scale.mean() == pytest.approx(1, abs=5 * 0.6 / math.sqrt(12 * N))
    assert abs(np.corrcoef(*scales)[0, 1]) < 5 / math.sqrt(N)
    rows = np.clip(4 + (np.arange(HEIGHT) - 4) / scales[0][:, None], 0, HEIGHT - 1)
    np.testing.assert_allclose(after[..., 0], np.repeat(rows[:, :, None], WIDTH, axis=2), atol=2e-5)


def test_the_ends_of_its_domain() -> None:
    x = np.random.default_rng(0).normal(size=(300, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(zoomed(0.0, x), x)
    after = zoomed(0.9999, x)
    assert np.isfinite(after).all()
    # Means of pixels lie between them, but for rounding.
    assert np.abs(after).max() <= np.abs(x).max() * (1 + 1e-6)


def test_a_flat_image_stays_as_it_is() -> None:
    np.testing.assert_allclose(zoomed(0.5, np.full((50, 8, 8, 1), -1.7, np.float32)), -1.7, rtol=1e-6)


def test_the_seed_decides() -> None:
    x = np.tile(WHERE, (20, 1, 1, 1))
    assert np.array_equal(zoomed(0.3, x, seed=1), zoomed(0.3, x, seed=1))
    assert not np.array_equal(zoomed(0.3, x, seed=1), zoomed(0.3, x, seed=2))


def test_rows_and_factor_1_are_refused() -> None:
    with pytest.raises(InputError, match="random_zoom needs images"):
        regzoo.build("mlp([4])", "random_zoom(0.1)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match=r"factor must lie in \[0, 1\), received 1.0"):
        RandomZoom(1.0)
