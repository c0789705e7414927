"""Moving statistics that have arrived: by hand, in `Program` and `fit`, at any depth, and what a refit leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Objective
from regzoo.core.errors import StaleStatisticsWarning
from regzoo.training.engine.program import Program

pytestmark = pytest.mark.slow

L = keras.layers
SIZE = 25  # of 60 rows: the last batch has 10


def find_norm(model: Any) -> Any:
    """Return the first batch norm of ``model``."""
    return next(layer for layer in model.layers if isinstance(layer, L.BatchNormalization))


def average(h: np.ndarray, momentum: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the variance that inference should use after the batches of ``h``, in this order."""
    batches = [h[start : start + SIZE] for start in range(0, len(h), SIZE)]
    coefficients = [0.0] * len(batches)
    for number, batch in enumerate(batches):  # a batch of half the rows is half a batch
        fraction = len(batch) / SIZE
        coefficients = [c * momentum**fraction for c in coefficients]
        coefficients[number] = 1.0 - momentum**fraction
    means, variances = np.array([b.mean(0) for b in batches]), np.array([b.var(0) for b in batches])
    return tuple(np.average(values, 0, coefficients) for values in (means, variances))  # type: ignore[return-value]


@pytest.mark.parametrize("momentum", [0.0, 0.9, 0.99])
def test_program_ends_with_the_averages_of_its_last_weights(momentum: float, rows: Any) -> None:
    recipe = f"batch_norm({momentum})"
    model = regzoo.build("mlp([4])", recipe, (5,), 3, seed=1)
    program = Program(model, rows, rows, batch_size=SIZE)
    program.train(
        strengths=model.recipe.dials(), seed=1, learning_rate=0.1, epochs=2, objective=Objective("nll", "min", 2)
    )
    kernel, bias = model.get_layer("dense_0").get_weights()
    mean, variance = average((rows[0] @ kernel + bias)[program.draw_order(1, 1)], momentum)
    np.testing.assert_allclose(find_norm(model).moving_mean, mean, atol=1e-5)
    np.testing.assert_allclose(find_norm(model).moving_variance, variance, rtol=1e-4)
    assert program.traces == 1
    assert model.dials == {"batch_norm.momentum": pytest.approx(momentum)}


@pytest.mark.parametrize("validated", [True, False])
def test_fit_ends_with_the_averages_of_its_last_weights(validated: bool, rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(0.99)", (5,), 3, seed=1)
    given = {"validation_data": rows} if validated else {}
    history = model.fit(*rows, batch_size=SIZE, epochs=3, shuffle=False, verbose=0, **given).history
    kernel, bias = model.get_layer("dense_0").get_weights()
    mean, variance = average(rows[0] @ kernel + bias, 0.99)
    np.testing.assert_allclose(find_norm(model).moving_mean, mean, atol=1e-5)
    np.testing.assert_allclose(find_norm(model).moving_variance, variance, rtol=1e-4)
    if validated:
        assert history["val_loss"][-1] == pytest.approx(model.evaluate(*rows, verbose=0)[0], rel=1e-6)


def test_every_epoch_is_judged_on_averages_that_have_arrived(rows: Any) -> None:
    """After one epoch the moving averages at momentum 0.99 are almost those before training, (0, 1)."""
    x, y = rows[0] * 10.0 + 30.0, rows[1]
    model = regzoo.build("mlp([8])", "batch_norm(0.99)", (5,), 3, seed=1)
    program = Program(model, (x, y), (x, y), batch_size=10)
    given: Any = {"strengths": model.recipe.dials(), "learning_rate": 0.001, "objective": Objective("nll", "min", 2)}
    (nll, *_) = program.train(**given, seed=1, epochs=2).history["validation"]["nll"]
    in_training = np.log(3.0) * 2  # untrained logits of standardized units; with (0, 1) the error is some ten nats
    assert nll < in_training


class OwnNorm(keras.layers.Layer):
    """A layer of the user's own with a moving mean."""

    def __init__(self, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, shape: Any) -> None:
        """Make the average."""
        self.moving_mean = self.add_weight(shape=(shape[-1],), trainable=False, name="moving_mean")

    def call(self, x: Any, training: bool = False) -> Any:
        """Subtract the mean of the batch, or the average."""
        if not training:
            return x - self.moving_mean
        mean = keras.ops.mean(x, 0)
        self.moving_mean.assign(self.momentum * self.moving_mean + (1.0 - self.momentum) * mean)
        return x - mean


class OwnBlock(keras.layers.Layer):
    """A layer with a batch norm inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = L.BatchNormalization()

    def call(self, x: Any, training: bool = False) -> Any:
        """Normalize."""
        return self.norm(x, training=training)


class OwnBatchNorm(keras.layers.BatchNormalization):
    """A subclass."""


def nested() -> Any:
    """Return a model with a batch norm inside."""
    return keras.Sequential([keras.Input((5,)), L.BatchNormalization()])


LAYERS: dict[str, Callable[[], Any]] = {
    "BatchNormalization": L.BatchNormalization,
    "momentum 0.5": lambda: L.BatchNormalization(momentum=0.5),
    "renorm": lambda: L.BatchNormalization(renorm=True),
    "subclass": OwnBatchNorm,
    "nested": nested,
    "inside a layer": OwnBlock,
    "own": OwnNorm,
    "mixed": lambda: L.BatchNormalization(dtype="mixed_bfloat16"),
    "float64": lambda: L.BatchNormalization(dtype="float64"),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_any_layer_with_moving_statistics(make: Callable[[], Any], rows: Any) -> None:
    layer = make()
    mine = keras.Sequential([keras.Input((5,)), layer, L.Dense(3, "softmax", dtype="float32")])
    model = regzoo.attach("swa(0.0)", mine, optimizer=keras.optimizers.SGD(0.1))
    model.fit(*rows, batch_size=20, epochs=2, validation_data=rows, verbose=0)
    (found,) = [variable for variable in model.weights if variable.name == "moving_mean"]
    np.testing.assert_allclose(
        found.numpy(), rows[0].mean(0), atol=1e-2 if "mixed" in str(layer.dtype_policy) else 1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["ema(0.5)", "swa(0.0)", "lookahead(k=5, alpha=0.5)"])
def test_a_layer_that_is_called_at_each_time_step_counts_every_step(recipe: str) -> None:
    x = np.random.default_rng(0).normal(np.arange(6.0)[:, None], 1.0, (40, 6, 2)).astype(np.float32)  # it drifts
    y = np.arange(40) % 3
    layers = [L.TimeDistributed(L.BatchNormalization(momentum=0.999)), L.Flatten(), L.Dense(3, "softmax")]
    model = regzoo.attach(recipe, keras.Sequential([keras.Input((6, 2)), *layers]))
    model.fit(x, y, batch_size=20, epochs=1, shuffle=False, verbose=0)
    (found,) = [variable for variable in model.weights if variable.name == "moving_mean"]
    np.testing.assert_allclose(found.numpy(), x.mean((0, 1)), atol=0.02)  # momentum^12 is 0.99


@pytest.mark.slow
def test_rows_in_the_order_of_their_values_are_shuffled_as_in_training(rows: Any) -> None:
    order = np.argsort(rows[0][:, 0])
    x, y = rows[0][order], rows[1][order]
    model = regzoo.attach("swa(0.0)", keras.Sequential([keras.Input((5,)), L.BatchNormalization(), L.Dense(3)]), 3)
    model.fit(x, y, batch_size=20, epochs=1, verbose=0)
    variance = find_norm(model).moving_variance.numpy()
    assert variance[0] > 0.8 * x[:, 0].var()  # in the order of the values a batch has a small part of it


@pytest.mark.slow
def test_frozen_layers_and_the_users_own_go_on_as_in_keras(rows: Any) -> None:
    layers = [L.BatchNormalization(name="own"), L.Dense(4), L.BatchNormalization(name="frozen"), L.Dense(3)]
    mine = keras.Sequential([keras.Input((5,)), *layers])
    layers[2].trainable = False
    twin = keras.models.clone_model(mine)
    twin.set_weights(mine.get_weights())
    twin.layers[2].trainable = False
    twin.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    twin.fit(*rows, batch_size=20, epochs=2, shuffle=False, verbose=0)
    for recipe in ("early_stopping(5)", "ema(0.5)"):
        model = regzoo.attach(recipe, mine, 3)
        model.fit(*rows, batch_size=20, epochs=2, shuffle=False, validation_data=rows, verbose=0)
        assert np.array_equal(model.get_layer("frozen").moving_mean, np.zeros(4))
        own = model.get_layer("own").moving_mean.numpy()
        expected = rows[0].mean(0) if recipe.startswith("ema") else twin.layers[0].moving_mean.numpy()
        np.testing.assert_allclose(own, expected, atol=0.01 if recipe.startswith("ema") else 1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::regzoo.core.errors.ClashWarning")
def test_validation_changes_nothing_of_the_training(rows: Any) -> None:
    """Neither random streams nor, with Keras's SpectralNormalization, the kernel that it changes in each pass."""
    layers = [L.SpectralNormalization(L.Dense(6), power_iterations=2), L.ReLU(), L.Dropout(0.5), L.Dense(3)]
    ends = []
    mine = keras.Sequential([keras.Input((5,)), *layers])
    for given in ({}, {"validation_data": rows}):
        for recipe in ("batch_norm(0.9) + dropout(0.5)", "batch_norm(0.9) + ema(0.9)"):
            model = regzoo.attach(recipe, mine, 3, seed=1)
            model.fit(*rows, batch_size=20, epochs=3, shuffle=False, verbose=0, **given)
            ends.append(model.get_weights())
    for without, with_validation in zip(ends[:2], ends[2:], strict=True):
        assert all(map(np.array_equal, without, with_validation))


def generate(rows: Any) -> Iterator[Any]:
    """Yield batches that can be read only once."""
    while True:
        yield rows


def test_data_that_can_be_read_only_once_warns(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "batch_norm(0.99) + dropout(0.5)", (5,), 3)
    with pytest.warns(StaleStatisticsWarning, match="stay as training leaves them.*generator cannot be"):
        model.fit(generate(rows), steps_per_epoch=2, epochs=1, shuffle=False, verbose=0)
    data = tf.data.Dataset.from_tensor_slices(rows).batch(20)
    model.fit(data, epochs=1, shuffle=False, verbose=0)
