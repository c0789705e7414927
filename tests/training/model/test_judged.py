"""Averages judged as averages: after each epoch, by early stopping, in `Program` and in `fit`, in either order."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Objective, OnTraining, Watcher, parse
from regzoo.training.engine.program import Program
from regzoo.training.model.judged import JudgedWeights

NLL = Objective("nll", "min", 6)
EPOCHS, STEPS, SIZE = 6, 3, 20
AVERAGES = ("ema(0.9)", "swa(0.4)", "lookahead(k=5, alpha=0.25)")


def built(recipe: str, optimizer: Any = None) -> Any:
    """Return a small model that learns fast."""
    return regzoo.build("mlp([8])", recipe, (5,), 3, optimizer=optimizer or keras.optimizers.SGD(0.5), seed=1)


def fitted(recipe: str, rows: Any, validation: Any, **given: Any) -> tuple[Any, list[list[np.ndarray]], Any]:
    """Return the model after `fit`, its trainable weights after each step, and the history."""
    model, steps = built(recipe), []
    record = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(get_trainable(model)))
    callbacks = [record, *given.pop("callbacks", [])]
    options = {"batch_size": SIZE, "epochs": EPOCHS, "shuffle": False, "verbose": 0, **given}
    history = model.fit(*rows, validation_data=validation, callbacks=callbacks, **options)
    return model, steps, history.history


def get_trainable(model: Any) -> list[np.ndarray]:
    """Return the trainable weights: kernels, biases and batch norm's scales and offsets."""
    return [weight.numpy() for weight in model.trainable_weights]


def run(recipe: str, rows: Any, validation: Any, watchers: tuple[Watcher, ...] = ()) -> tuple[Any, Any]:
    """Return the model after a `Program`, and the history."""
    model = built(recipe)
    program = Program(model, rows, validation, batch_size=SIZE)
    own = [each.watch(NLL) for each in parse(recipe) if isinstance(each, OnTraining)]
    given: Any = {"strengths": model.recipe.dials(), "seed": 1, "learning_rate": 0.5, "epochs": EPOCHS}
    trained = program.train(**given, objective=NLL, watchers=[*watchers, *own])
    assert program.traces == 1
    return model, trained.history


def average(recipe: str, start: list[np.ndarray], steps: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Return the average after ``steps`` by hand."""
    if recipe.startswith("ema"):
        coefficients = 0.9 ** np.arange(len(steps))[::-1]
    elif recipe.startswith("swa"):  # 0.4 of 6 epochs: from the end of the third on
        ends = (np.arange(len(steps)) + 1) % STEPS == 0
        coefficients = ends * (np.arange(len(steps)) >= 2 * STEPS) + 0.0
        coefficients = coefficients if coefficients.any() else np.eye(len(steps))[-1]
    else:
        back = len(steps) // 5 * 5  # the weights after the last move back are the slow ones
        slow = steps[back - 1] if back else start
        return [0.25 * w + 0.75 * s for w, s in zip(steps[-1], slow, strict=True)]
    return [np.average(weights, 0, coefficients) for weights in zip(*steps, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["", "batch_norm(0.9)"])
@pytest.mark.parametrize("recipe", AVERAGES)
def test_fit_validates_the_average_after_each_epoch(recipe: str, norm: str, rows: Any) -> None:
    judged: list[list[np.ndarray]] = []
    keep = keras.callbacks.LambdaCallback()
    keep.on_epoch_end = lambda epoch, logs=None: judged.append(keep.model.get_weights())
    _, steps, history = fitted(f"{norm} + {recipe}" if norm else recipe, rows, rows, callbacks=[keep])
    model = built(norm or "none")
    start = get_trainable(model)
    for epoch in range(EPOCHS):
        expected = average(recipe, start, steps[: (epoch + 1) * STEPS])
        model.set_weights(judged[epoch])
        for mine, by_hand in zip(get_trainable(model), expected, strict=True):
            np.testing.assert_allclose(mine, by_hand, atol=2e-6)
        assert history["val_loss"][epoch] == pytest.approx(model.evaluate(*rows, verbose=0)[0], rel=1e-5)
        if norm:  # its averages are those of the average: means over three batches of equal size
            kernel, bias = model.get_layer("dense_0").get_weights()
            means = [(rows[0][s : s + SIZE] @ kernel + bias).mean(0) for s in (0, 20, 40)]
            weights = [1, 1, 1] if "swa" in recipe and epoch >= 2 else [0.81, 0.9, 1]
            found = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
            np.testing.assert_allclose(found.moving_mean, np.average(means, 0, weights), atol=1e-5)


class Kept(Watcher):
    """Keeps the weights of training and those that are judged."""

    averages = True

    def __init__(self) -> None:
        self.trained: list[list[np.ndarray]] = []
        self.judged: list[list[np.ndarray]] = []

    def average(self, epoch: int, model: Any) -> bool:
        """Keep what swa receives."""
        self.trained.append(get_trainable(model))
        return False

    def epoch(self, epoch: int, score: float, model: Any) -> bool:
        """Keep what early stopping receives."""
        self.judged.append(model.get_weights())
        return False

    def finish(self, model: Any) -> None:
        """Do nothing."""


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["", "batch_norm(0.9)"])
@pytest.mark.parametrize("recipe", AVERAGES)
def test_program_measures_what_its_watchers_receive(recipe: str, norm: str, rows: Any) -> None:
    kept = Kept()
    model, history = run(f"{norm} + {recipe}" if norm else recipe, rows, rows, (kept,))
    assert all(map(np.array_equal, model.get_weights(), kept.judged[-1]))
    for epoch, weights in enumerate(kept.judged):
        model.set_weights(weights)
        expected = model.evaluate(*rows, verbose=0)[0]
        for part in ("train", "validation"):
            assert history[part]["nll"][epoch] == pytest.approx(expected, rel=1e-5)
    if recipe.startswith("swa"):
        plain = Kept()
        run(norm or "none", rows, rows, (plain,))
        pairs = zip(plain.trained, kept.trained, strict=True)
        assert all(np.array_equal(one, other) for pair in pairs for one, other in zip(*pair, strict=True))
        mean = [np.mean(weights, 0) for weights in zip(*plain.trained[2:], strict=True)]
        model.set_weights(kept.judged[-1])
        for mine, by_hand in zip(get_trainable(model), mean, strict=True):
            np.testing.assert_allclose(mine, by_hand, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["", "batch_norm(0.9)"])
@pytest.mark.parametrize("recipe", AVERAGES)
def test_early_stopping_restores_the_best_average_in_either_order(recipe: str, norm: str, rows: Any) -> None:
    x, y = rows
    validation = x + 0.3, np.where(np.arange(60) % 4, y, (y + 1) % 3)  # a part of the labels is wrong: it overfits
    trainings: Any = (lambda text: fitted(text, rows, validation)[::2], lambda text: run(text, rows, validation))
    for train in trainings:
        ends = []
        more = f" + {norm}" if norm else ""
        for text in (f"early_stopping(4) + {recipe}{more}", f"{recipe}{more} + early_stopping(4)"):
            model, history = train(text)
            scores = history["val_loss"] if "val_loss" in history else history["validation"]["nll"]
            assert model.evaluate(*validation, verbose=0)[0] == pytest.approx(min(scores), rel=1e-5)
            ends.append((model.get_weights(), scores))
        assert ends[0][1] == ends[1][1]
        assert all(map(np.array_equal, ends[0][0], ends[1][0]))


@pytest.mark.parametrize("recipe", ["ema(0.9) + lookahead(k=2, alpha=0.5)", "lookahead(k=2, alpha=0.5) + ema(0.9)"])
def test_of_two_averages_that_over_steps_is_judged_in_either_order(recipe: str, rows: Any) -> None:
    """Not what lookahead would make of it."""
    model = built(recipe)
    for _ in range(3):
        model.update(*rows)
    averages = [companion.numpy() for _, companion in model.companions("ema")]
    trained = get_trainable(model)
    judged = JudgedWeights(model)
    judged.enter(0)
    for found, expected in zip(get_trainable(model), averages, strict=True):
        np.testing.assert_array_equal(found, expected)
    judged.leave()
    assert all(map(np.array_equal, get_trainable(model), trained))


@pytest.mark.slow
def test_swa_judges_the_weights_before_it_starts(rows: Any) -> None:
    _, history = run("swa(0.9)", rows, rows)
    _, plain = run("none", rows, rows)
    assert history == plain  # one average, of the last epoch alone
    _, _, fit_history = fitted("swa(0.5)", rows, rows)
    _, _, fit_plain = fitted("none", rows, rows)
    assert fit_history["val_loss"][:4] == fit_plain["val_loss"][:4]
    assert fit_history["val_loss"][4] != fit_plain["val_loss"][4]


def test_callbacks_of_the_user_save_what_was_judged(rows: Any, tmp_path: Any) -> None:
    path = tmp_path / "best.weights.h5"
    save = keras.callbacks.ModelCheckpoint(path, "val_loss", save_best_only=True, save_weights_only=True)
    restore = keras.callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True, start_from_epoch=0)
    worse = rows[0], (rows[1] + 1) % 3  # the first epoch is the best
    model, _, history = fitted("ema(0.5)", rows, worse, callbacks=[save, restore])
    assert model.evaluate(*worse, verbose=0)[0] == pytest.approx(history["val_loss"][0], rel=1e-5)
    model.load_weights(path)
    assert model.evaluate(*worse, verbose=0)[0] == pytest.approx(history["val_loss"][0], rel=1e-5)


@pytest.mark.slow
def test_the_optimizers_averages_are_judged_as_averages_too(rows: Any) -> None:
    optimizer = {"use_ema": True, "ema_momentum": 0.9}
    program = Program(built("early_stopping(9)", keras.optimizers.SGD(0.5, **optimizer)), rows, rows, batch_size=SIZE)
    given: Any = {"strengths": {}, "seed": 1, "learning_rate": 0.5, "epochs": 4, "objective": NLL}
    watchers = [each.watch(NLL) for each in parse("early_stopping(9)") if isinstance(each, OnTraining)]
    scores = program.train(**given, watchers=watchers).history["validation"]["nll"]
    assert program.model.evaluate(*rows, verbose=0)[0] == pytest.approx(min(scores), rel=1e-5)
    stock = built("none", keras.optimizers.SGD(0.5, **optimizer))
    fitting = regzoo.attach("none", stock_model(stock), 3, optimizer=keras.optimizers.SGD(0.5, **optimizer))
    assert fitting.fit(*rows, epochs=1, validation_data=rows, verbose=0).history["val_loss"]


def stock_model(model: Any) -> Any:
    """Return a plain Keras model of the same shape."""
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])
