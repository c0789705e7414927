"""Splits of data that marks parts: marked rows stay in their part, the other rows are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def assert_parts(parts: Split, rows: int) -> None:
    """Assert that every part is sorted and not empty, and that each row is in exactly one part."""
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in (parts.train, parts.validation, parts.test):
        assert len(part)
        assert np.all(np.diff(part) > 0)


def test_marked_rows_are_their_part_and_the_rest_is_drawn() -> None:
    y = np.repeat([0, 1], [60, 40])
    part = np.array([""] * 100, dtype="U10")
    part[[0, 1, 60, 61]] = "test"
    parts = split_dataset(labeled(y, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert parts.test.tolist() == [0, 1, 60, 61]
    # a quarter of the 96 rows: 0.2 / (0.6 + 0.2); by class 58 : 38, so 14.5 and 9.5
    assert len(parts.validation) == 24
    assert np.bincount(y[parts.validation]).tolist() in ([14, 10], [15, 9])
    assert parts.facts["marked"] == ["test"]


def test_all_three_parts_may_be_marked() -> None:
    part = np.random.default_rng(0).permutation(np.repeat(["train", "validation", "test"], [50, 20, 30]))
    parts = split_dataset(labeled([0, 1] * 50, part=part), settings(), 0)
    for name in PARTS:
        assert np.array_equal(getattr(parts, name), np.flatnonzero(part == name))


def test_without_a_marked_validation_part_it_comes_from_the_open_rows_or_else_from_training() -> None:
    part = np.repeat(["train", "", "test"], [40, 40, 20])
    parts = split_dataset(labeled([0, 1] * 50, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert set(part[parts.validation]) == {""}
    assert len(parts.validation) == 20  # a quarter of the 80
    part[part == ""] = "train"
    parts = split_dataset(labeled([0, 1] * 50, part=part), settings(), 0)
    assert (set(part[parts.validation]), len(parts.validation)) == ({"train"}, 20)


def test_with_a_marked_validation_part_the_test_part_is_drawn_from_open_rows() -> None:
    part = np.repeat(["validation", ""], [20, 80])
    parts = split_dataset(labeled([0, 1] * 50, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert np.array_equal(parts.validation, np.arange(20))
    assert len(parts.test) == 20


def test_marks_go_with_groups_and_time() -> None:
    part = np.repeat(["", "test"], [80, 20])
    group = np.arange(20).repeat(5)
    parts = split_dataset(labeled([0, 1] * 50, part=part, groups=group), settings(), 0)
    assert (parts.test.tolist(), len(parts.validation)) == (list(range(80, 100)), 20)
    assert not set(group[parts.train]) & set(group[parts.validation])
    parts = split_dataset(numbers(100, part=part, time=np.arange(100)), settings(), 0)
    assert parts.validation.tolist() == list(range(60, 80))


def test_a_marked_test_part_may_lack_a_class_and_the_facts_say_so() -> None:
    y = np.array(["a", "b", "c"] * 30)
    parts = split_dataset(labeled(y, part=np.where(np.arange(90) == 0, "test", "")), settings(), 0)
    assert parts.facts["absent"] == {"test": ["b", "c"]}
