"""The split: parts that never overlap, classes in proportion, and wrong labels where they were asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.config import Split as Settings
from regzoo.data.split import flip, split
from regzoo.language.errors import InputError


def settings(train: float = 0.6, validation: float = 0.2, test: float = 0.2, **more: Any) -> Settings:
    return Settings(train=train, validation=validation, test=test, **more)


def random_case(case: int) -> tuple[np.ndarray, Settings]:
    """Labels and shares drawn from seed ``case``; every class has at least 10 rows."""
    random = np.random.default_rng(case)
    counts = random.integers(10, 60, size=random.integers(2, 8))
    y = random.permutation(np.repeat(np.arange(len(counts)), counts))
    validation, test = random.uniform(0.15, 0.35, size=2)
    return y, settings(1 - validation - test, validation, test)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("case", range(40))
def test_parts_are_sorted_do_not_overlap_and_are_everything(case: int, task: Any) -> None:
    y, shares = random_case(case)
    parts = split(y, shares, case, task)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(len(y)))
    for part in (parts.train, parts.validation, parts.test):
        assert np.all(np.diff(part) > 0)
    assert len(parts.test) == round(shares.test * len(y))
    assert len(parts.validation) == round(shares.validation * len(y))


@pytest.mark.parametrize("case", range(40))
def test_each_class_has_its_share_in_each_part(case: int) -> None:
    y, shares = random_case(case)
    parts = split(y, shares, case, "classification")
    for label, count in zip(*np.unique(y, return_counts=True), strict=True):
        # Largest remainder moves a class by less than 1 row in the test part. The validation part divides
        # what is left, so it inherits that row and adds its own; the training part inherits both.
        for part, share, rows in (
            (parts.test, shares.test, 1),
            (parts.validation, shares.validation, 2),
            (parts.train, shares.train, 3),
        ):
            # Part sizes are whole, which shifts every share by at most half a row of the part.
            assert abs(np.sum(y[part] == label) - share * count) < rows + 0.5


def test_the_seed_decides() -> None:
    y = np.arange(3).repeat(40)
    first, again, other = (split(y, settings(), seed, "classification") for seed in (0, 0, 1))
    assert np.array_equal(first.train, again.train)
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("size", [3, 20, 71, 72])
def test_train_size_keeps_rows_of_the_training_part_and_leaves_the_others(size: int, task: Any) -> None:
    y = np.repeat([0, 1, 2], [80, 30, 10])
    whole = split(y, settings(), 0, task)
    few = split(y, settings(train_size=size), 0, task)
    assert len(few.train) == size
    assert set(few.train) <= set(whole.train)
    assert np.array_equal(few.validation, whole.validation)
    assert np.array_equal(few.test, whole.test)
    if task == "classification":
        assert set(y[few.train]) == {0, 1, 2}


def test_three_rows_of_a_class_go_one_into_each_part() -> None:
    y = np.repeat([0, 1], [500, 3])
    parts = split(y, settings(), 0, "classification")
    assert [int(np.sum(y[part] == 1)) for part in (parts.train, parts.validation, parts.test)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("y", "shares", "task", "message"),
    [
        (
            ["a"] * 9 + ["b"],
            settings(),
            "classification",
            "the class b occurs only once; training, validation",
        ),
        (
            ["a"] * 9 + ["b", "c", "b"],
            settings(),
            "classification",
            "the class b occurs only twice, and so do 1 mo",
        ),
        (
            [0, 0, 0, 1, 1, 1],
            settings(0.7, 0.15, 0.15),
            "classification",
            "split.test: 1 rows cannot hold all 2",
        ),
        ([0, 0, 0, 1, 1, 1], settings(0.4, 0.1, 0.5), "classification", "split.test: 3 rows leave too few"),
        ([0.1, 0.2, 0.3], settings(), "regression", "3 rows are too few to split into three parts"),
        ([0, 1] * 50, settings(train_size=61), "classification", "training part has 60 rows, received 61"),
        (
            [0, 1, 2] * 20,
            settings(train_size=2),
            "classification",
            "split.train_size: 2 rows cannot hold all 3",
        ),
        ([0.1, 0.2] * 20, settings(label_noise=0.1), "regression", "split.label_noise: needs classes"),
    ],
)
def test_what_cannot_be_split_is_said(y: Any, shares: Settings, task: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split(np.array(y), shares, 0, task)


@pytest.mark.parametrize(("share", "wrong"), [(0.0, 0), (0.1, 12), (0.3, 36), (0.99, 119)])
def test_label_noise_changes_exactly_its_share(share: float, wrong: int) -> None:
    codes = np.arange(4).repeat(30)
    noisy = flip(codes, share, 4, seed=0)
    assert np.sum(noisy != codes) == wrong  # round(share * 120)
    assert noisy.min() >= 0
    assert noisy.max() <= 3


def test_wrong_labels_are_each_as_likely() -> None:
    noisy = flip(np.zeros(30_000, dtype=np.int64), 0.9, 4, seed=0)
    counts = np.bincount(noisy, minlength=4)
    assert counts[0] == 3_000
    # 27,000 draws of 3 classes: mean 9,000, standard deviation sqrt(27000 * 1/3 * 2/3) = 77.5; 4 of them.
    assert np.all(np.abs(counts[1:] - 9_000) < 310)


def test_label_noise_is_seeded_and_leaves_its_input() -> None:
    codes = np.arange(4).repeat(30)
    first, again, other = (flip(codes, 0.3, 4, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(codes, np.arange(4).repeat(30))
