"""Augmented copies in `fit`: rows, targets and weights, the validation split, data that cannot be copied."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Augmentation, InputError, regularizers
from regzoo.testing.harness import fix_strengths
from regzoo.training.model import augmented_rows
from regzoo.training.model.augmented_rows import copy_fit_rows
from regzoo.training.model.build import RegularizedModel

AUGMENTATIONS = {name: kind for name, kind in regularizers().items() if issubclass(kind, Augmentation)}
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(20, 4, 4, 2)).astype(np.float32), RANDOM.integers(0, 3, 20)
WEIGHT = RANDOM.uniform(0.1, 2.0, 20).astype(np.float32)


def build(recipe: str, seed: int = 1, shape: tuple[int, ...] = (4, 4, 2)) -> RegularizedModel:
    return regzoo.build("linear", recipe, input_shape=shape, classes=3, seed=seed)


def fit(recipe: str, *args: Any, **kwargs: Any) -> list[np.ndarray]:
    model = build(recipe)
    model.fit(*args, epochs=2, batch_size=8, shuffle=False, verbose=0, **kwargs)
    weights: list[np.ndarray] = model.get_weights()
    return weights


@pytest.mark.slow
def test_it_trains_like_fit_on_rows_that_hold_the_copies() -> None:
    mirror = X[:, :, ::-1]
    found = fit("random_flip(1.0, copies=2)", X, Y, sample_weight=WEIGHT)
    expected = fit("none", np.concatenate([X, mirror, mirror]), np.tile(Y, 3), sample_weight=np.tile(WEIGHT, 3))
    assert all(map(np.array_equal, found, expected))


@pytest.mark.slow
def test_rows_of_the_validation_split_are_not_copied() -> None:
    model = build("random_flip(1.0, copies=1)")
    options: dict[str, Any] = {"epochs": 2, "batch_size": 8, "shuffle": False, "verbose": 0}
    history = model.fit(X, Y, sample_weight=WEIGHT, validation_split=0.3, **options).history
    plain = build("none")
    rows = np.concatenate([X[:14], X[:14, :, ::-1]]), np.tile(Y[:14], 2)
    validation = (X[14:], Y[14:], WEIGHT[14:])
    expected = plain.fit(*rows, sample_weight=np.tile(WEIGHT[:14], 2), validation_data=validation, **options).history
    assert history == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_makes_copies_that_fit_repeats(name: str) -> None:
    recipe = str(fix_strengths(AUGMENTATIONS[name](copies=2)))
    shape = (6,) if name == "swap_noise" else (4, 4, 2)
    x = X if len(shape) == 3 else X[:, 0, :3].reshape(20, 6)
    model = build(recipe, shape=shape)
    given = {"x": x, "y": Y, "sample_weight": WEIGHT, "batch_size": 8}
    first, again = copy_fit_rows(model, given), copy_fit_rows(model, given)
    assert first["x"].shape == (60, *shape)
    assert first["x"].dtype == np.float32
    assert np.array_equal(first["x"][:20], x)
    one, other = first["x"][20:40], first["x"][40:]
    assert not np.array_equal(one, x)
    assert not np.array_equal(one, other)
    assert np.array_equal(first["x"], again["x"])
    assert np.array_equal(first["y"], np.tile(Y, 3))
    assert np.array_equal(first["sample_weight"], np.tile(WEIGHT, 3))
    assert not np.array_equal(first["x"], copy_fit_rows(build(recipe, 2, shape), given)["x"])


def test_a_copy_belongs_to_its_row() -> None:
    """Noise is far smaller than the distances between the rows, whatever the order in which the batches were taken."""
    x = np.arange(20, dtype=np.float32)[:, None] * np.ones((1, 6), np.float32)
    copied = copy_fit_rows(build("gaussian_noise(0.01, copies=3)", shape=(6,)), {"x": x, "y": Y, "batch_size": 8})["x"]
    np.testing.assert_allclose(copied, np.tile(x, (4, 1)), atol=0.1)


@pytest.mark.slow
def test_tables_and_tensors_are_arrays() -> None:
    x = X[:, 0, :3].reshape(20, 6)
    given = [{"x": kind(x), "y": pd.Series(Y)} for kind in (np.asarray, pd.DataFrame, tf.constant)]
    copied = [copy_fit_rows(build("swap_noise(0.5, copies=1)", shape=(6,)), each)["x"] for each in given]
    assert np.array_equal(copied[0], copied[1])
    assert np.array_equal(copied[0], copied[2])


def test_without_copies_the_arguments_stay_as_they_are() -> None:
    given = {"x": X, "y": Y, "validation_split": 0.3}
    after = copy_fit_rows(build("random_flip(0.5)"), given)
    assert after == given
    assert after["x"] is X


@pytest.mark.slow
def test_data_that_is_no_arrays_is_refused() -> None:
    model = build("random_flip(0.5, copies=1)")
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(8)
    with pytest.raises(InputError, match=r"random_flip: copies are made of all training rows .* received \w*Dataset"):
        model.fit(data, verbose=0)
    with pytest.raises(InputError, match="train_on_batch has one batch; call fit"):
        model.train_on_batch(X, Y)
    build("random_flip(0.5)").train_on_batch(X, Y)


@pytest.mark.slow
def test_copies_beyond_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmented_rows, "get_available_memory", lambda: 3 * X.nbytes)
    build("random_flip(0.5, copies=2)").fit(X, Y, verbose=0)
    with pytest.raises(InputError, match=r"copies=3 makes 10240 bytes .* out of 2560 .* may take 7680 .* copies=2"):
        build("random_flip(0.5, copies=3)").fit(X, Y, verbose=0)


@pytest.mark.slow
def test_a_model_of_your_own_with_several_inputs_gets_them() -> None:
    inputs = [keras.Input((6,), name="a"), keras.Input((2,), dtype="int32", name="b")]
    joined = keras.layers.Concatenate()([inputs[0], keras.layers.Flatten()(keras.layers.Embedding(4, 2)(inputs[1]))])
    model = regzoo.attach(
        "gaussian_noise(0.5, copies=1)", keras.Model(inputs, keras.layers.Dense(3)(joined)), classes=3
    )
    x = {"a": X[:, 0, :3].reshape(20, 6), "b": RANDOM.integers(0, 4, (20, 2)).astype(np.int32)}
    copied = copy_fit_rows(model, {"x": x, "y": Y})["x"]
    assert np.array_equal(copied["b"], np.tile(x["b"], (2, 1)))
    assert np.array_equal(copied["a"][:20], x["a"])
    assert 0.3 < np.std(copied["a"][20:] - x["a"]) < 0.7
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, Y, verbose=0)
