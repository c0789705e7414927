"""Iterative stratification: rows with several labels are assigned to parts of exact sizes."""

from __future__ import annotations

import numpy as np
import pytest

from regzoo.data.dataset import Array
from regzoo.data.splitting.iterative_stratification import assign_rows


def assign(y: Array, sizes: list[int], seed: int) -> Array:
    return assign_rows(y, np.array(sizes), np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_by_hand(seed: int) -> None:
    """Of 5 rows with a label, parts of 60, 20 and 20 rows are due 3, 1 and 1; of 60, they are due 36, 12 and 12."""
    y = np.zeros((100, 2), dtype=bool)
    y[:5, 1] = True
    y[40:, 0] = True
    parts = assign(y, [60, 20, 20], seed)
    assert np.bincount(parts[y[:, 1]]).tolist() == [3, 1, 1]
    assert np.bincount(parts[y[:, 0]]).tolist() == [36, 12, 12]


def test_a_rare_label_reaches_the_smaller_part() -> None:
    """Of 2 rows, 1.5 and 0.5 are due; after the first, both parts lack 0.5."""
    y = np.arange(20)[:, np.newaxis] < 2
    assert np.bincount(assign(y, [15, 5], 0)[:2]).tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(10))
def test_sizes_are_exact_and_labels_nearly_so(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.random((300, 5)) < [0.9, 0.5, 0.3, 0.05, 0.02]
    sizes = [180, 70, 50]
    parts = assign(y, sizes, seed)
    assert np.bincount(parts).tolist() == sizes
    due = np.outer(sizes, y.mean(0))
    off = np.abs(np.stack([y[parts == part].sum(0) for part in range(3)]) - due)
    assert off.max() < 4  # by chance alone the standard deviation is up to sqrt(300 / 4 * 0.6 * 0.4) = 4.2


def test_a_label_that_no_row_has_and_rows_without_labels_are_fine() -> None:
    y = np.zeros((7, 2), dtype=bool)
    assert np.bincount(assign(y, [4, 3], 0)).tolist() == [4, 3]
    y[:, 0] = True
    assert np.bincount(assign(y, [4, 3], 0)).tolist() == [4, 3]


def test_the_order_is_random_and_repeats() -> None:
    y = np.random.default_rng(0).random((60, 3)) < 0.3
    assignments = [assign(y, [40, 20], seed).tolist() for seed in (0, 0, 1)]
    assert assignments[0] == assignments[1] != assignments[2]
