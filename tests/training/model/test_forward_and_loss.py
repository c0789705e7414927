"""Regularizers of the loss beside those that run the model several times: each pass has the loss that they make."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import (
    Forward,
    Gradients,
    OnBatchLoss,
    OnForward,
    OnGradients,
    OnLoss,
    Recipe,
    Regularizer,
    parse,
    regularizers,
)
from regzoo.testing.harness import fix_strengths
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.model.step import TrainStep
from regzoo.training.task import Task

Pass = Callable[[Any, Any], Any]
TASK = Task("classification", 3)
X = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
Y = np.arange(8) % 3
WEIGHTS = np.arange(8, dtype=np.float32) / 3
ENCODED = tf.one_hot(Y, 3)


def list_of(place: type[Regularizer]) -> list[str]:
    """Return the regularizers of a place, with a number for each strength; those that act on losses act strongly."""
    strong = {"flooding": "flooding(1.5)", "confidence_penalty": "confidence_penalty(0.5)"}
    found = {name: kind for name, kind in regularizers().items() if issubclass(kind, place)}
    return [strong.get(name, str(fix_strengths(kind()))) for name, kind in found.items()]


LOSSES = list_of(OnLoss)
PAIRS = list(itertools.product(list_of(OnForward), LOSSES))
STEPS = list(itertools.product(list_of(OnGradients), LOSSES))


def build(recipe: Recipe) -> RegularizedModel:
    """Return a model of four hidden units, with dropout so that passes differ."""
    model = build_model("mlp([4])", parse("dropout(0.5)") + recipe, TASK, (5,))
    model.compile(keras.optimizers.SGD(1.0))
    return model


def run_with(forwards: list[Any], run: Pass, model: RegularizedModel) -> Pass:
    """Return the pass ``run`` as at most one regularizer changes it."""
    if not forwards:
        return run
    (one,) = forwards
    return lambda x, y: one.forward(Forward(run), x, y, model.get_stream(one))


def compose(model: RegularizedModel, weight: Any = None) -> Any:
    """Return the loss to minimize, put together by hand: every pass has the loss that `OnLoss` makes of it."""
    losses = model.get_regularizers(OnLoss)

    def run(x: Any, y: Any) -> tuple[Any, Any]:
        logits = model.logits(x, training=True)
        per_example = TASK.loss(y, logits)
        for each in losses:
            per_example = per_example if isinstance(each, OnBatchLoss) else each.loss(y, logits, per_example)
        return logits, per_example

    logits, per_example = run_with(model.get_regularizers(OnForward), run, model)(tf.constant(X), ENCODED)
    for each in losses:
        per_example = each.loss(ENCODED, logits, per_example, weight) if isinstance(each, OnBatchLoss) else per_example
    return tf.reduce_mean(per_example if weight is None else weight * per_example)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("pair", PAIRS, ids=" + ".join)
def test_every_pass_has_the_loss_that_regularizers_make(pair: tuple[str, str], weight: Any) -> None:
    """In either order of the recipe."""
    found = []
    for order in (pair, pair[::-1]):
        model = build(parse(" + ".join(order)))
        model.reset(0)
        found.append(float(TrainStep(model).compute_objective(tf.constant(X), ENCODED, weight)[0]))
    model.reset(0)
    assert found == pytest.approx([float(compose(model, weight))] * 2, rel=1e-6)


@dataclass(frozen=True)
class Nothing(OnLoss):
    """Takes the task's loss away."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """Return zeros, (batch,)."""
        return 0.0 * per_example


@pytest.mark.slow
@pytest.mark.parametrize("forward", list_of(OnForward))
def test_only_a_penalty_is_left_where_the_loss_is_taken_away(forward: str) -> None:
    """It does not depend on the targets: no pass has kept the task's loss."""
    model = build(parse(forward) + Nothing())
    found = []
    for targets in (ENCODED, tf.reverse(ENCODED, [1])):
        model.reset(0)
        found.append(float(TrainStep(model).compute_objective(tf.constant(X), targets, None)[0]))
    assert found[0] == found[1]
    assert (found[0] == 0.0) == forward.startswith("adversarial")


@pytest.mark.slow
@pytest.mark.parametrize("pair", STEPS, ids=" + ".join)
def test_every_gradient_is_that_of_the_loss_that_regularizers_make(pair: tuple[str, str]) -> None:
    model = build(parse(" + ".join(pair)))
    model.reset(0)
    start = [weight.numpy() for weight in model.trainable_variables]
    model.update(X, Y)
    stepped = [weight.numpy() for weight in model.trainable_variables]
    model.reset(0)
    (regularizer,) = model.get_regularizers(OnGradients)
    streams = [keras.ops.copy(state) for state in model.states]

    def compute() -> list[Any]:
        for state, value in zip(model.states, streams, strict=True):
            state.assign(value)  # a second pass has the noise of the first
        with tf.GradientTape() as tape:
            loss = compose(model)
        return list(tape.gradient(loss, [weight.value for weight in model.trainable_variables]))

    step = TrainStep(model)
    rate, stream = model.optimizer.learning_rate, model.get_stream(regularizer)
    gradients = Gradients(compute, rate, tf.constant(0), stream, step._describe)
    result = regularizer.gradients(gradients, model.trainable_variables)
    for before, now, gradient, after in zip(start, model.trainable_variables, result, stepped, strict=True):
        moved = now.numpy() - before  # by weight decay itself
        np.testing.assert_allclose(after, before + moved - np.array(gradient), atol=1e-6)


@pytest.mark.parametrize("recipe", ["adversarial(0.3) + focal(2.0)", "focal(2.0) + adversarial(0.3)"])
def test_the_attacked_half_is_focused_too(recipe: str) -> None:
    """By hand: x = 2, kernel (1, -1): logits (2, -2), p = 0.98201; attacked x = 1.7: p = 0.96770."""
    model = regzoo.build("linear", recipe, input_shape=(1,), classes=2, optimizer=keras.optimizers.SGD(0.1))
    model.get_layer("head").set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    loss = float(model.update(np.array([[2.0]], np.float32), np.array([0]))[0])
    # (0.01799^2 * 0.01815 + 0.03230^2 * 0.03283) / 2 = (5.87e-6 + 3.42e-5) / 2; unfocused, the second is 0.0147.
    assert loss == pytest.approx(2.0e-5, rel=0.01)


def test_flooding_takes_the_mean_of_both_halves() -> None:
    """By hand: losses 0.01815 and 0.03283, mean 0.02549, level 0.025 below and 0.03 above it."""
    for level, expected in ((0.025, 0.02549), (0.03, 0.06 - 0.02549)):
        model = regzoo.build("linear", f"flooding({level}) + adversarial(0.3)", input_shape=(1,), classes=2)
        model.get_layer("head").set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
        loss = float(model.update(np.array([[2.0]], np.float32), np.array([0]))[0])
        assert loss == pytest.approx(expected, abs=2e-5)
