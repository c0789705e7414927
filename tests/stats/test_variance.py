"""Variance components: worked by hand, recovered from simulated scores, and what cannot be told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from regzoo.stats.variance import VarianceComponents, estimate_variance_components


def estimate(scores: list[float], searches: list[int], splits: list[int] | None = None) -> VarianceComponents:
    found = estimate_variance_components(scores, searches, splits)
    assert found is not None
    return found


def test_balanced_searches_by_hand() -> None:
    # Means 2, 6, 10 of two runs: MS within (3 * 2) / 3 = 2, MS between 2 * 32 / 2 = 32.
    found = estimate([1.0, 3.0, 5.0, 7.0, 9.0, 11.0], [0, 0, 1, 1, 2, 2])
    assert (found.rest, found.search) == pytest.approx((2, 15))
    assert found.split is None
    assert found.shares == pytest.approx({"search": 15 / 17, "rest": 2 / 17})
    # The variance of the mean is that of the three search means over three.
    assert found.standard_error == pytest.approx(math.sqrt(16 / 3))
    assert found.standard_error_twice_searches == pytest.approx(math.sqrt(16 / 6))
    assert found.standard_error_twice_replicates == pytest.approx(math.sqrt(15 / 3 + 2 / 12))


def test_unbalanced_searches_by_hand() -> None:
    # Means 2, 4 and 9 of 3, 2 and 1 runs; grand mean 23 / 6. SS within 2 + 2 = 4, 3 degrees.
    # SS between is 3 (11/6)^2 + 2 (1/6)^2 + (31/6)^2 = 221/6; n0 = (6 - 14/6) / 2 = 11/6.
    found = estimate([1.0, 2.0, 3.0, 3.0, 5.0, 9.0], [0, 0, 0, 1, 1, 2])
    between = (3 * (11 / 6) ** 2 + 2 / 36 + (31 / 6) ** 2) / 2
    assert found.rest == pytest.approx(4 / 3)
    assert found.search == pytest.approx((between - 4 / 3) / (11 / 6))
    assert found.runs_per_mean == pytest.approx(9 / (1 / 3 + 1 / 2 + 1))


def test_no_component_is_negative() -> None:
    # The search means are equal: MS between 0 < MS within. Without the search the rest is the plain variance, 6 / 5.
    found = estimate([-1.0, 1.0, 1.0, -1.0, -1.0, 1.0], [0, 0, 1, 1, 2, 2])
    assert found.search == 0
    assert found.rest == pytest.approx(6 / 5)
    assert found.standard_error == pytest.approx(math.sqrt(6 / 5 / 6))


def test_splits_crossed_with_searches_by_hand() -> None:
    # Two-way without repetition: the mean squares of rows, of columns and of what neither explains.
    scores = np.array([[0.0, 4.0], [2.0, 8.0], [10.0, 12.0]])  # (searches, splits)
    rows, columns, grand = scores.mean(axis=1), scores.mean(axis=0), scores.mean()
    ms_search = 2 * ((rows - grand) ** 2).sum() / 2
    ms_split = 3 * ((columns - grand) ** 2).sum() / 1
    ms_rest = ((scores - rows[:, None] - columns + grand) ** 2).sum() / 2
    found = estimate(scores.ravel().tolist(), [0, 0, 1, 1, 2, 2], [0, 1] * 3)
    assert found.split is not None
    assert (found.search, found.split, found.rest) == pytest.approx(
        ((ms_search - ms_rest) / 2, (ms_split - ms_rest) / 3, ms_rest)
    )
    assert found.splits == 2
    # Neither more searches nor more runs make more splits.
    assert found.standard_error_twice_searches > math.sqrt(found.split / 2)


def test_components_are_recovered() -> None:
    # The mean square of g groups has a relative standard error of sqrt(2 / (g - 1)), that of the rest of
    # sqrt(2 / (19 * 4)); over 40 tables sqrt(40) less. Three of them.
    rng = np.random.default_rng(0)
    search, split = np.repeat(np.arange(20), 5), np.tile(np.arange(5), 20)
    found = [
        estimate(
            (2 * rng.normal(size=20)[search] + 1.5 * rng.normal(size=5)[split] + rng.normal(size=100)).tolist(),
            search.tolist(),
            split.tolist(),
        )
        for _ in range(40)
    ]
    assert np.mean([each.search for each in found]) == pytest.approx(4, rel=3 * math.sqrt(2 / 19 / 40))
    assert np.mean([each.split or 0.0 for each in found]) == pytest.approx(2.25, rel=3 * math.sqrt(2 / 4 / 40))
    assert np.mean([each.rest for each in found]) == pytest.approx(1, rel=3 * math.sqrt(2 / 76 / 40))


@pytest.mark.parametrize("splits", [[0, 1, 2, 3, 4, 5], [0, 0, 1, 1, 2, 2], [0] * 6])
def test_splits_that_cannot_be_told_apart_are_not_given(splits: list[int]) -> None:
    scores, searches = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0], [0, 0, 1, 1, 2, 2]
    assert estimate(scores, searches, splits) == estimate(scores, searches)


def test_repeated_splits_keep_a_part_of_their_variance() -> None:
    found = estimate_variance_components([1.0, 3.0, 5.0, 7.0], [0, 0, 1, 1], test_train_ratio=0.25)
    assert found is not None
    # MS between 16, MS within 2: search 7.
    assert found.standard_error == pytest.approx(math.sqrt(7 / 2 + 2 * (1 / 4 + 0.25)))
    assert found.standard_error_twice_replicates == pytest.approx(math.sqrt(7 / 2 + 2 * (1 / 8 + 0.25)))


def test_too_little_to_tell() -> None:
    assert estimate_variance_components([], []) is None
    assert estimate_variance_components([1.0, 2.0], [0, 0]) is None
    assert estimate_variance_components([1.0, 2.0], [0, 1]) is None
    assert estimate_variance_components([1.0, math.nan, 2.0], [0, 0, 1]) is None
    same = estimate([1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1])
    assert (same.total, same.standard_error) == (0.0, 0.0)
    assert math.isnan(same.shares["search"])
