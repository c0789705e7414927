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


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "accumulation": lambda: SGD(0.1, gradient_accumulation_steps=2),
    "accumulation in one of several": lambda: keras.optimizers.MultiOptimizer(
        lambda variable: SGD(0.1, gradient_accumulation_steps=2)
    ),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(SGD(0.1)),
    "loss scale of several": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.MultiOptimizer(lambda variable: SGD(0.1))
    ),
}


def attach(recipe: str, optimizer: Any) -> Any:
    """Return a linear model whose kernel is 1 and 1."""
    inputs = keras.Input((2,))
    model = regzoo.attach(recipe, keras.Model(inputs, keras.layers.Dense(1, name="out")(inputs)), optimizer=optimizer)
    model.get_layer("out").set_weights([np.ones((2, 1)), np.zeros(1)])
    model._initialize_companions()
    return model


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_batch_without_a_step_moves_nothing(name: str) -> None:
    """Infinite inputs make a loss scale drop the step; the first of two batches is accumulated."""
    model = attach("weight_decay(2.0) + ema(0.9)", OPTIMIZERS[name]())
    update = tf.function(lambda x: model.update(x, STILL[1]))
    update(tf.constant(STILL[0] if "accumulation" in name else np.full((4, 2), np.inf, np.float32)))
    ((_, average), *_) = model.companions("ema")
    assert kernel_of(model) == [1.0, 1.0]
    assert average.numpy()[:, 0].tolist() == [1.0, 1.0]
    update(tf.constant(STILL[0]))
    assert kernel_of(model) == pytest.approx([0.8, 0.8], abs=1e-6)  # 1 - 0.1 * 2, as AdamW decays in each step
    assert average.numpy()[:, 0].tolist() == pytest.approx([0.8, 0.8], abs=1e-6)  # the mean of one step
    if "accumulation" in name:
        update(tf.constant(STILL[0]))
    update(tf.constant(STILL[0]))
    assert kernel_of(model) == pytest.approx([0.64, 0.64], abs=1e-6)
    assert average.numpy()[:, 0].tolist() == pytest.approx([(0.9 * 0.8 + 0.64) / 1.9] * 2, abs=1e-6)


def test_weights_decay_at_the_learning_rates_of_their_own_optimizers() -> None:
    slow, fast = SGD(0.1), SGD(0.2)
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones", name="first")(inputs)
    outputs = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="out")(hidden)
    several = keras.optimizers.MultiOptimizer(lambda variable: slow if "first" in variable.path else fast)
    model = regzoo.attach("weight_decay(2.0)", keras.Model(inputs, outputs), optimizer=several)
    for name, shape in (("first", (2, 2)), ("out", (2, 1))):
        model.get_layer(name).set_weights([np.ones(shape)])
    model.fit(*STILL, epochs=1, batch_size=4, verbose=0)
    assert model.get_layer("first").get_weights()[0] == pytest.approx(0.8, abs=1e-6)
    assert model.get_layer("out").get_weights()[0] == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("recipe", ["weight_decay(0.1)", "gradient_clip(0.1)", "gradient_noise(0.01)", "sam(0.1)"])
def test_regularizers_of_gradients_act_with_several_optimizers_as_with_one(recipe: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 2)).astype(np.float32), rng.normal(size=(12, 1)).astype(np.float32)
    kernels = []
    same, several = keras.optimizers.OptimizerMap(SGD(0.1)), keras.optimizers.MultiOptimizer
    for optimizer in (SGD(0.1), several(lambda variable: SGD(0.1)), several(same)):
        model = attach(recipe, optimizer)
        for rows in (slice(8), slice(4, 12)):
            model.update(x[rows], y[rows])
        kernels.append(kernel_of(model))
    for kernel in kernels[1:]:
        assert kernel == pytest.approx(kernels[0], abs=1e-6)
    assert kernels[0] != pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("loss", [None, "mse"])  # with a loss Keras itself takes the steps
def test_early_stopping_restores_the_average_of_one_of_several_optimizers(loss: str | None) -> None:
    """The kernel goes from 1 toward 0 and the best average is the last; `fit` ends with the weights it validated."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 2)).astype(np.float32)
    several = keras.optimizers.MultiOptimizer(lambda variable: SGD(0.3, use_ema=True, ema_momentum=0.9))
    model = attach("early_stopping(5)", several)
    model.compile(several, loss=loss)
    data = (x, STILL[1].repeat(3, axis=0))
    history = model.fit(*data, validation_data=data, epochs=3, verbose=0).history
    assert model.evaluate(*data, verbose=0, return_dict=True)["loss"] == pytest.approx(
        min(history["val_loss"]), rel=1e-5
    )
    assert history["val_loss"][-1] > 2 * history["loss"][-1]  # the average lags behind
