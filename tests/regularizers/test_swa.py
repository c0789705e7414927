"""Stochastic weight averaging: which epochs, batch norm's averages, and rejection of a useless mean."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Objective, Watcher
from regzoo.regularizers import Dropout, Ema, Swa
from regzoo.training.engine.program import Program


class Recorder(Watcher):
    """Saves the weights of training after each epoch."""

    averages = True

    def __init__(self) -> None:
        self.kept: list[list[np.ndarray]] = []

    def average(self, epoch: int, model: Any) -> bool:
        """Save them, before they are averaged."""
        self.kept.append(model.get_weights())
        return False

    def epoch(self, epoch: int, score: float, model: Any) -> bool:
        """Go on."""
        return False

    def finish(self, model: Any) -> None:
        """Do nothing."""


def trained(rows: Any, start: float, epochs: int, recipe: str = "none") -> tuple[Any, list[list[np.ndarray]]]:
    """Return a model with the mean of the weights, and the weights after each epoch."""
    model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
    objective = Objective("nll", "min", epochs)
    recorder = Recorder()
    program = Program(model, rows, rows, batch_size=20)
    program.train(
        strengths=model.recipe.dials(),
        seed=1,
        learning_rate=0.01,
        epochs=epochs,
        objective=objective,
        watchers=[recorder, Swa(start).watch(objective)],
    )
    return model, recorder.kept


@pytest.mark.parametrize(("start", "epochs", "averaged"), [(0.5, 4, 2), (0.7, 3, 1), (0.75, 10, 3), (0.0, 3, 3)])
def test_it_averages_the_epochs_after_start(rows: Any, start: float, epochs: int, averaged: int) -> None:
    model, kept = trained(rows, start, epochs)
    for weight, *after in zip(model.get_weights(), *kept[-averaged:], strict=True):
        np.testing.assert_allclose(weight, np.mean(after, 0), atol=1e-6)


def test_start_1_keeps_every_bit(rows: Any) -> None:
    model, kept = trained(rows, 1.0, 2)
    assert all(map(np.array_equal, model.get_weights(), kept[-1]))
    assert Swa(0.7).neutral() == Swa(1.0)


def test_batch_norms_averages_are_those_of_the_mean(rows: Any) -> None:
    model, kept = trained(rows, 0.5, 4, "batch_norm(0.9)")
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    kernel, bias = model.get_layer("dense_0").get_weights()
    means = [(rows[0][start : start + 20] @ kernel + bias).mean(0) for start in (0, 20, 40)]
    np.testing.assert_allclose(norm.moving_mean.numpy(), np.mean(means, 0), atol=1e-5)
    assert model.dials == {"batch_norm.momentum": pytest.approx(0.9)}
    assert not np.array_equal(model.get_weights()[0], kept[-1][0])


def turned(weights: list[np.ndarray]) -> list[np.ndarray]:
    """Return weights of the same function of a network with one tanh layer, with the signs of all units reversed."""
    kernel, bias, head, offset = weights
    return [-kernel, -bias, -head, offset]


def watched(rows: Any, second: Any) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Return the weights after the first epoch, after the second, and at the end."""
    model = regzoo.build("mlp([8], activation=tanh)", "none", (5,), 3, optimizer=keras.optimizers.Adam(0.05), seed=1)
    model.set_training_data(lambda: [rows])
    watcher = Swa(0.0).watch(Objective("nll", "min", 2))
    watcher.begin(0, model)
    step = tf.function(model.update)
    for _ in range(30):
        step(*rows)
    first = model.get_weights()
    assert watcher.average(0, model)
    watcher.begin(1, model)
    model.set_weights(second(first))
    last = model.get_weights()
    assert watcher.average(1, model)
    return first, last, model.get_weights()


def test_a_collapsed_mean_is_refused(rows: Any) -> None:
    # Both networks are good, and their mean is a network of zeros.
    _, last, left = watched(rows, turned)
    assert all(map(np.array_equal, left, last))


def test_a_mean_within_one_valley_is_taken(rows: Any) -> None:
    first, last, left = watched(rows, lambda weights: [1.1 * weight for weight in weights])
    for one, other, mean in zip(first, last, left, strict=True):
        np.testing.assert_allclose(mean, (one + other) / 2, atol=1e-6)


def test_a_mean_that_is_no_number_is_refused(rows: Any) -> None:
    _, last, left = watched(rows, lambda weights: [np.full_like(weight, np.nan) for weight in weights])
    assert all(np.isnan(weight).all() for weight in left)  # the run has diverged, and it shows
    assert all(np.isnan(weight).all() for weight in last)


def test_fit_averages_too(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "swa(0.5)", input_shape=(5,), classes=3, seed=1)
    kept: list[list[np.ndarray]] = []
    keep = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: kept.append(model.get_weights()))
    model.fit(*rows, batch_size=60, epochs=4, validation_data=rows, callbacks=[keep], verbose=0)
    for weight, *after in zip(model.get_weights(), *kept[-2:], strict=True):
        np.testing.assert_allclose(weight, np.mean(after, 0), atol=1e-6)


def test_a_training_that_stops_early_averages_nothing(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "none", input_shape=(5,), classes=3, seed=1)
    model.set_training_data(lambda: [rows])
    watcher = Swa(0.7).watch(Objective("nll", "min", 10))
    for epoch in range(3):
        watcher.begin(epoch, model)
        before = model.get_weights()
        assert not watcher.average(epoch, model)
        assert all(map(np.array_equal, before, model.get_weights()))


def test_it_warns_of_another_average_alone() -> None:
    assert "use one of the two" in str(Swa(0.5).warn_recipe([Dropout(0.5), Ema(0.99)]))
    assert Swa(0.5).warn_recipe([Dropout(0.5)]) is None
    assert Swa.averages
    assert Ema.averages


class Losses:
    """A model with one weight, whose loss depends on it; without refitted statistics the loss is 100."""

    def __init__(self, losses: dict[float, float]) -> None:
        self.weight = keras.Variable(0.0)
        self.trainable_variables = [self.weight]
        self.losses = losses
        self.refitted = 0.0

    def get_weights(self) -> list[np.ndarray]:
        """Return the weight."""
        return [self.weight.numpy()]

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Set the weight; the statistics come with it."""
        self.weight.assign(values[0])
        self.refit_statistics()

    def refit_statistics(self) -> None:
        """Compute the statistics for the weight."""
        self.refitted = float(self.weight.numpy())

    def training_loss(self) -> float:
        """Return the loss of the weight."""
        weight = float(self.weight.numpy())
        return self.losses[weight] if self.refitted == weight else 100.0


@pytest.mark.parametrize(
    ("untrained", "mean", "kept"),
    # The loss of the last weights is 1, so the limit is the larger of 2 and (untrained + 1) / 2.
    [(5.0, 2.9, True), (5.0, 3.1, False), (1.0, 1.9, True), (1.0, 2.1, False)],
)
def test_a_mean_with_too_high_a_loss_is_left_out(untrained: float, mean: float, kept: bool) -> None:
    model: Any = Losses({0.0: untrained, 2.0: 1.5, 4.0: 1.0, 3.0: mean})
    watcher = Swa(0.0).watch(Objective("nll", "min", epochs=2))
    watcher.begin(0, model)
    for epoch, weight in enumerate((2.0, 4.0)):
        model.weight.assign(weight)
        watcher.average(epoch, model)
    assert float(model.weight.numpy()) == (3.0 if kept else 4.0)
