"""Label noise: exactly its share of the labels is wrong, each other class equally likely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.data.dataset import Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.label_noise import flip_labels

PARTS = ("train", "validation", "test")


def labeled(y: Any, **roles: Any) -> Dataset:
    """Return a data set whose inputs are the row numbers; only targets and roles matter."""
    return from_arrays(np.arange(len(y))[:, np.newaxis], y, **roles)


@pytest.mark.parametrize(("share", "wrong"), [(0.0, 0), (0.1, 12), (0.3, 36), (0.99, 119)])
def test_label_noise_changes_exactly_its_share(share: float, wrong: int) -> None:
    codes = np.arange(4).repeat(30)
    noisy = flip_labels(codes, share, 4, seed=0)
    assert np.sum(noisy != codes) == wrong  # round(share * 120)
    assert noisy.min() >= 0
    assert noisy.max() <= 3


def test_wrong_labels_are_each_as_likely() -> None:
    noisy = flip_labels(np.zeros(30_000, dtype=np.int64), 0.9, 4, seed=0)
    counts = np.bincount(noisy, minlength=4)
    assert counts[0] == 3_000
    # 27,000 draws of 3 classes: mean 9,000, standard deviation sqrt(27000 * 1/3 * 2/3) = 77.5; 4 of them.
    assert np.all(np.abs(counts[1:] - 9_000) < 310)


def test_label_noise_is_seeded_and_leaves_its_input() -> None:
    codes = np.arange(4).repeat(30)
    first, again, other = (flip_labels(codes, 0.3, 4, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(codes, np.arange(4).repeat(30))
