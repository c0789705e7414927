"""Folds: each row validates once in a repetition, groups stay whole, time expands."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from regzoo.config import SplitConfig
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


def random_case(case: int) -> tuple[np.ndarray, SplitConfig]:
    """Return labels and shares drawn from seed ``case``; every class has at least 10 rows."""
    random = np.random.default_rng(case)
    counts = random.integers(10, 60, size=random.integers(2, 8))
    y = random.permutation(np.repeat(np.arange(len(counts)), counts))
    validation, test = random.uniform(0.15, 0.35, size=2)
    return y, settings(1 - validation - test, validation, test)


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


def split_folds(data: Dataset, shares: SplitConfig, repetition: int = 0, seed: int = 0) -> list[Split]:
    return [split_dataset(data, shares, seed, fold=fold, repetition=repetition) for fold in range(shares.folds)]


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("kind", ["stratified", "random", "grouped", "marked"])
def test_each_row_but_those_of_the_test_part_validates_once_in_each_repetition(kind: str, folds: int) -> None:
    y = np.random.default_rng(1).integers(3, size=150)
    group = np.random.default_rng(2).integers(40, size=150)
    data = {
        "stratified": labeled(y),
        "random": numbers(150),
        "grouped": labeled(y, groups=group),
        "marked": labeled(y, part=np.where(np.arange(150) < 30, "test", "train")),
    }[kind]
    repetitions = [split_folds(data, settings(folds=folds), repetition) for repetition in (0, 1)]
    for repetition in repetitions:
        for parts in repetition:
            assert_parts(parts, 150)
            assert np.array_equal(parts.test, repetitions[0][0].test)
            assert parts.test_train_ratio == len(parts.validation) / len(parts.train)
            if kind == "grouped":
                groups = [set(group[getattr(parts, part)]) for part in PARTS]
                assert sum(map(len, groups)) == len(set(group))
        validated = np.sort(np.concatenate([parts.validation for parts in repetition]))
        assert np.array_equal(validated, np.setdiff1d(np.arange(150), repetition[0].test))
    assert not np.array_equal(repetitions[0][0].validation, repetitions[1][0].validation)
    assert repetitions[0][0].facts["fold"] == 0
    facts = repetitions[1][1].facts
    assert facts | {"folds": folds, "fold": 1, "repetition": 1} == facts


@pytest.mark.parametrize("case", range(10))
def test_folds_are_of_equal_size_and_have_the_classes_in_their_shares(case: int) -> None:
    y, _ = random_case(case)
    splits = split_folds(labeled(y), settings(folds=4))
    for counts in (
        [len(parts.validation) for parts in splits],
        *([np.sum(y[parts.validation] == label) for parts in splits] for label in np.unique(y)),
    ):
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("case", range(10))
def test_grouped_folds_are_of_nearly_equal_size(case: int) -> None:
    data, group = grouped_case(case)
    splits = split_folds(data, settings(folds=3))
    rest = len(group) - len(splits[0].test)
    for parts in splits:
        assert abs(len(parts.validation) - rest / 3) < 6  # half of the largest group
        assert data.y is not None
        assert set(data.y[parts.validation]) == {0, 1, 2}


def test_folds_do_not_change_the_test_part() -> None:
    for data in (labeled(np.arange(3).repeat(40)), numbers(120), numbers(120, time=np.arange(120))):
        tests = [split_dataset(data, settings(folds=folds), 0).test for folds in (1, 3, 5)]
        assert all(np.array_equal(test, tests[0]) for test in tests)


def test_equal_seeds_repeat_folds_and_other_seeds_differ() -> None:
    data = labeled(np.arange(3).repeat(40))
    first, again, other = (split_dataset(data, settings(folds=5), seed, fold=2, repetition=3) for seed in (0, 0, 1))
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_train_size_applies_in_each_fold() -> None:
    data = labeled(np.arange(3).repeat(40))
    whole, few = split_folds(data, settings(folds=5)), split_folds(data, settings(folds=5, train_size=12))
    for parts, others in zip(few, whole, strict=True):
        assert (len(parts.train), parts.test_train_ratio) == (12, len(parts.validation) / 12)
        assert set(parts.train) <= set(others.train)
        assert np.array_equal(parts.validation, others.validation)


def test_train_size_draws_other_rows_in_each_fold() -> None:
    data = numbers(125)  # 100 for the folds, so 80 train in each
    whole, few = split_folds(data, settings(folds=5)), split_folds(data, settings(folds=5, train_size=20))
    places = [np.searchsorted(others.train, parts.train) for parts, others in zip(few, whole, strict=True)]
    assert not np.array_equal(places[0], places[1])


def test_by_hand_folds_in_the_order_of_time_are_an_expanding_window() -> None:
    data = numbers(10, time=np.arange(10)[::-1])  # row 9 is the first
    splits = split_folds(data, settings(folds=3))
    assert [parts.test.tolist() for parts in splits] == [[0, 1]] * 3
    assert [parts.train.tolist() for parts in splits] == [[8, 9], [6, 7, 8, 9], [4, 5, 6, 7, 8, 9]]
    assert [parts.validation.tolist() for parts in splits] == [[6, 7], [4, 5], [2, 3]]


@pytest.mark.parametrize("case", range(20))
def test_folds_in_the_order_of_time_keep_ties_together(case: int) -> None:
    time = np.random.default_rng(case).integers(0, 12, size=80)
    shares = settings(folds=4)
    splits = split_folds(numbers(80, time=time), shares)
    for parts, later in itertools.pairwise(splits):
        assert time[parts.train].max() < time[parts.validation].min()
        assert time[parts.validation].max() < time[parts.test].min()
        assert set(later.train) == set(parts.train) | set(parts.validation)
