"""Splits: parts that never overlap, classes in proportion, equal rows, facts, and what cannot be split."""

from __future__ import annotations

import hashlib
import json
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


def random_case(case: int) -> tuple[np.ndarray, SplitConfig]:
    """Return labels and shares drawn from seed ``case``; every class has at least 10 rows."""
    random = np.random.default_rng(case)
    counts = random.integers(10, 60, size=random.integers(2, 8))
    y = random.permutation(np.repeat(np.arange(len(counts)), counts))
    validation, test = random.uniform(0.15, 0.35, size=2)
    return y, settings(1 - validation - test, validation, test)


def targets(y: np.ndarray, task: str) -> Any:
    """Return the labels, or for a regression a different number for each row."""
    return y if task == "classification" else y + np.linspace(0.1, 0.9, len(y))


def assert_parts(parts: Split, rows: int) -> None:
    """Assert that every part is sorted and not empty, and that each row is in exactly one part."""
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in (parts.train, parts.validation, parts.test):
        assert len(part)
        assert np.all(np.diff(part) > 0)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("case", range(40))
def test_parts_are_sorted_do_not_overlap_and_are_everything(case: int, task: str) -> None:
    y, shares = random_case(case)
    parts = split_dataset(labeled(targets(y, task)), shares, case)
    assert_parts(parts, len(y))
    assert len(parts.test) == round(shares.test * len(y))
    assert len(parts.validation) == round(shares.validation * len(y))
    assert parts.facts["kind"] == ("stratified" if task == "classification" else "random")


@pytest.mark.parametrize("case", range(40))
def test_each_class_has_its_share_in_each_part(case: int) -> None:
    y, shares = random_case(case)
    parts = split_dataset(labeled(y), shares, case)
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
    data = labeled(np.arange(3).repeat(40))
    first, again, other = (split_dataset(data, settings(), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.train, again.train)
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("size", [3, 20, 71, 72])
def test_train_size_keeps_rows_of_the_training_part_and_leaves_the_others(size: int, task: str) -> None:
    y = np.repeat([0, 1, 2], [80, 30, 10])
    data = labeled(targets(y, task))
    whole, few = split_dataset(data, settings(), 0), split_dataset(data, settings(train_size=size), 0)
    assert len(few.train) == size
    assert set(few.train) <= set(whole.train)
    assert np.array_equal(few.validation, whole.validation)
    assert np.array_equal(few.test, whole.test)
    if task == "classification":
        assert set(y[few.train]) == {0, 1, 2}


def test_three_rows_of_a_class_go_one_into_each_part() -> None:
    y = np.repeat([0, 1], [500, 3])
    parts = split_dataset(labeled(y), settings(), 0)
    assert [int(np.sum(y[part] == 1)) for part in (parts.train, parts.validation, parts.test)] == [1, 1, 1]


def test_equal_rows_are_counted_and_kept_together_when_asked() -> None:
    x = np.arange(40).repeat(3)[:, np.newaxis]  # 40 triplets
    data = from_arrays(x, np.arange(40).repeat(3) % 2)
    anywhere, together = (split_dataset(data, settings(duplicates=word), 0) for word in ("anywhere", "together"))
    assert anywhere.facts["kind"] == "stratified"
    values = [{int(value) for value in x[getattr(anywhere, part), 0]} for part in PARTS]
    divided = {value for value in range(40) if sum(value in part for part in values) > 1}
    assert anywhere.facts["duplicates"] == 3 * len(divided) > 0
    assert together.facts["duplicates"] == 0
    assert_parts(together, 120)
    assert [len(getattr(together, part)) for part in PARTS] == [72, 24, 24]


def test_without_equal_rows_the_option_changes_nothing() -> None:
    data = labeled(np.arange(3).repeat(40))
    one, other = (split_dataset(data, settings(duplicates=word), 0) for word in ("anywhere", "together"))
    assert np.array_equal(one.test, other.test)
    assert other.facts["kind"] == "stratified"


def test_facts_are_plain_and_hash_the_rows() -> None:
    parts = split_dataset(labeled(np.arange(3).repeat(40)), settings(), 0)
    facts = json.loads(json.dumps(parts.facts, allow_nan=False))
    for part in PARTS:
        content = np.asarray(getattr(parts, part), dtype="<i8").tobytes()
        assert facts["hashes"][part] == hashlib.blake2b(content, digest_size=8).hexdigest()
    assert facts | {"kind": "stratified", "marked": [], "folds": 1, "duplicates": 0} == facts


FEW = ["a"] * 20 + ["b"] * 20
DATES = [f"2024-01-{day + 1:02d}" for day in range(30)]


@pytest.mark.parametrize(
    ("data", "shares", "message"),
    [
        (labeled(["a"] * 9 + ["b"]), settings(), "the class b occurs only once; training, validation"),
        (labeled(["a"] * 9 + ["b", "c", "b"]), settings(), "the class b occurs only twice, and so do 1 mo"),
        (labeled([0, 0, 0, 1, 1, 1]), settings(0.7, 0.15, 0.15), "split.test: 1 rows cannot hold all 2"),
        (labeled([0, 0, 0, 1, 1, 1]), settings(0.4, 0.1, 0.5), "split.test: 3 rows leave too few"),
        (numbers(2), settings(), "data: 2 rows are too few for training, validation and test; at least 3 are needed"),
        (numbers(3), settings(), "data: 3 rows are too few to split into three parts; at least 2 must train"),
        (labeled([0, 1] * 50), settings(train_size=61), "training part has 60 rows, received 61"),
        (labeled([0, 1, 2] * 20), settings(train_size=2), "split.train_size: 2 rows cannot hold all 3"),
        (numbers(40), settings(label_noise=0.1), "split.label_noise: needs classes, this is regression"),
        (
            labeled([*FEW, *"cccc"]),
            settings(folds=5),
            r"c occurs only 4 times; the test part and 5 folds \(split.folds\)",
        ),
        (
            numbers(12),
            settings(folds=12),
            r"12 rows are too few for the test part and 12 folds .*; at least 13 are needed",
        ),
        (
            labeled(FEW, groups=[1, 2] * 20),
            settings(),
            "data.group: 2 groups are too few for training, validation and",
        ),
        (numbers(40, groups=[1, 2, 3, 4] * 10), settings(folds=4), "4 groups are too few .* at least 5 are needed"),
        (
            labeled(FEW, groups=[1, 2, 3, 4] * 5 + [5] * 20),
            settings(),
            r"data.group: the class b occurs in 1 group only; .* 3 in all, so drop it or merge it with others",
        ),
        (
            labeled(FEW, groups=[1, 2, 3, 4] * 5 + [5, 6, 7, 8, 1] * 4),
            settings(folds=5),
            "the class a occurs in 4 groups only; .* 6 in all",
        ),
        (numbers(30, groups=[1, 2, 3] * 10, time=DATES), settings(), "data: group and time cannot both rule a split"),
        (
            from_arrays(np.zeros((30, 1)), [0, 1] * 15, time=DATES),
            settings(duplicates="together"),
            "split.duplicates: together and data.time cannot both rule a split",
        ),
        (
            numbers(30, time=DATES[:2] * 15),
            settings(),
            "data.time: the rows have 2 different times; .* need 3 at least",
        ),
        (numbers(30, time=DATES[:3] * 10), settings(folds=4), "the rows have 3 different times; .* need 5 at least"),
        (
            labeled(["a"] * 15 + ["a", "b"] * 7 + ["b"], time=DATES),
            settings(0.4, 0.3, 0.3),
            r"the class b \(8 rows\) first occurs after the training part ends; .* let some of its rows train, or drop",
        ),
        (
            numbers(40, part=["train", "validation"] * 20),
            settings(),
            "data.part: no row is marked 'test' and none is l",
        ),
        (
            numbers(40, part=["test", "validation"] * 20),
            settings(),
            "data.part: every row is marked 'validation' or 't",
        ),
        (
            numbers(40, part=["train", "validation", "test", "train"] * 10),
            settings(folds=5),
            "split.folds: 5 folds validate in turn, but the data marks 10 rows for validation; mark them for training",
        ),
        (
            labeled(["a"] * 30 + ["b"] * 10, part=["train"] * 20 + ["validation"] * 5 + ["test"] * 15),
            settings(),
            r"the class b \(10 rows\) is marked for other parts; a model cannot learn it",
        ),
        (
            labeled([0, 1] * 20, part=[""] * 37 + ["test"] * 3, groups=np.arange(20).repeat(2)),
            settings(),
            r"data.part: rows 37 \((train|validation)\) and 38 \(test\) are of one group, or equal; 1 groups are",
        ),
        (
            numbers(30, part=["test"] * 10 + ["train"] * 10 + ["validation"] * 10, time=DATES),
            settings(),
            "data.part: the test part begins at 2024-01-01.*, before the validation part ends, at 2024-01-30",
        ),
        (
            labeled([*FEW, "c", "c"], part=[""] * 41 + ["test"]),
            settings(),
            "the class c occurs only once among the 41 rows to divide; training, validation and test need each class",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_impossible_splits_are_rejected(data: Dataset, shares: SplitConfig, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_dataset(data, shares, 0)


@pytest.mark.parametrize(
    ("folds", "fold", "repetition"), [(1, 1, 0), (1, 1, 1), (1, 0, -1), (3, 3, 0), (3, -1, 0), (3, 0, -1)]
)
def test_a_fold_that_is_not_there_is_rejected(folds: int, fold: int, repetition: int) -> None:
    with pytest.raises(InputError, match=f"split.folds: {folds} folds have no fold {fold} of repetition {repetition}"):
        split_dataset(labeled([0, 1] * 50), settings(folds=folds), 0, fold=fold, repetition=repetition)
