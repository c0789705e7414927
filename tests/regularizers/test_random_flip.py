"""Random flips: exact mirror images, frequency, axes, and refused inputs."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import RandomFlip

X = np.random.default_rng(0).normal(size=(4000, 3, 4, 2)).astype(np.float32)


def flipped(factor: float, axis: str = "horizontal", seed: int = 0) -> np.ndarray:
    """Return the images of a batch after the augmentation; check that the targets stay."""
    x, y = RandomFlip(factor, axis).batch(X, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


def test_the_ends_of_its_domain_are_no_image_and_every_image() -> None:
    assert np.array_equal(flipped(0.0), X)
    assert np.array_equal(flipped(0.0, "both"), X)
    assert np.array_equal(flipped(1.0), tf.image.flip_left_right(X))
    assert np.array_equal(flipped(1.0, "vertical"), tf.image.flip_up_down(X))
    assert np.array_equal(flipped(1.0, "both"), tf.image.rot90(X, 2))


def test_each_image_is_flipped_by_itself_with_probability_factor() -> None:
    after, mirror = flipped(0.3), X[:, :, ::-1]
    was = (after == mirror).all((1, 2, 3))
    assert (was | (after == X).all((1, 2, 3))).all()
    # Five standard errors of a proportion over the images.
    assert was.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / len(X)))


def test_both_axes_are_drawn_apart() -> None:
    after = flipped(0.5, "both")
    four = [X, X[:, ::-1], X[:, :, ::-1], X[:, ::-1, ::-1]]
    shares = [(after == one).all((1, 2, 3)).mean() for one in four]
    assert shares == pytest.approx([0.25] * 4, abs=5 * math.sqrt(0.25 * 0.75 / len(X)))


def test_the_seed_decides() -> None:
    assert np.array_equal(flipped(0.5, seed=1), flipped(0.5, seed=1))
    assert not np.array_equal(flipped(0.5, seed=1), flipped(0.5, seed=2))


def test_it_trains_and_repeats_with_its_seed(images: Any) -> None:
    trained = []
    for seed in (1, 1):
        model = regzoo.build("cnn([2], dense=3)", "random_flip(0.5)", input_shape=(8, 8, 1), classes=3, seed=seed)
        model.fit(*images, epochs=1, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    assert all(map(np.array_equal, *trained))


def test_what_it_refuses() -> None:
    with pytest.raises(InputError, match=r"random_flip needs images, received inputs of shape \(5,\)"):
        regzoo.build("mlp([4])", "random_flip(0.5)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match=r"axis has no option 'horizontl'. Did you mean .*horizontal"):
        RandomFlip(0.5, "horizontl")
    with pytest.raises(InputError, match=r"factor must lie in \[0, 1\], received 1.5"):
        RandomFlip(1.5)
