"""Splitters: whole groups, time order and several labels in every part."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from regzoo.config import SplitConfig
from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.split import Split, split_dataset

PARTS = ("train", "validation", "test")


def settings(train: float = 0.6, validation: float = 0.2, test: float = 0.2, **more: Any) -> SplitConfig:
    return SplitConfig(train=train, validation=validation, test=test, **more)


def labeled(y: Any, **roles: Any) -> Dataset:
    """Return a data set whose inputs are the row numbers; only targets and roles matter."""
    return from_arrays(np.arange(len(y))[:, np.newaxis], y, **roles)


def numbers(rows: int, **roles: Any) -> Dataset:
    """Return a regression data set of ``rows`` rows."""
    return labeled(np.random.default_rng(0).normal(size=rows), **roles)


def assert_parts(parts: Split, rows: int) -> None:
    """Assert that every part is sorted and not empty, and that each row is in exactly one part."""
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in (parts.train, parts.validation, parts.test):
        assert len(part)
        assert np.all(np.diff(part) > 0)


def grouped_case(case: int) -> tuple[Dataset, np.ndarray]:
    """Return 30 to 90 groups of 1 to 12 rows, each mostly of one of 3 classes, shuffled; ``case`` is the seed."""
    random = np.random.default_rng(case)
    sizes = random.integers(1, 13, size=random.integers(30, 90))
    group = np.arange(len(sizes)).repeat(sizes)
    tendency = random.integers(3, size=len(sizes)).repeat(sizes)
    y = np.where(random.random(len(group)) < 0.6, tendency, random.integers(3, size=len(group)))
    order = random.permutation(len(group))
    names = np.array([f"p{number}" for number in group])
    return labeled(y[order], groups=names[order]), group[order]


@pytest.mark.parametrize("case", range(30))
def test_no_group_is_in_two_parts_and_shares_are_nearly_met(case: int) -> None:
    data, group = grouped_case(case)
    parts = split_dataset(data, settings(), case)
    assert_parts(parts, len(group))
    groups = [set(group[getattr(parts, part)]) for part in PARTS]
    assert sum(map(len, groups)) == len(set(group))
    assert parts.facts["groups"] == dict(zip(PARTS, map(len, groups), strict=True))
    assert parts.facts["kind"] == "grouped"
    for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        rows = getattr(parts, part)
        # Of two places for a group, the nearer is off by half its rows: 6 for the largest. A random assignment of these
        # groups is off by 22 rows of a 20 % part: sqrt(60 groups * 0.2 * 0.8 * 54), 54 the mean squared size.
        assert abs(len(rows) - share * len(group)) < 6
        for label in range(3):
            assert data.y is not None
            assert abs(np.sum(data.y[rows] == label) - share * np.sum(data.y == label)) < 6


def test_groups_of_one_row_each_are_as_good_as_none() -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    parts = split_dataset(labeled(y, groups=np.arange(100)), settings(), 0)
    for part, counts in zip(PARTS, ([36, 18, 6], [12, 6, 2], [12, 6, 2]), strict=True):
        assert np.bincount(y[getattr(parts, part)]).tolist() == counts


def test_by_hand_three_groups_go_one_into_each_part() -> None:
    y, group = np.array([0, 1] * 6), np.repeat(["a", "b", "c"], [8, 2, 2])
    for seed in range(10):
        parts = split_dataset(labeled(y, groups=group), settings(), seed)
        assert len({group[getattr(parts, part)][0] for part in PARTS}) == 3
        assert len(parts.train) == 8  # the one that is nearest to 60 %


def test_the_seed_decides_which_groups_test() -> None:
    data, _ = grouped_case(0)
    first, again, other = (split_dataset(data, settings(), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_a_regression_is_grouped_too() -> None:
    group = np.arange(20).repeat(5)
    parts = split_dataset(numbers(100, groups=group), settings(), 0)
    assert_parts(parts, 100)
    assert [len(set(group[getattr(parts, part)])) for part in PARTS] == [12, 4, 4]


def test_the_task_decides_whether_classes_count() -> None:
    data = labeled(["a"] * 9 + ["b"])  # too rare a class
    assert split_dataset(data, settings(), 0, "reconstruction").facts["kind"] == "random"
    with pytest.raises(InputError, match="the class b occurs only once"):
        split_dataset(data, settings(), 0)


def test_inputs_without_targets_are_split_and_have_duplicates() -> None:
    data = from_arrays(np.arange(60)[:, np.newaxis] // 2, None, groups=np.arange(60) // 2)
    parts = split_dataset(data, settings(), 0)
    assert_parts(parts, 60)
    assert (parts.facts["kind"], parts.facts["duplicates"]) == ("grouped", 0)
    assert data.content_codes.tolist() == (np.arange(60) // 2).tolist()


@pytest.mark.parametrize("case", range(30))
def test_each_part_is_later_than_the_one_before_and_ties_stay_together(case: int) -> None:
    random = np.random.default_rng(case)
    time = random.integers(0, random.integers(8, 60), size=100)
    parts = split_dataset(numbers(100, time=time), settings(), case)
    assert_parts(parts, 100)
    assert time[parts.train].max() < time[parts.validation].min()
    assert time[parts.validation].max() < time[parts.test].min()
    ties = max(Counter(time.tolist()).values())
    assert abs(len(parts.test) - 20) <= ties / 2  # the nearest of two edges that are at most so many rows apart
    assert parts.facts["kind"] == "time-ordered"


def test_by_hand_dates_in_any_order() -> None:
    dates = [f"2024-01-{day:02d}" for day in (9, 2, 7, 4, 5, 6, 3, 8, 1, 10)]
    parts = split_dataset(numbers(10, time=dates), settings(), 0)
    assert (parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()) == (
        [1, 3, 4, 5, 6, 8],
        [2, 7],
        [0, 9],
    )


def test_by_hand_ties_move_the_edge() -> None:
    time = [1, 1, 1, 1, 2, 2, 2, 2, 2, 3]  # wanted: 6, 2, 2; possible edges: after 4 and after 9 rows
    parts = split_dataset(numbers(10, time=time), settings(), 0)
    assert [len(getattr(parts, part)) for part in PARTS] == [4, 5, 1]


def tags(rows: int, rare: int, **roles: Any) -> Dataset:
    """Return rows with a frequent label, and one that only the first ``rare`` rows have."""
    return labeled(np.stack([np.arange(rows) % 2, np.arange(rows) < rare], axis=1).astype(int), **roles)


@pytest.mark.parametrize("seed", range(5))
def test_several_labels_have_their_shares_in_each_part(seed: int) -> None:
    data = tags(50, 20)
    parts = split_dataset(data, settings(), seed)
    assert [len(getattr(parts, part)) for part in PARTS] == [30, 10, 10]
    assert data.y is not None
    assert [data.y[getattr(parts, part)].sum(0).tolist() for part in PARTS] == [[15, 12], [5, 4], [5, 4]]
    assert parts.facts["kind"] == "stratified"
    kept = split_dataset(data, settings(train_size=10), seed)
    assert data.y[kept.train].sum(0).tolist() == [5, 4]
    assert np.array_equal(kept.test, parts.test)
    assert np.array_equal(kept.validation, parts.validation)


def test_folds_have_the_shares_of_several_labels() -> None:
    data = tags(50, 20)
    splits = [split_dataset(data, settings(folds=4), 0, fold=fold) for fold in range(4)]
    assert sorted(np.concatenate([parts.validation for parts in splits])) == sorted(
        np.setdiff1d(np.arange(50), splits[0].test)
    )
    assert data.y is not None
    assert [data.y[parts.validation].sum(0).tolist() for parts in splits] == [[5, 4]] * 4
    again = split_dataset(data, settings(folds=4), 0, fold=3, repetition=1)
    assert not np.array_equal(again.validation, splits[3].validation)
    assert np.array_equal(again.test, splits[3].test)


def test_a_label_has_both_values_in_training() -> None:
    part = np.repeat(["test", "validation", "train"], [10, 10, 30])
    message = (
        "data: the label '1' is false in all 30 training rows, and true in 4 of all 50 rows; a model cannot learn it"
    )
    with pytest.raises(InputError, match=message):
        split_dataset(tags(50, 4, part=part), settings(), 0)
    with pytest.raises(
        InputError, match="the label '1' is true in all 30 training rows, and false in 0 of all 50 rows"
    ):
        split_dataset(tags(50, 50), settings(), 0)
    with pytest.raises(InputError, match=r"the label '.' is .* in all 2 training rows"):
        split_dataset(tags(50, 4), settings(train_size=2), 0)


def test_wrong_labels_are_for_classes() -> None:
    with pytest.raises(InputError, match="label_noise: needs classes, this is multilabel"):
        split_dataset(tags(50, 20), settings(label_noise=0.1), 0)
