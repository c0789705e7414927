"""Program with any optimizer and loss of Keras: the weights of a plain Keras model after `fit` on the same batches."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import Recipe
from regzoo.training.engine.make_model import build_compiled_model
from regzoo.training.engine.program import Program, Training
from regzoo.training.loss_names import LOSSES_OF_TASKS, read_loss
from regzoo.training.optimizer_names import OPTIMIZERS, read_optimizer
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

EPOCHS, BATCH, ROWS, RATE = 2, 8, 40, 0.01
CLASSES, NUMBERS = Task("classification", 3), Task("regression", 2)
HEADS = {"classification": ("softmax", 3), "multilabel": ("sigmoid", 3), "regression": (None, 2)}
CLOSE = 2e-6
"""Ten steps of 0.01 on weights below 1: a few dozen roundings of 2**-24 each, seen through the optimizer's division."""


def make_rows(kind: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, 4)).astype(np.float32)
    if kind == "classification":
        return x, random.integers(3, size=ROWS)
    if kind == "multilabel":
        return x, random.integers(2, size=(ROWS, 3)).astype(np.float32)
    return x, random.normal(size=(ROWS, 2)).astype(np.float32)


def run(program: Program, seed: int) -> Training:
    objective = program.model.task.objective()
    return program.train(strengths={}, seed=seed, learning_rate=RATE, epochs=EPOCHS, objective=objective)


def make_program(task: Task, optimizer: str, loss: str | None) -> Program:
    rows = make_rows(task.kind)
    setup = TrainingSetup("mlp([5])", task, (4,), optimizer, BATCH, task.metrics[0], "digest", loss=loss)
    return Program(build_compiled_model(setup, Recipe()), rows, rows, BATCH)


def fit_keras(program: Program, seed: int, optimizer: Any, loss: Any) -> list[np.ndarray]:
    """Return the weights of a plain Keras model after `fit` on the batches of ``program``'s run with ``seed``."""
    kind = program.model.task.kind
    activation, size = HEADS[kind]
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((4,)), dense(5, "relu"), dense(size, activation, name="head")])
    program.model.reset(seed)
    model.set_weights(program.model.get_weights())
    x, y = make_rows(kind)
    y = keras.utils.to_categorical(y, 3) if kind == "classification" and not _takes_classes(loss) else y
    order = np.concatenate([program.draw_order(seed, epoch) for epoch in range(EPOCHS)])
    optimizer.build(model.trainable_variables)  # fit builds it in a graph, where ScheduleFreeAdamW's start is lost
    model.compile(optimizer, loss)
    model.fit(x[order], y[order], batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    weights: list[np.ndarray] = model.get_weights()
    return weights


def _takes_classes(loss: Any) -> bool:
    kinds = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalGeneralizedCrossEntropy)
    return isinstance(loss, kinds)


def check(task: Task, optimizer: str, own: Any, loss: str | None, own_loss: Any) -> None:
    """Check the second run of a program against Keras: the first must leave no trace."""
    program = make_program(task, optimizer, loss)
    run(program, 5)
    run(program, 3)
    found = program.model.get_weights()
    for one, other in zip(found, fit_keras(program, 3, own, own_loss), strict=True):
        np.testing.assert_allclose(one, other, rtol=CLOSE, atol=CLOSE)
    assert program.traces == 1


def make_keras_optimizer(text: str) -> Any:
    """Return Keras's own optimizer of the name and arguments of ``text``."""
    read = read_optimizer(text)
    kind = getattr(keras.optimizers, read.kind.name)
    momentum = {"momentum": 0.9} if read.name == "sgd" else {}
    return kind(learning_rate=RATE, **{**momentum, **read.given})


OTHERS = [
    *(name for name in OPTIMIZERS.classes if name != "schedule_free_adamw"),
    "sgd(momentum=0.95, nesterov=true)",
    "sgd(momentum=0, clipvalue=0.01)",
    "adam(beta_1=0.5, amsgrad=true, global_clipnorm=0.1)",
    "adamw(weight_decay=0.1, loss_scale_factor=8)",
    "adagrad(use_ema=true, ema_momentum=0.5, ema_overwrite_frequency=3)",
    "lion(gradient_accumulation_steps=3, weight_decay=0.1)",
    "muon(exclude_layers=[head], nesterov=false)",
    "adafactor(relative_step=false, clip_threshold=0.5)",
    "ftrl(l1_regularization_strength=0.01, learning_rate_power=-0.3)",
]
SLOW = [pytest.param(text, marks=pytest.mark.slow) for text in OTHERS]


@pytest.mark.parametrize("text", ["schedule_free_adamw", *SLOW])  # whose variables start from the weights
def test_every_optimizer_trains_the_weights_of_keras_fit(text: str) -> None:
    own = make_keras_optimizer(text)
    check(CLASSES, text, own, None, keras.losses.SparseCategoricalCrossentropy())


LOSSES = [
    (task, name)
    for task in (CLASSES, Task("multilabel", 3), NUMBERS)
    for name in LOSSES_OF_TASKS[task.kind]
    if task.kind != "regression" or name not in ("poisson", "mean_squared_logarithmic_error")  # outputs may be negative
]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "name"), LOSSES)
def test_every_loss_trains_the_weights_of_keras_fit(task: Task, name: str) -> None:
    text = f"{name}(axis=-1)" if name in ("dice", "tversky") else name
    read = read_loss(text)
    own = getattr(keras.losses, read.kind.name)(**read.given)
    check(task, "adam(epsilon=0.001)", keras.optimizers.Adam(RATE, epsilon=0.001), text, own)


def test_a_loss_and_an_optimizer_with_arguments_train_the_weights_of_keras_fit() -> None:
    text = "sgd(momentum=0.5, nesterov=true, use_ema=true, ema_momentum=0.6, gradient_accumulation_steps=2)"
    check(NUMBERS, text, make_keras_optimizer(text), "huber(delta=0.5)", keras.losses.Huber(delta=0.5))


def test_metrics_stay_the_tasks_own_whatever_is_minimized() -> None:
    programs = [make_program(NUMBERS, "sgd", loss) for loss in (None, "huber(delta=0.01)")]
    histories = [
        program.train(strengths={}, seed=1, learning_rate=1e-30, epochs=1, objective=NUMBERS.objective()).history
        for program in programs
    ]
    assert histories[0] == histories[1]
