"""Redrawn splits: the test rows stay, the others change places, and everything that rules a split rules each draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.core import InputError
from regzoo.core.seeds import generator
from regzoo.data.dataset import Dataset
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold, prepare_folds
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.split import split_dataset

PARTS = ("train", "validation", "test")
COUNT = 6


def stratified(random: np.random.Generator, rows: int) -> Dataset:
    return from_arrays(random.normal(size=(rows, 3)), random.integers(random.integers(2, 5), size=rows))


def grouped(random: np.random.Generator, rows: int) -> Dataset:
    groups = random.integers(rows // 3, size=rows)
    return from_arrays(random.normal(size=(rows, 3)), random.integers(2, size=rows), groups=groups)


def doubled(random: np.random.Generator, rows: int) -> Dataset:
    """Return data in which every other row has a twin."""
    originals = np.where(np.arange(rows) < rows // 4, np.arange(rows) + rows // 4, np.arange(rows))
    x, y = random.normal(size=(rows, 3)), random.integers(2, size=rows)
    order = random.permutation(rows)
    return from_arrays(x[originals][order], y[originals][order])


def weighted(random: np.random.Generator, rows: int) -> Dataset:
    weight = random.uniform(0.5, 2, size=rows)
    return from_arrays(random.normal(size=(rows, 3)), random.integers(2, size=rows), sample_weight=weight)


def multilabel(random: np.random.Generator, rows: int) -> Dataset:
    y = pd.DataFrame(random.random((rows, 3)) < 0.3, columns=["a", "b", "c"])
    return from_arrays(random.normal(size=(rows, 2)), y)


def regression(random: np.random.Generator, rows: int) -> Dataset:
    return from_arrays(random.normal(size=(rows, 3)), random.normal(size=rows))


def images(random: np.random.Generator, rows: int) -> Dataset:
    return from_arrays(random.integers(256, size=(rows, 4, 4, 1)), random.integers(3, size=rows))


def reconstruction(random: np.random.Generator, rows: int) -> Dataset:
    return from_arrays(random.normal(size=(rows, 3)), None)


def with_marked_test(random: np.random.Generator, rows: int) -> Dataset:
    part = np.where(random.random(rows) < 0.2, "test", "")
    return from_arrays(random.normal(size=(rows, 3)), random.integers(2, size=rows), part=part)


def with_marked_train_and_test(random: np.random.Generator, rows: int) -> Dataset:
    part = np.where(random.random(rows) < 0.2, "test", "train")
    return from_arrays(random.normal(size=(rows, 3)), random.integers(2, size=rows), part=part)


KINDS: dict[Callable[[np.random.Generator, int], Dataset], dict[str, Any]] = {
    stratified: {},
    grouped: {},
    doubled: {"duplicates": "together"},
    weighted: {},
    multilabel: {},
    regression: {},
    images: {},
    reconstruction: {},
    with_marked_test: {},
    with_marked_train_and_test: {},
}


def redraw(data: Dataset, settings: SplitConfig, count: int = COUNT) -> list[PreparedData]:
    prepared = prepare_folds(data, settings, 0, count=count, redraw=True)
    return [prepared, *prepared.folds]


def rows_of(fold: PreparedData) -> dict[str, np.ndarray]:
    return {part: getattr(fold.split, part) for part in PARTS}


@pytest.mark.parametrize("case", range(3))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_draw_divides_the_rows_outside_the_test_part(
    kind: Callable[[np.random.Generator, int], Dataset], case: int
) -> None:
    random = generator(case, kind.__name__)
    data = kind(random, int(random.integers(90, 140)))
    validation, test = random.uniform(0.15, 0.3, size=2)
    settings = SplitConfig(train=1 - validation - test, validation=validation, test=test, **KINDS[kind])
    folds = redraw(data, settings)
    first = rows_of(folds[0])
    rest = np.setdiff1d(np.arange(len(data.x)), first["test"])
    whole_groups = kind in (grouped, doubled)
    for number, fold in enumerate(folds):
        rows = rows_of(fold)
        assert np.array_equal(rows["test"], first["test"])
        assert np.array_equal(np.sort(np.concatenate([rows["train"], rows["validation"]])), rest)
        assert abs(len(rows["validation"]) - len(first["validation"])) <= (4 if whole_groups else 0)
        assert fold.split.facts | {"folds": 1, "fold": 0, "repetition": number} == fold.split.facts
        assert fold.split.facts["kind"] == folds[0].split.facts["kind"]
    assert len({rows_of(fold)["validation"].tobytes() for fold in folds}) == COUNT
    assert folds[0].test_train_ratio == pytest.approx(
        np.mean([len(rows_of(fold)["validation"]) / len(rows_of(fold)["train"]) for fold in folds])
    )


def test_rows_that_are_marked_for_training_never_validate() -> None:
    part = np.resize(["train", "", "", "test", ""], 120)
    data = from_arrays(generator("marks").normal(size=(120, 3)), np.arange(120) // 2 % 2, part=part)
    folds = redraw(data, SplitConfig())
    for fold in folds:
        assert set(part[fold.split.validation]) == {""}
        assert np.array_equal(fold.split.test, np.flatnonzero(part == "test"))
    assert len({fold.split.validation.tobytes() for fold in folds}) == COUNT


@pytest.mark.parametrize("kind", [stratified, images, with_marked_test], ids=lambda kind: kind.__name__)
def test_every_draw_has_each_class_equally_often(kind: Callable[[np.random.Generator, int], Dataset]) -> None:
    data = kind(generator("classes"), 120)
    assert data.y is not None
    counts = {
        tuple(np.unique(data.y[fold.split.validation], return_counts=True)[1]) for fold in redraw(data, SplitConfig())
    }
    assert len(counts) == 1


def test_every_draw_has_each_of_several_labels_about_equally_often() -> None:
    data = multilabel(generator("labels"), 120)
    counts = np.array([data.y[fold.split.validation].sum(0) for fold in redraw(data, SplitConfig())])  # type: ignore[index]
    assert np.all(np.ptp(counts, axis=0) <= 2)


@pytest.mark.parametrize("kind", [grouped, doubled], ids=lambda kind: kind.__name__)
def test_rows_that_belong_together_are_in_one_part_of_every_draw(
    kind: Callable[[np.random.Generator, int], Dataset],
) -> None:
    data = kind(generator("together"), 120)
    groups = data.content_codes if data.group is None else data.group
    for fold in redraw(data, SplitConfig(**KINDS[kind])):
        sets = [set(groups[rows].tolist()) for rows in rows_of(fold).values()]
        assert sum(map(len, sets)) == len(set(groups.tolist()))


def test_each_draw_is_standardized_by_its_own_training_rows_and_keeps_the_weights() -> None:
    data = weighted(generator("weights"), 100)
    assert isinstance(data.x, np.ndarray)
    assert data.weight is not None
    folds = redraw(data, SplitConfig())
    for fold in folds:
        assert fold.weights is not None
        for part, rows in rows_of(fold).items():
            np.testing.assert_array_equal(fold.weights[part], data.weight[rows])
            np.testing.assert_array_equal(getattr(fold, part)[0], fold.preprocessor.transform(data.x[rows]))
        assert fold.preprocessor.mean == tuple(
            data.x[fold.split.train].astype(np.float32).astype(np.float64).mean(0).tolist()
        )
    assert len({fold.preprocessor.mean for fold in folds}) == COUNT


def test_the_training_subset_and_the_wrong_labels_are_drawn_with_each() -> None:
    data = stratified(generator("subset"), 150)
    assert data.y is not None
    folds = redraw(data, SplitConfig(train_size=40, label_noise=0.25))
    whole = redraw(data, SplitConfig())
    wrong = []
    for fold, other in zip(folds, whole, strict=True):
        assert np.array_equal(fold.split.validation, other.split.validation)
        assert len(fold.split.train) == 40
        assert set(fold.split.train) <= set(other.split.train)
        wrong.append(np.flatnonzero(fold.train[1] != fold.preprocessor.encode_targets(data.y[fold.split.train])))
        assert len(wrong[-1]) == 10
    assert len({tuple(places) for places in wrong}) == COUNT


def test_draws_repeat_and_the_first_is_the_split_that_does_not_vary() -> None:
    data = stratified(generator("first"), 100)
    settings = SplitConfig(train_size=30, label_noise=0.2)
    folds, again, fewer = redraw(data, settings), redraw(data, settings), redraw(data, settings, 2)
    plain = prepare_fold(data, settings, 0)
    for part in PARTS:
        for one, other in zip(getattr(folds[0], part), getattr(plain, part), strict=True):
            assert one.tobytes() == other.tobytes()
    for one, other in [*zip(folds, again, strict=True), *zip(folds, fewer, strict=False)]:
        assert one.split.facts == other.split.facts
    other_seed = split_dataset(data, settings, 1, repetition=1)
    assert not np.array_equal(other_seed.validation, folds[1].split.validation)


def test_folds_are_the_same_with_and_without_the_split_in_vary() -> None:
    data = stratified(generator("folds"), 100)
    plain, varied = (prepare_folds(data, SplitConfig(folds=3), 0, count=4, redraw=redraw) for redraw in (False, True))
    assert [fold.facts for fold in (plain, *plain.folds)] == [fold.facts for fold in (varied, *varied.folds)]


X = np.arange(60.0)[:, np.newaxis]
Y = np.arange(60) % 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (from_arrays(X, Y, time=np.arange(60)), r"vary: split draws new .* data\.time .* set split\.folds .* or leave"),
        (
            from_arrays(X, Y, part=np.where(np.arange(60) < 12, "validation", "")),
            "the data marks 12 rows for validation; mark them for training, or leave split out of vary",
        ),
        (
            from_arrays(X, Y, part=np.repeat(["train", "validation", "test"], 20)),
            "the data marks 20 rows for validation",
        ),
        (
            from_arrays(X, Y, groups=np.repeat([0, 1, 2], [40, 4, 16])),
            "vary: all 6 splits have the same validation rows, .* collect more, or leave split out of vary",
        ),
    ],
    ids=["time", "validation", "all parts", "three groups"],
)
def test_what_cannot_be_redrawn_is_refused_with_the_way_out(data: Dataset, message: str) -> None:
    prepare_fold(data, SplitConfig(), 0)
    with pytest.raises(InputError, match=message):
        redraw(data, SplitConfig())


def test_few_possible_draws_are_a_warning() -> None:
    data = from_arrays(X, Y, groups=np.arange(60) // 12)  # one of five tests, one of four validates
    folds = redraw(data, SplitConfig(), 8)
    assert folds[0].facts["warnings"][-1].startswith("8 replicates have 4 different splits")
    assert not any(
        "different splits" in warning
        for warning in redraw(stratified(generator(0), 90), SplitConfig())[0].facts["warnings"]
    )


def test_a_draw_that_cannot_train_says_which_and_how_to_go_on() -> None:
    """The only row that differs trains in the first draw, and validates in another."""
    marks = (from_arrays(pd.DataFrame({"mark": np.where(np.arange(60) == row, "yes", "no")}), Y) for row in range(60))
    first = prepare_fold(from_arrays(X, Y), SplitConfig(), 0).split
    data = next(data for row, data in enumerate(marks) if row in first.train)
    with pytest.raises(InputError, match=r"\(so in the split that replicate \d+ draws; or leave split out of vary\)"):
        redraw(data, SplitConfig(), 20)
