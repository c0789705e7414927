"""Preprocessing: fitted on the training part only, exact in JSON, label noise in the training labels only."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold, prepare_folds
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.bundled import load_bundled
from regzoo.data.splitting.split import split_dataset


def prepare_iris(**settings: Any) -> PreparedData:
    return prepare_fold(load_bundled("iris"), SplitConfig(**settings), seed=0)


def repeat_rows(x: Any, y: Any) -> tuple[Dataset, Preprocessor]:
    """Return a data set that repeats its rows 20 times, so that any training part has all of them in equal shares."""
    data = from_arrays(np.tile(x, (20, *[1] * (np.ndim(x) - 1))), np.tile(y, 20))
    return data, prepare_fold(data, SplitConfig(), 0).preprocessor


def test_training_columns_have_mean_0_and_sd_1() -> None:
    x, _ = prepare_iris().train
    assert x.dtype == np.float32
    # float32 keeps 24 bits: each of the 90 numbers is off by at most
    # 2^-24 times its size (3) after each of two operations, and so is their mean.
    np.testing.assert_allclose(x.mean(axis=0, dtype=np.float64), 0, atol=3 * 2**-22)
    np.testing.assert_allclose(x.std(axis=0, dtype=np.float64), 1, atol=3 * 2**-22)


def test_mean_and_scale_are_those_of_the_training_rows() -> None:
    data = load_bundled("wine")
    rows = split_dataset(data, SplitConfig(train_size=50), 3).train
    preprocessor = prepare_fold(data, SplitConfig(train_size=50), 3).preprocessor
    assert isinstance(data.x, np.ndarray)
    x = data.x[rows].astype(np.float32).astype(np.float64)  # float32 keeps the differences, so it is served
    assert len(rows) == 50
    np.testing.assert_array_equal(preprocessor.mean, x.mean(axis=0))
    np.testing.assert_array_equal(preprocessor.scale, x.std(axis=0, ddof=0))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_extreme_values_in_another_part_change_nothing(part: str) -> None:
    data = load_bundled("diabetes")
    rows = getattr(split_dataset(data, SplitConfig(), 0), part)
    assert data.y is not None
    assert isinstance(data.x, np.ndarray)
    x, y = data.x.copy(), data.y.copy()
    x[rows] *= 1e6
    y[rows] += 1e6
    clean = prepare_fold(data, SplitConfig(), 0)
    poisoned = prepare_fold(Dataset(x, y, data.columns, data.name, data.target), SplitConfig(), 0)
    assert poisoned.preprocessor == clean.preprocessor
    assert np.array_equal(poisoned.train[0], clean.train[0])
    assert not np.array_equal(getattr(poisoned, part)[0], getattr(clean, part)[0])


@pytest.mark.parametrize("part", ["validation", "test"])
def test_extreme_cells_in_another_part_change_nothing(part: str) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": random.normal(size=60),
            "word": random.choice(["red", "green", "blue"], 60),
            "switch": random.random(60) < 0.5,
            "day": [f"2024-01-{1 + n % 28:02}" for n in range(60)],
        }
    )
    y = np.arange(60) % 3
    clean = prepare_fold(from_arrays(frame, y), SplitConfig(), 0)
    poisoned = frame.astype(object)
    rows = getattr(clean.split, part)
    poisoned.loc[rows[:8]] = [1e9, "new", None, "1900-01-01"]
    poisoned.loc[rows[8:]] = None
    other = prepare_fold(from_arrays(poisoned, y), SplitConfig(), 0)
    assert other.preprocessor == clean.preprocessor
    assert np.array_equal(other.train[0], clean.train[0])
    assert not np.array_equal(getattr(other, part)[0], getattr(clean, part)[0])


def test_a_constant_column_is_only_centered() -> None:
    _, preprocessor = repeat_rows([[0.1, 1.0], [0.1, 3.0]], ["a", "b"])
    assert preprocessor.scale == (1.0, 1.0)
    assert preprocessor.mean == pytest.approx((0.1, 2.0))  # 0.1 is rounded to float32
    assert preprocessor.mean[1] == 2.0
    x = np.array([[0.1, 5.0]], dtype=np.float32)
    np.testing.assert_array_equal(preprocessor.transform(x), [[0.0, 3.0]])


def test_images_are_standardized_by_channel() -> None:
    images = np.zeros((2, 2, 2, 2))
    images[0, :, :, 0] = 4.0  # channel 0: half 4, half 0: mean 2, sd 2
    images[..., 1] = 10.0  # channel 1: constant
    _, preprocessor = repeat_rows(images, [0, 1])
    assert (preprocessor.kind, preprocessor.input_shape) == ("images", (2, 2, 2))
    assert (preprocessor.mean, preprocessor.scale) == ((2.0, 10.0), (2.0, 1.0))


def test_labels_are_the_users_own_and_sorted() -> None:
    data, preprocessor = repeat_rows([[1.0], [2.0], [3.0]], ["pear", "apple", "fig"])
    assert preprocessor.labels == ("apple", "fig", "pear")
    assert (preprocessor.classes, preprocessor.outputs) == (3, 3)
    assert data.y is not None
    codes = preprocessor.encode_targets(data.y[:3])
    assert codes.dtype == np.int64
    assert codes.tolist() == [2, 0, 1]


@pytest.mark.parametrize("labels", [(3, 7), (False, True), (1.0, 2.0), ("1", "2")])
def test_labels_keep_their_type_through_json(labels: tuple[Any, ...]) -> None:
    _, preprocessor = repeat_rows([[1.0], [2.0]], list(labels))
    again = Preprocessor.from_json(preprocessor.to_json())
    assert again == preprocessor
    assert [(type(label), label) for label in again.labels] == [(type(label), label) for label in labels]


def test_regression_targets_are_standardized() -> None:
    data = load_bundled("diabetes")
    preprocessor = prepare_fold(data, SplitConfig(), 0).preprocessor
    assert data.y is not None
    y = data.y[split_dataset(data, SplitConfig(), 0).train]
    assert (preprocessor.target_mean, preprocessor.target_scale) == (y.mean(), y.std(ddof=0))
    assert (preprocessor.classes, preprocessor.outputs, preprocessor.labels) == (0, 1, ())
    simple = dataclasses.replace(preprocessor, target_mean=12.5, target_scale=2.0)
    targets = simple.encode_targets(np.array([10.5, 14.5]))
    assert targets.dtype == np.float32
    assert targets.tolist() == [[-1.0], [1.0]]


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes"])
def test_json_restores_an_equal_preprocessor_to_the_last_bit(name: str) -> None:
    preprocessor = prepare_fold(load_bundled(name), SplitConfig(), 0).preprocessor
    assert Preprocessor.from_json(preprocessor.to_json()) == preprocessor


def test_column_names_survive_json() -> None:
    frame = pd.DataFrame({"a": range(20), "b": range(20)})
    preprocessor = prepare_fold(from_arrays(frame, ["x", "y"] * 10), SplitConfig(), 0).preprocessor
    assert preprocessor.columns == ("a", "b")
    assert Preprocessor.from_json(preprocessor.to_json()) == preprocessor


def test_noise_is_in_the_training_labels_only() -> None:
    clean, noisy = prepare_iris(), prepare_iris(label_noise=0.3)
    assert np.sum(noisy.train[1] != clean.train[1]) == 27  # 30 % of 90
    for part in ("validation", "test"):
        assert np.array_equal(getattr(noisy, part)[1], getattr(clean, part)[1])
    assert np.array_equal(noisy.train[0], clean.train[0])


def test_what_makes_the_training_part_worse_is_a_warning() -> None:
    warnings = prepare_fold(load_bundled("iris"), SplitConfig(train_size=30, label_noise=0.2), 0).facts["warnings"]
    assert warnings[-2:] == [
        "iris: only 30 rows train, as split.train_size says",
        "iris: 6 of 30 training labels were made wrong, as split.label_noise says",
    ]
    warnings = prepare_fold(load_bundled("wine"), SplitConfig(), 0).facts["warnings"]
    assert not any("split." in warning for warning in warnings)


def test_held_out_rows_are_raw_and_of_the_test_part() -> None:
    data = load_bundled("digits")
    prepared = prepare_fold(data, SplitConfig(), 0)
    x, y = prepared.held_out
    assert (x.shape, y.shape) == ((64, 8, 8, 1), (64,))
    assert isinstance(x, np.ndarray)
    assert x.max() == 16.0
    np.testing.assert_array_equal(prepared.preprocessor.transform(x), prepared.test[0][:64])
    np.testing.assert_array_equal(prepared.preprocessor.encode_targets(y), prepared.test[1][:64])
    assert len(prepare_iris().held_out[0]) == 30


def test_facts_are_plain() -> None:
    prepared = prepare_iris()
    facts = json.loads(json.dumps(prepared.facts, allow_nan=False))
    assert facts.pop("split") == prepared.split.facts
    assert facts == {
        "source": "iris",
        "digest": load_bundled("iris").digest,
        "rows": 150,
        "train": 90,
        "validation": 30,
        "test": 30,
        "inputs": "4 columns",
        "task": "classification",
        "target": None,
        "labels": ["setosa", "versicolor", "virginica"],
        "repairs": [],
        "label_noise": 0.0,
        "warnings": ["iris: 1 of 150 rows repeat an earlier row, target included"],
    }
    assert prepare_fold(load_bundled("digits"), SplitConfig(), 0).facts["inputs"] == "8 x 8 x 1 images"


def test_equal_seeds_repeat_and_other_seeds_differ() -> None:
    data = load_bundled("iris")
    first, again, other = (prepare_fold(data, SplitConfig(label_noise=0.2), seed) for seed in (0, 0, 1))
    assert np.array_equal(first.train[1], again.train[1])
    assert not np.array_equal(first.train[0], other.train[0])


def test_each_fold_is_prepared_from_its_own_training_rows() -> None:
    data = load_bundled("iris")
    assert isinstance(data.x, np.ndarray)
    assert data.y is not None
    folds = [prepare_fold(data, SplitConfig(folds=5, label_noise=0.25), 0, fold=fold) for fold in range(5)]
    validated = np.concatenate([fold.split.validation for fold in folds])
    assert np.array_equal(np.sort(validated), np.setdiff1d(np.arange(150), folds[0].split.test))
    for fold in folds:
        assert np.array_equal(fold.test[1], folds[0].test[1])
        assert fold.preprocessor.mean == tuple(
            data.x[fold.split.train].astype(np.float32).astype(np.float64).mean(axis=0).tolist()
        )
        assert fold.preprocessor.labels == folds[0].preprocessor.labels
        y = fold.preprocessor.encode_targets(data.y[fold.split.train])
        assert np.sum(fold.train[1] != y) == 24  # 25 % of 120 less 24
    # wrong labels are drawn for each fold: with equal draws, two folds would be wrong at equal positions
    clean = [fold.preprocessor.encode_targets(data.y[fold.split.train]) for fold in folds[:2]]
    wrong = [np.flatnonzero(fold.train[1] != y) for fold, y in zip(folds, clean, strict=False)]
    assert not np.array_equal(wrong[0], wrong[1])


def test_weights_go_with_their_rows() -> None:
    weight = np.arange(1, 61)
    data = from_arrays(np.arange(60.0)[:, np.newaxis], [0, 1] * 30, sample_weight=weight)
    prepared = prepare_fold(data, SplitConfig(train_size=20), 0)
    assert prepared.weights is not None
    assert isinstance(data.x, np.ndarray)
    for part in ("train", "validation", "test"):
        inputs = data.x[getattr(prepared.split, part), 0]
        np.testing.assert_array_equal(prepared.weights[part], inputs + 1)
    assert prepare_iris().weights is None


def test_wrong_inputs_and_unknown_labels_are_rejected() -> None:
    preprocessor = prepare_iris().preprocessor
    with pytest.raises(InputError, match=r"inputs take the shape \(n, 4,\), received \(2, 3\)"):
        preprocessor.transform(np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(InputError, match="the label 'rose' is unknown"):
        preprocessor.encode_targets(np.array(["setosa", "rose"]))


def test_reconstruction_takes_the_standardized_inputs_for_targets() -> None:
    x = np.random.default_rng(0).normal(3, 2, size=(30, 2, 2, 1))
    prepared = prepare_fold(from_arrays(x, None), SplitConfig(), seed=0)
    preprocessor = prepared.preprocessor
    assert (preprocessor.task, preprocessor.outputs, preprocessor.labels) == ("reconstruction", 4, ())
    for inputs, targets in (prepared.train, prepared.validation, prepared.test):
        np.testing.assert_array_equal(inputs, targets)
    labeled = prepare_fold(from_arrays(x, [0, 1] * 15), SplitConfig(), seed=0, task="reconstruction")
    assert labeled.preprocessor.labels == ()
    with pytest.raises(InputError, match=r"split\.label_noise: needs classes, this is reconstruction"):
        prepare_fold(from_arrays(x, None), SplitConfig(label_noise=0.1), seed=0)


def test_each_row_validates_once_in_every_repetition_and_the_test_part_stays() -> None:
    data = load_bundled("iris")
    prepared = prepare_folds(data, SplitConfig(folds=3), 0, count=7)
    folds = (prepared, *prepared.folds)
    assert [(fold.split.facts["repetition"], fold.split.facts["fold"]) for fold in folds] == [
        *((0, 0), (0, 1), (0, 2)),
        *((1, 0), (1, 1), (1, 2)),
        (2, 0),
    ]
    rest = np.setdiff1d(np.arange(150), prepared.split.test)
    for repetition in (folds[:3], folds[3:6]):
        np.testing.assert_array_equal(np.sort(np.concatenate([fold.split.validation for fold in repetition])), rest)
    for fold in folds:
        np.testing.assert_array_equal(fold.split.test, prepared.split.test)
        np.testing.assert_array_equal(fold.test[0], fold.preprocessor.transform(data.x)[fold.split.test])
    assert len({fold.preprocessor.mean for fold in folds}) == 7
    assert prepared.test_train_ratio == pytest.approx(40 / 80)  # 120 rows that do not test, a third validates
    assert set(prepared.arrays()) == {
        *("train", "validation", "test"),
        *(f"{number}/{part}" for number in range(1, 7) for part in ("train", "validation", "test")),
    }
    np.testing.assert_array_equal(prepared.arrays()["6/validation"][0], folds[6].validation[0])


def test_without_folds_there_is_one_split() -> None:
    prepared = prepare_folds(load_bundled("iris"), SplitConfig(), 0, count=5)
    assert prepared.folds == ()
    assert prepared.test_train_ratio is None


def test_time_has_the_same_folds_in_every_repetition() -> None:
    data = from_arrays(np.arange(60.0)[:, None], np.arange(60) % 2, time=np.arange(60))
    assert len(prepare_folds(data, SplitConfig(folds=3), 0, count=3).folds) == 2
    with pytest.raises(InputError, match=r"replicates: 4 are more than the 3 of split.folds; .* set replicates to 3"):
        prepare_folds(data, SplitConfig(folds=3), 0, count=4)


def tagged(rare: int = 12, **roles: Any) -> Dataset:
    """Return 40 rows with two labels, the second in the last ``rare`` rows."""
    y = pd.DataFrame({"even": np.arange(40) % 2 == 0, "late": np.arange(40) >= 40 - rare})
    return from_arrays(np.random.default_rng(0).normal(size=(40, 2)), y, **roles)


def test_several_labels_are_encoded_as_zeros_and_ones() -> None:
    data = tagged()
    prepared = prepare_fold(data, SplitConfig(), 0)
    preprocessor = prepared.preprocessor
    assert (preprocessor.task, preprocessor.labels, preprocessor.classes, preprocessor.outputs) == (
        "multilabel",
        ("even", "late"),
        0,
        2,
    )
    assert prepared.train[1].dtype == np.float32
    np.testing.assert_array_equal(prepared.train[1], data.y[prepared.split.train])  # type: ignore[index]
    assert Preprocessor.from_json(preprocessor.to_json()) == preprocessor
    assert prepared.facts["labels"] == ["even", "late"]
    with pytest.raises(InputError, match="class_weight: balanced needs classes, this is multilabel"):
        prepared.arrays("balanced")


def test_a_label_that_is_constant_in_validation_is_a_warning() -> None:
    part = np.repeat(["test", "validation", "train"], [8, 8, 24])
    warned = prepare_fold(tagged(part=part), SplitConfig(), 0).facts["warnings"]
    assert warned == [
        "arrays: only 8 validation and 8 test rows: with so few, which recipe looks best is luck; collect more",
        "arrays: the label 'late' is false in all 8 validation rows; auroc leaves it out there",
        "arrays: the label 'late' is false in all 8 test rows; auroc leaves it out there",
    ]
    assert prepare_fold(tagged(part=part), SplitConfig(), 0, "reconstruction").facts["warnings"] == warned[:1]


def test_a_column_that_is_one_of_several_labels_is_rejected() -> None:
    data = tagged()
    frame = pd.DataFrame({"n": data.x[:, 0], "copy": data.y[:, 1].astype(int)})  # type: ignore[index]
    y = pd.DataFrame(data.y, columns=list(data.labels))
    with pytest.raises(InputError, match=r"column 'copy' \(40 rows\) is the label 'late' itself, in every row"):
        prepare_fold(from_arrays(frame, y), SplitConfig(), 0)
    assert prepare_fold(from_arrays(frame, y), SplitConfig(), 0, "reconstruction").preprocessor.outputs == 2
