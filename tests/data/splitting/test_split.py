"""The split: parts that never overlap, classes in proportion, groups whole, time in order, folds that take turns."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from regzoo.config import SplitConfig as Settings
from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.label_noise import flip_labels
from regzoo.data.splitting.split import Split, split_dataset

PARTS = ("train", "validation", "test")


def settings(train: float = 0.6, validation: float = 0.2, test: float = 0.2, **more: Any) -> Settings:
    return Settings(train=train, validation=validation, test=test, **more)


def labelled(y: Any, **roles: Any) -> Dataset:
    """A data set of which only the targets (and roles) matter: the inputs are the row numbers."""
    return from_arrays(np.arange(len(y))[:, np.newaxis], y, **roles)


def numbers(rows: int, **roles: Any) -> Dataset:
    """A regression of so many rows."""
    return labelled(np.random.default_rng(0).normal(size=rows), **roles)


def random_case(case: int) -> tuple[np.ndarray, Settings]:
    """Labels and shares drawn from seed ``case``; every class has at least 10 rows."""
    random = np.random.default_rng(case)
    counts = random.integers(10, 60, size=random.integers(2, 8))
    y = random.permutation(np.repeat(np.arange(len(counts)), counts))
    validation, test = random.uniform(0.15, 0.35, size=2)
    return y, settings(1 - validation - test, validation, test)


def targets(y: np.ndarray, task: str) -> Any:
    """The labels, or for a regression a number of its own for each row."""
    return y if task == "classification" else y + np.linspace(0.1, 0.9, len(y))


def assert_parts(parts: Split, rows: int) -> None:
    """Every part is sorted and not empty, no row is in two, none is left out."""
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in (parts.train, parts.validation, parts.test):
        assert len(part)
        assert np.all(np.diff(part) > 0)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("case", range(40))
def test_parts_are_sorted_do_not_overlap_and_are_everything(case: int, task: str) -> None:
    y, shares = random_case(case)
    parts = split_dataset(labelled(targets(y, task)), shares, case)
    assert_parts(parts, len(y))
    assert len(parts.test) == round(shares.test * len(y))
    assert len(parts.validation) == round(shares.validation * len(y))
    assert parts.facts["kind"] == ("stratified" if task == "classification" else "random")


@pytest.mark.parametrize("case", range(40))
def test_each_class_has_its_share_in_each_part(case: int) -> None:
    y, shares = random_case(case)
    parts = split_dataset(labelled(y), shares, case)
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
    data = labelled(np.arange(3).repeat(40))
    first, again, other = (split_dataset(data, settings(), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.train, again.train)
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("size", [3, 20, 71, 72])
def test_train_size_keeps_rows_of_the_training_part_and_leaves_the_others(size: int, task: str) -> None:
    y = np.repeat([0, 1, 2], [80, 30, 10])
    data = labelled(targets(y, task))
    whole, few = split_dataset(data, settings(), 0), split_dataset(data, settings(train_size=size), 0)
    assert len(few.train) == size
    assert set(few.train) <= set(whole.train)
    assert np.array_equal(few.validation, whole.validation)
    assert np.array_equal(few.test, whole.test)
    if task == "classification":
        assert set(y[few.train]) == {0, 1, 2}


def test_three_rows_of_a_class_go_one_into_each_part() -> None:
    y = np.repeat([0, 1], [500, 3])
    parts = split_dataset(labelled(y), settings(), 0)
    assert [int(np.sum(y[part] == 1)) for part in (parts.train, parts.validation, parts.test)] == [1, 1, 1]


# Groups


def grouped_case(case: int) -> tuple[Dataset, np.ndarray]:
    """30 to 90 groups of 1 to 12 rows whose classes lean to one of 3, in random order; drawn from seed ``case``."""
    random = np.random.default_rng(case)
    sizes = random.integers(1, 13, size=random.integers(30, 90))
    group = np.arange(len(sizes)).repeat(sizes)
    leaning = random.integers(3, size=len(sizes)).repeat(sizes)
    y = np.where(random.random(len(group)) < 0.6, leaning, random.integers(3, size=len(group)))
    order = random.permutation(len(group))
    names = np.array([f"p{number}" for number in group])
    return labelled(y[order], groups=names[order]), group[order]


@pytest.mark.parametrize("case", range(30))
def test_no_group_is_in_two_parts_and_shares_are_nearly_met(case: int) -> None:
    data, group = grouped_case(case)
    parts = split_dataset(data, settings(), case)
    assert_parts(parts, len(group))
    held = [set(group[getattr(parts, part)]) for part in PARTS]
    assert sum(map(len, held)) == len(set(group))
    assert parts.facts["groups"] == dict(zip(PARTS, map(len, held), strict=True))
    assert parts.facts["kind"] == "grouped"
    for part, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        rows = getattr(parts, part)
        # Of two places for a group, the nearer is off by half its rows: 6 for the largest. A random deal of these
        # groups is off by 22 rows of a 20 % part: sqrt(60 groups * 0.2 * 0.8 * 54), 54 the mean squared size.
        assert abs(len(rows) - share * len(group)) < 6
        for label in range(3):
            assert abs(np.sum(data.y[rows] == label) - share * np.sum(data.y == label)) < 6


def test_groups_of_one_row_each_are_as_good_as_none() -> None:
    y = np.repeat([0, 1, 2], [60, 30, 10])
    parts = split_dataset(labelled(y, groups=np.arange(100)), settings(), 0)
    for part, counts in zip(PARTS, ([36, 18, 6], [12, 6, 2], [12, 6, 2]), strict=True):
        assert np.bincount(y[getattr(parts, part)]).tolist() == counts


def test_by_hand_three_groups_go_one_into_each_part() -> None:
    y, group = np.array([0, 1] * 6), np.repeat(["a", "b", "c"], [8, 2, 2])
    for seed in range(10):
        parts = split_dataset(labelled(y, groups=group), settings(), seed)
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
    data = labelled(["a"] * 9 + ["b"])  # too rare a class
    assert split_dataset(data, settings(), 0, "reconstruction").facts["kind"] == "random"
    with pytest.raises(InputError, match="the class b occurs only once"):
        split_dataset(data, settings(), 0)


def test_inputs_without_targets_are_split_and_have_duplicates() -> None:
    data = from_arrays(np.arange(60)[:, np.newaxis] // 2, None, groups=np.arange(60) // 2)
    parts = split_dataset(data, settings(), 0)
    assert_parts(parts, 60)
    assert (parts.facts["kind"], parts.facts["duplicates"]) == ("grouped", 0)
    assert data.content_codes.tolist() == (np.arange(60) // 2).tolist()


# Equal rows


def test_equal_rows_are_counted_and_kept_together_when_asked() -> None:
    x = np.arange(40).repeat(3)[:, np.newaxis]  # 40 triplets
    data = from_arrays(x, np.arange(40).repeat(3) % 2)
    anywhere, together = (split_dataset(data, settings(duplicates=word), 0) for word in ("anywhere", "together"))
    assert anywhere.facts["kind"] == "stratified"
    held = [{int(value) for value in x[getattr(anywhere, part), 0]} for part in PARTS]
    parted = {value for value in range(40) if sum(value in part for part in held) > 1}
    assert anywhere.facts["duplicates"] == 3 * len(parted) > 0
    assert together.facts["duplicates"] == 0
    assert_parts(together, 120)
    assert [len(getattr(together, part)) for part in PARTS] == [72, 24, 24]


def test_without_equal_rows_the_option_changes_nothing() -> None:
    data = labelled(np.arange(3).repeat(40))
    one, other = (split_dataset(data, settings(duplicates=word), 0) for word in ("anywhere", "together"))
    assert np.array_equal(one.test, other.test)
    assert other.facts["kind"] == "stratified"


# Time


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


# Parts that come with the data


def test_marked_rows_are_their_part_and_the_rest_is_drawn() -> None:
    y = np.repeat([0, 1], [60, 40])
    part = np.array([""] * 100, dtype="U10")
    part[[0, 1, 60, 61]] = "test"
    parts = split_dataset(labelled(y, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert parts.test.tolist() == [0, 1, 60, 61]
    # a quarter of the 96 rows: 0.2 / (0.6 + 0.2); by class 58 : 38, so 14.5 and 9.5
    assert len(parts.validation) == 24
    assert np.bincount(y[parts.validation]).tolist() in ([14, 10], [15, 9])
    assert parts.facts["marked"] == ["test"]


def test_all_three_parts_may_be_marked() -> None:
    part = np.random.default_rng(0).permutation(np.repeat(["train", "validation", "test"], [50, 20, 30]))
    parts = split_dataset(labelled([0, 1] * 50, part=part), settings(), 0)
    for name in PARTS:
        assert np.array_equal(getattr(parts, name), np.flatnonzero(part == name))


def test_without_a_marked_validation_part_it_comes_from_the_open_rows_or_else_from_training() -> None:
    part = np.repeat(["train", "", "test"], [40, 40, 20])
    parts = split_dataset(labelled([0, 1] * 50, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert set(part[parts.validation]) == {""}
    assert len(parts.validation) == 20  # a quarter of the 80
    part[part == ""] = "train"
    parts = split_dataset(labelled([0, 1] * 50, part=part), settings(), 0)
    assert (set(part[parts.validation]), len(parts.validation)) == ({"train"}, 20)


def test_with_a_marked_validation_part_the_test_part_is_drawn_from_open_rows() -> None:
    part = np.repeat(["validation", ""], [20, 80])
    parts = split_dataset(labelled([0, 1] * 50, part=part), settings(), 0)
    assert_parts(parts, 100)
    assert np.array_equal(parts.validation, np.arange(20))
    assert len(parts.test) == 20


def test_marks_go_with_groups_and_time() -> None:
    part = np.repeat(["", "test"], [80, 20])
    group = np.arange(20).repeat(5)
    parts = split_dataset(labelled([0, 1] * 50, part=part, groups=group), settings(), 0)
    assert (parts.test.tolist(), len(parts.validation)) == (list(range(80, 100)), 20)
    assert not set(group[parts.train]) & set(group[parts.validation])
    parts = split_dataset(numbers(100, part=part, time=np.arange(100)), settings(), 0)
    assert parts.validation.tolist() == list(range(60, 80))


def test_a_marked_test_part_may_lack_a_class_and_the_facts_say_so() -> None:
    y = np.array(["a", "b", "c"] * 30)
    parts = split_dataset(labelled(y, part=np.where(np.arange(90) == 0, "test", "")), settings(), 0)
    assert parts.facts["absent"] == {"test": ["b", "c"]}


# Folds


def folds_of(data: Dataset, shares: Settings, repetition: int = 0, seed: int = 0) -> list[Split]:
    return [split_dataset(data, shares, seed, fold=fold, repetition=repetition) for fold in range(shares.folds)]


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("kind", ["stratified", "random", "grouped", "marked"])
def test_each_row_but_those_of_the_test_part_validates_once_in_each_repetition(kind: str, folds: int) -> None:
    y = np.random.default_rng(1).integers(3, size=150)
    group = np.random.default_rng(2).integers(40, size=150)
    data = {
        "stratified": labelled(y),
        "random": numbers(150),
        "grouped": labelled(y, groups=group),
        "marked": labelled(y, part=np.where(np.arange(150) < 30, "test", "train")),
    }[kind]
    cuts = [folds_of(data, settings(folds=folds), repetition) for repetition in (0, 1)]
    for cut in cuts:
        for parts in cut:
            assert_parts(parts, 150)
            assert np.array_equal(parts.test, cuts[0][0].test)
            assert parts.test_train_ratio == len(parts.validation) / len(parts.train)
            if kind == "grouped":
                held = [set(group[getattr(parts, part)]) for part in PARTS]
                assert sum(map(len, held)) == len(set(group))
        validated = np.sort(np.concatenate([parts.validation for parts in cut]))
        assert np.array_equal(validated, np.setdiff1d(np.arange(150), cut[0].test))
    assert not np.array_equal(cuts[0][0].validation, cuts[1][0].validation)
    assert cuts[0][0].facts["fold"] == 0
    assert cuts[1][1].facts | {"folds": folds, "fold": 1, "repetition": 1} == cuts[1][1].facts


@pytest.mark.parametrize("case", range(10))
def test_folds_are_of_equal_size_and_have_the_classes_in_their_shares(case: int) -> None:
    y, _ = random_case(case)
    cut = folds_of(labelled(y), settings(folds=4))
    for counts in (
        [len(parts.validation) for parts in cut],
        *([np.sum(y[parts.validation] == label) for parts in cut] for label in np.unique(y)),
    ):
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("case", range(10))
def test_grouped_folds_are_nearly_so(case: int) -> None:
    data, group = grouped_case(case)
    cut = folds_of(data, settings(folds=3))
    rest = len(group) - len(cut[0].test)
    for parts in cut:
        assert abs(len(parts.validation) - rest / 3) < 6  # half of the largest group
        assert set(data.y[parts.validation]) == {0, 1, 2}


def test_folds_leave_the_test_part_as_it_is() -> None:
    for data in (labelled(np.arange(3).repeat(40)), numbers(120), numbers(120, time=np.arange(120))):
        tests = [split_dataset(data, settings(folds=folds), 0).test for folds in (1, 3, 5)]
        assert all(np.array_equal(test, tests[0]) for test in tests)


def test_folds_repeat_and_the_seed_decides() -> None:
    data = labelled(np.arange(3).repeat(40))
    first, again, other = (split_dataset(data, settings(folds=5), seed, fold=2, repetition=3) for seed in (0, 0, 1))
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.validation, other.validation)


def test_train_size_applies_in_each_fold() -> None:
    data = labelled(np.arange(3).repeat(40))
    whole, few = folds_of(data, settings(folds=5)), folds_of(data, settings(folds=5, train_size=12))
    for parts, others in zip(few, whole, strict=True):
        assert (len(parts.train), parts.test_train_ratio) == (12, len(parts.validation) / 12)
        assert set(parts.train) <= set(others.train)
        assert np.array_equal(parts.validation, others.validation)


def test_the_rows_that_train_size_keeps_are_drawn_anew_in_each_fold() -> None:
    data = numbers(125)  # 100 for the folds, so 80 train in each
    whole, few = folds_of(data, settings(folds=5)), folds_of(data, settings(folds=5, train_size=20))
    places = [np.searchsorted(others.train, parts.train) for parts, others in zip(few, whole, strict=True)]
    assert not np.array_equal(places[0], places[1])


def test_by_hand_folds_in_the_order_of_time_are_an_expanding_window() -> None:
    data = numbers(10, time=np.arange(10)[::-1])  # row 9 is the first
    cut = folds_of(data, settings(folds=3))
    assert [parts.test.tolist() for parts in cut] == [[0, 1]] * 3
    assert [parts.train.tolist() for parts in cut] == [[8, 9], [6, 7, 8, 9], [4, 5, 6, 7, 8, 9]]
    assert [parts.validation.tolist() for parts in cut] == [[6, 7], [4, 5], [2, 3]]


@pytest.mark.parametrize("case", range(20))
def test_folds_in_the_order_of_time_keep_ties_together(case: int) -> None:
    time = np.random.default_rng(case).integers(0, 12, size=80)
    shares = settings(folds=4)
    cut = folds_of(numbers(80, time=time), shares)
    for parts, later in itertools.pairwise(cut):
        assert time[parts.train].max() < time[parts.validation].min()
        assert time[parts.validation].max() < time[parts.test].min()
        assert set(later.train) == set(parts.train) | set(parts.validation)


# What reports say


def test_facts_are_plain_and_hash_the_rows() -> None:
    parts = split_dataset(labelled(np.arange(3).repeat(40)), settings(), 0)
    facts = json.loads(json.dumps(parts.facts, allow_nan=False))
    for part in PARTS:
        content = np.asarray(getattr(parts, part), dtype="<i8").tobytes()
        assert facts["hashes"][part] == hashlib.blake2b(content, digest_size=8).hexdigest()
    assert facts | {"kind": "stratified", "marked": [], "folds": 1, "duplicates": 0} == facts


# What is refused

FEW = ["a"] * 20 + ["b"] * 20
DATES = [f"2024-01-{day + 1:02d}" for day in range(30)]


@pytest.mark.parametrize(
    ("data", "shares", "message"),
    [
        (labelled(["a"] * 9 + ["b"]), settings(), "the class b occurs only once; training, validation"),
        (labelled(["a"] * 9 + ["b", "c", "b"]), settings(), "the class b occurs only twice, and so do 1 mo"),
        (labelled([0, 0, 0, 1, 1, 1]), settings(0.7, 0.15, 0.15), "split.test: 1 rows cannot hold all 2"),
        (labelled([0, 0, 0, 1, 1, 1]), settings(0.4, 0.1, 0.5), "split.test: 3 rows leave too few"),
        (numbers(2), settings(), "data: 2 rows are too few for training, validation and test; at least 3 are needed"),
        (numbers(3), settings(), "data: 3 rows are too few to split into three parts; at least 2 must train"),
        (labelled([0, 1] * 50), settings(train_size=61), "training part has 60 rows, received 61"),
        (labelled([0, 1, 2] * 20), settings(train_size=2), "split.train_size: 2 rows cannot hold all 3"),
        (numbers(40), settings(label_noise=0.1), "split.label_noise: needs classes, this is regression"),
        (
            labelled([*FEW, *"cccc"]),
            settings(folds=5),
            r"c occurs only 4 times; the test part and 5 folds \(split.folds\)",
        ),
        (
            numbers(12),
            settings(folds=12),
            r"12 rows are too few for the test part and 12 folds .*; at least 13 are needed",
        ),
        (
            labelled(FEW, groups=[1, 2] * 20),
            settings(),
            "data.group: 2 groups are too few for training, validation and",
        ),
        (numbers(40, groups=[1, 2, 3, 4] * 10), settings(folds=4), "4 groups are too few .* at least 5 are needed"),
        (
            labelled(FEW, groups=[1, 2, 3, 4] * 5 + [5] * 20),
            settings(),
            "data.group: the class b occurs in 1 group only; .* 3 in all, so drop it, merge it or leave group out",
        ),
        (
            labelled(FEW, groups=[1, 2, 3, 4] * 5 + [5, 6, 7, 8, 1] * 4),
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
            labelled(["a"] * 15 + ["a", "b"] * 7 + ["b"], time=DATES),
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
            labelled(["a"] * 30 + ["b"] * 10, part=["train"] * 20 + ["validation"] * 5 + ["test"] * 15),
            settings(),
            r"the class b \(10 rows\) is marked for other parts; a model cannot learn it",
        ),
        (
            labelled([0, 1] * 20, part=[""] * 37 + ["test"] * 3, groups=np.arange(20).repeat(2)),
            settings(),
            r"data.part: rows 37 \((train|validation)\) and 38 \(test\) are of one group, or equal; 1 groups are",
        ),
        (
            numbers(30, part=["test"] * 10 + ["train"] * 10 + ["validation"] * 10, time=DATES),
            settings(),
            "data.part: the test part begins at 2024-01-01.*, before the validation part ends, at 2024-01-30",
        ),
        (
            labelled([*FEW, "c", "c"], part=[""] * 41 + ["test"]),
            settings(),
            "the class c occurs only once among the 41 rows to divide; training, validation and test need each class",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_split_is_said(data: Dataset, shares: Settings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_dataset(data, shares, 0)


@pytest.mark.parametrize(("folds", "fold", "repetition"), [(1, 1, 0), (1, 0, 1), (3, 3, 0), (3, -1, 0), (3, 0, -1)])
def test_a_fold_that_is_not_there_is_refused(folds: int, fold: int, repetition: int) -> None:
    with pytest.raises(InputError, match=f"split.folds: {folds} folds have no fold {fold} of repetition {repetition}"):
        split_dataset(labelled([0, 1] * 50), settings(folds=folds), 0, fold=fold, repetition=repetition)


# Wrong labels


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


def tags(rows: int, rare: int, **roles: Any) -> Dataset:
    """Rows with a common label, and one that the first ``rare`` rows have."""
    return labelled(np.stack([np.arange(rows) % 2, np.arange(rows) < rare], axis=1).astype(int), **roles)


@pytest.mark.parametrize("seed", range(5))
def test_several_labels_have_their_shares_in_each_part(seed: int) -> None:
    data = tags(50, 20)
    parts = split_dataset(data, settings(), seed)
    assert [len(getattr(parts, part)) for part in PARTS] == [30, 10, 10]
    assert [data.y[getattr(parts, part)].sum(0).tolist() for part in PARTS] == [[15, 12], [5, 4], [5, 4]]
    assert parts.facts["kind"] == "stratified"
    kept = split_dataset(data, settings(train_size=10), seed)
    assert data.y[kept.train].sum(0).tolist() == [5, 4]
    assert np.array_equal(kept.test, parts.test)
    assert np.array_equal(kept.validation, parts.validation)


def test_folds_have_the_shares_of_several_labels() -> None:
    data = tags(50, 20)
    cuts = [split_dataset(data, settings(folds=4), 0, fold=fold) for fold in range(4)]
    assert sorted(np.concatenate([cut.validation for cut in cuts])) == sorted(np.setdiff1d(np.arange(50), cuts[0].test))
    assert [data.y[cut.validation].sum(0).tolist() for cut in cuts] == [[5, 4]] * 4
    again = split_dataset(data, settings(folds=4), 0, fold=3, repetition=1)
    assert not np.array_equal(again.validation, cuts[3].validation)
    assert np.array_equal(again.test, cuts[3].test)


def test_a_label_has_both_values_in_training() -> None:
    part = np.repeat(["test", "validation", "train"], [10, 10, 30])
    said = "data: the label '1' is false in all 30 training rows, and true in 4 of all 50 rows; a model cannot learn it"
    with pytest.raises(InputError, match=said):
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
