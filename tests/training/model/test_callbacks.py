"""Training data that watchers read again: every kind that `fit` takes and that can be repeated; tested with swa."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError
from regzoo.training.model.callbacks import iterate_batches

SIZE = 20


class Batches(keras.utils.PyDataset):
    """Rows in batches; endless if ``count`` is None."""

    def __init__(self, x: Any, y: Any, count: int | None) -> None:
        super().__init__()
        self.x, self.y, self.count = x, y, count

    @property
    def num_batches(self) -> int | None:
        """The number of batches."""
        return self.count

    def __getitem__(self, index: int) -> Any:
        start = SIZE * index % len(self.x)
        return self.x[start : start + SIZE], self.y[start : start + SIZE]


def make_dataset(x: Any, y: Any) -> Any:
    """Return the rows as a tf.data.Dataset."""
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(SIZE)


MakeArguments = Callable[[np.ndarray, np.ndarray], dict[str, Any]]

KINDS: dict[str, MakeArguments] = {
    "arrays": lambda x, y: {"x": x, "y": y, "batch_size": SIZE},
    "tensors": lambda x, y: {"x": tf.constant(x), "y": tf.constant(y), "batch_size": SIZE},
    "frames": lambda x, y: {"x": pd.DataFrame(x), "y": pd.Series(y), "batch_size": SIZE},
    "split": lambda x, y: {
        "x": np.tile(x, (2, 1)),
        "y": np.tile(y, 2),
        "batch_size": SIZE,
        "validation_split": 0.5,
        "validation_data": None,
    },
    "dataset": lambda x, y: {"x": make_dataset(x, y)},
    "endless dataset": lambda x, y: {"x": make_dataset(x, y).repeat(), "steps_per_epoch": 3},
    "weighted dataset": lambda x, y: {"x": tf.data.Dataset.from_tensor_slices((x, y, np.ones(60))).batch(SIZE)},
    "PyDataset": lambda x, y: {"x": Batches(x, y, 3)},
    "endless PyDataset": lambda x, y: {"x": Batches(x, y, None), "steps_per_epoch": 3},
}

THROUGH_FIT = ("split", "endless dataset", "endless PyDataset")


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_batches_are_those_of_fit(make: MakeArguments, rows: Any) -> None:
    found = list(iterate_batches(make(*rows)))
    assert len(found) == 3
    for number, (x, y) in enumerate(found):
        in_batch = slice(SIZE * number, SIZE * (number + 1))
        np.testing.assert_array_equal(x, rows[0][in_batch])
        np.testing.assert_array_equal(y, rows[1][in_batch])


@pytest.mark.parametrize("make", [KINDS[name] for name in THROUGH_FIT], ids=THROUGH_FIT)
def test_fit_averages_weights_and_recomputes_batch_norm(make: MakeArguments, rows: Any) -> None:
    model = regzoo.build("mlp([4])", "swa(0.5) + batch_norm(0.9)", input_shape=(5,), classes=3, seed=1)
    after_epochs: list[Any] = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: after_epochs.append(get_trainable(model)) if batch == 2 else None
    )
    model.fit(**{"validation_data": rows, **make(*rows)}, epochs=4, shuffle=False, callbacks=record, verbose=0)
    for weight, *after in zip(get_trainable(model), *after_epochs[-2:], strict=True):
        np.testing.assert_allclose(weight, np.mean(after, 0), atol=1e-6)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    kernel, bias = model.get_layer("dense_0").get_weights()
    np.testing.assert_allclose(norm.moving_mean.numpy(), (rows[0] @ kernel + bias).mean(0), atol=1e-5)


def get_trainable(model: Any) -> list[np.ndarray]:
    """Return the trainable weights."""
    return [weight.numpy() for weight in model.trainable_weights]


@pytest.mark.parametrize("structure", [dict, list], ids=["dict", "list"])
@pytest.mark.parametrize("as_dataset", [False, True], ids=["arrays", "dataset"])
def test_a_model_with_two_inputs_is_averaged(structure: Any, as_dataset: bool, rows: Any) -> None:
    wide, one = keras.Input((5,), name="wide"), keras.Input((1,), name="one")
    h = keras.layers.BatchNormalization()(keras.layers.Concatenate()([wide, one]))
    inputs: Any = {"wide": wide, "one": one} if structure is dict else [wide, one]
    mine = keras.Model(inputs, keras.layers.Dense(3, "softmax")(h))
    x: Any = {"wide": rows[0], "one": 10.0 + rows[0][:, :1]}
    x = x if structure is dict else list(x.values())
    model = regzoo.attach("swa(0.5)", mine)
    batches = tf.data.Dataset.from_tensor_slices((x if structure is dict else tuple(x), rows[1])).batch(SIZE)
    given: dict[str, Any] = {"x": x, "y": rows[1], "batch_size": SIZE, "validation_split": 0.5}
    if as_dataset:
        given = {"x": batches, "validation_data": batches}
    model.fit(**given, epochs=2, shuffle=False, verbose=0)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    seen = np.hstack([rows[0], 10.0 + rows[0][:, :1]])
    seen = seen if as_dataset else seen[:30]  # the first half, in batches of 20 and 10: each row counts equally
    np.testing.assert_allclose(norm.moving_mean.numpy(), seen.mean(0), atol=1e-5)


def test_batch_norm_inside_a_nested_model_is_recomputed(rows: Any) -> None:
    inner = keras.Sequential([keras.Input((5,)), keras.layers.BatchNormalization()], name="inner")
    mine = keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(3, "softmax")])
    model = regzoo.attach("swa(0.5)", mine)
    model.fit(*rows, batch_size=60, epochs=2, validation_data=rows, verbose=0)
    norm = model.get_layer("inner").layers[-1]
    np.testing.assert_allclose(norm.moving_mean.numpy(), rows[0].mean(0), atol=1e-5)


def generate(x: np.ndarray, y: np.ndarray) -> Iterator[Any]:
    """Yield batches forever; they can be read only once."""
    while True:
        yield x, y


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            lambda x, y: {"x": generate(x, y), "steps_per_epoch": 1},
            "the training data is read again, apart from training, and generator cannot be: pass arrays x and y, a "
            r"tf\.data\.Dataset or a keras\.utils\.PyDataset",
        ),
        (lambda x, y: {"x": x}, "ndarray cannot be: pass arrays x and y"),
        (
            lambda x, y: {"x": make_dataset(x, y).repeat()},
            "repeats endlessly: pass steps_per_epoch to fit",
        ),
        (lambda x, y: {"x": Batches(x, y, None)}, "repeats endlessly: pass steps_per_epoch to fit"),
        (lambda x, y: {"x": tf.data.Dataset.from_tensors(x)}, r"has no targets: let each batch be \(x, y\)"),
    ],
    ids=["generator", "no targets", "endless dataset", "endless PyDataset", "dataset without targets"],
)
def test_data_that_cannot_be_repeated_is_refused_before_training(given: Any, reason: str, rows: Any) -> None:
    model = regzoo.build("mlp([4])", "swa(0.5)", input_shape=(5,), classes=3, seed=1)
    before = model.get_weights()
    with pytest.raises(InputError, match=reason):
        model.fit(**given(*rows), epochs=2, shuffle=False, validation_data=rows, verbose=0)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_rows_that_are_no_arrays_are_refused() -> None:
    with pytest.raises(InputError, match="pass arrays, received float"):
        list(iterate_batches({"x": [[1.0, 2.0]], "y": [0]}))


def test_a_generator_is_fine_where_the_data_is_not_read_again(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "early_stopping(3)", input_shape=(5,), classes=3, seed=1)
    history = model.fit(generate(*rows), steps_per_epoch=2, epochs=2, shuffle=False, validation_data=rows, verbose=0)
    assert len(history.history["val_loss"]) == 2


def test_positional_arguments_work_as_in_keras(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "swa(0.5)", input_shape=(5,), classes=3, seed=1)
    seen: list[int] = []
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    model.fit(*rows, SIZE, 2, 0, [record], 0.0, rows)
    assert seen == [0, 1]


def test_validation_only_every_other_epoch_is_refused(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "early_stopping(2) + ema(0.9)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match=r"^early_stopping watches validation after every epoch.*validation_freq=2"):
        model.fit(*rows, validation_data=rows, validation_freq=2, verbose=0)


@pytest.mark.parametrize("recipe", ["ema(0.9)", "swa(0.5)", "snapshot_ensemble(2)"])
def test_regularizers_that_do_not_watch_validation_need_none(recipe: str, rows: Any) -> None:
    weights = []
    for given in ({}, {"validation_data": rows}):
        model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
        model.fit(*rows, epochs=2, shuffle=False, verbose=0, **given)
        weights.append(model.get_weights())
    assert all(map(np.array_equal, *weights))
