"""The length of the optimizer's step, as a proximal rule receives it: schedules, accumulation, dropped steps, fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo

SGD = keras.optimizers.SGD
DECAY = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
STILL = np.zeros((4, 2), np.float32), np.zeros((4, 1), np.float32)
"""Inputs of zero: kernels have no gradient, so they change by the proximal step alone."""


def make_model(optimizer: Any) -> Any:
    """Return a linear model whose kernel is 1 and 1, with a proximal step of twice the learning rate."""
    inputs = keras.Input((2,))
    model = regzoo.attach(
        "proximal_l1(2.0)", keras.Model(inputs, keras.layers.Dense(1, name="out")(inputs)), optimizer=optimizer
    )
    model.get_layer("out").set_weights([np.ones((2, 1)), np.zeros(1)])
    return model


def kernel_of(model: Any) -> list[float]:
    """Return the kernel."""
    values: list[float] = model.get_layer("out").get_weights()[0][:, 0].tolist()
    return values


@pytest.mark.parametrize(
    ("make", "sums"),
    [
        (lambda: SGD(0.1), [0.1, 0.2, 0.3]),
        (lambda: SGD(DECAY), [0.1, 0.15, 0.175]),  # the rate of the step itself, not of the next one
        (lambda: keras.optimizers.Adam(0.1), [0.1, 0.2, 0.3]),  # the learning rate, whatever is made of gradients
        (lambda: SGD(0.1, momentum=0.9, clipnorm=1e-3), [0.1, 0.2, 0.3]),
        (lambda: SGD(0.1, gradient_accumulation_steps=2), [0.0, 0.1, 0.1]),
        (lambda: keras.optimizers.LossScaleOptimizer(SGD(0.1)), [0.1, 0.2, 0.3]),
        (lambda: keras.optimizers.MultiOptimizer(lambda variable: SGD(0.1)), [0.1, 0.2, 0.3]),
    ],
    ids=["sgd", "schedule", "adam", "clipping", "accumulation", "loss scale", "one for each weight"],
)
def test_the_step_size_is_the_learning_rate_of_the_steps_made(make: Callable[[], Any], sums: list[float]) -> None:
    model = make_model(make())
    update = tf.function(lambda: model.update(*STILL))
    for total in sums:
        update()
        assert kernel_of(model) == pytest.approx([1 - 2 * total] * 2, abs=1e-6)


def test_a_step_that_is_not_finite_is_no_step() -> None:
    model = make_model(keras.optimizers.LossScaleOptimizer(SGD(0.1)))
    model.update(np.full((4, 2), np.inf, np.float32), STILL[1])
    assert kernel_of(model) == [1.0, 1.0]


def test_fit_follows_the_learning_rate_of_a_callback() -> None:
    model = make_model(SGD(0.1))
    rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    model.fit(*STILL, batch_size=2, epochs=2, callbacks=[rates], verbose=0)
    assert kernel_of(model) == pytest.approx([1 - 2 * (2 * 0.1 + 2 * 0.05)] * 2, abs=1e-6)


def test_rules_act_in_the_recipes_order() -> None:
    kernels = []
    for recipe in ("proximal_l1(2.0) + max_norm(0.5)", "max_norm(0.5) + proximal_l1(2.0)"):
        inputs = keras.Input((2,))
        model = regzoo.attach(
            recipe, keras.Model(inputs, keras.layers.Dense(1, name="out")(inputs)), optimizer=SGD(0.1)
        )
        model.get_layer("out").set_weights([np.array([[3.0], [4.0]]), np.zeros(1)])
        model.update(*STILL)
        kernels.append(kernel_of(model))
    # (2.8, 3.8) / 4.7202 * 0.5, and (0.3, 0.4) - 0.2.
    assert kernels[0] == pytest.approx([0.29660, 0.40253], abs=1e-5)
    assert kernels[1] == pytest.approx([0.1, 0.2], abs=1e-6)
