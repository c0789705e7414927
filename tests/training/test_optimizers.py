"""Fused optimizers: equal to Keras's up to rounding, with the same variables; Keras's update where none applies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import parse
from regzoo.testing.graph_ops import list_operations
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import FusedAdam, FusedAdamW, FusedRMSprop, FusedSGD, make_optimizer
from regzoo.training.task import Task

KERAS = keras.optimizers
STEPS, RATE = 40, 0.01
SHAPES = ((64, 33), (33,), (3, 3, 2, 5), ())
ULP = 2.0**-23

CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (FusedAdam, KERAS.Adam, {}),
    (FusedAdam, KERAS.Adam, {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}),
    (FusedAdam, KERAS.Adam, {"clipnorm": 0.5}),
    (FusedAdam, KERAS.Adam, {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 7}),
    (FusedAdam, KERAS.Adam, {"gradient_accumulation_steps": 3}),
    (FusedAdam, KERAS.Adam, {"weight_decay": 0.1}),
    (FusedAdamW, KERAS.AdamW, {"weight_decay": 0.1, "beta_1": 0.8}),
    (FusedSGD, KERAS.SGD, {}),
    (FusedSGD, KERAS.SGD, {"momentum": 0.9}),
    (FusedSGD, KERAS.SGD, {"momentum": 0.9, "nesterov": True}),
    (FusedRMSprop, KERAS.RMSprop, {}),
    (FusedRMSprop, KERAS.RMSprop, {"momentum": 0.9}),
]
WITHOUT_KERNEL: list[tuple[Any, Any, dict[str, Any]]] = [
    (FusedAdam, KERAS.Adam, {"amsgrad": True}),
    (FusedRMSprop, KERAS.RMSprop, {"centered": True}),
]


def make_variables(dtype: str = "float32") -> list[keras.Variable]:
    random = np.random.default_rng(0)
    return [keras.Variable(random.normal(size=shape), dtype=dtype, name=f"w{n}") for n, shape in enumerate(SHAPES)]


def train(kind: Any, options: dict[str, Any], dtype: str = "float32") -> tuple[list[np.ndarray], Any, Any]:
    """Return the weights after STEPS steps with the same gradients, the optimizer, and the step's graph."""
    weights = make_variables(dtype)
    optimizer = kind(learning_rate=RATE, name="optimizer", **options)
    optimizer.build(weights)
    step = tf.function(lambda *gradients: optimizer.apply(list(gradients), weights))
    random = np.random.default_rng(1)
    for _ in range(STEPS):
        step(*[tf.constant(random.normal(size=shape), dtype) for shape in SHAPES])
    return [weight.numpy() for weight in weights], optimizer, step.get_concrete_function(*weights)


def describe_variables(optimizer: Any) -> list[tuple[Any, ...]]:
    return [(v.path, tuple(v.shape), v.dtype) for v in optimizer.variables]


@pytest.mark.parametrize(("ours", "theirs", "options"), CASES)
def test_forty_steps_equal_those_of_keras_up_to_rounding(ours: Any, theirs: Any, options: dict[str, Any]) -> None:
    """Tolerance of a step, relative to its length: 8 roundings (ulp), and half of the difference in 1 - b2, which is
    under a root. Each addition to a weight below 8 rounds by half its ulp, 4 ULP.

    A step moves a weight by at most 3.2 RATE with Adam and RMSprop: RATE (1 - b1) / sqrt(1 - b2) (Kingma 2015, 2.1),
    RATE / sqrt(1 - rho). With SGD by RATE times the gradient, below 4; with momentum 0.9 by 10 times as much.
    """
    found, optimizer, graph = train(ours, options)
    expected, own, _ = train(theirs, options)
    assert any("Apply" in kind for kind in list_operations(graph))  # the kernel is what is compared
    assert describe_variables(optimizer) == describe_variables(own)
    assert max(np.abs(weight).max() for weight in expected) < 8
    decay = {"FusedAdam": options.get("beta_2", 0.999), "FusedRMSprop": 0.9}.get(ours.__name__, 0.0)
    kernels, keras_own = 1.0 - float(np.float32(decay)), float(np.float32(1.0 - decay))
    drift = abs(kernels - keras_own) / keras_own
    moved = RATE * (10 if "momentum" in options else 1) * (4 if ours is FusedSGD else 3.2)
    tolerance = STEPS * (moved * (8 * ULP + drift / 2) + 4 * ULP)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    for one, other in zip(optimizer.variables, own.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2 * drift + STEPS * ULP, atol=STEPS * 8 * ULP)


@pytest.mark.parametrize(("ours", "theirs", "options"), WITHOUT_KERNEL)
def test_options_without_a_kernel_equal_keras_bit_for_bit(ours: Any, theirs: Any, options: dict[str, Any]) -> None:
    found, optimizer, graph = train(ours, options)
    expected, own, _ = train(theirs, options)
    assert not any("Apply" in kind for kind in list_operations(graph))
    assert describe_variables(optimizer) == describe_variables(own)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_precisions_and_sparse_gradients_equal_keras_bit_for_bit() -> None:
    for one, other in zip(train(FusedAdam, {}, "float64")[0], train(KERAS.Adam, {}, "float64")[0], strict=True):
        np.testing.assert_array_equal(one, other)
    found = []
    for kind in (FusedSGD, KERAS.SGD):
        weight = keras.Variable(np.ones((4, 2), np.float32))
        optimizer = kind(0.1)
        optimizer.build([weight])
        optimizer.apply([tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([2]), tf.constant([4, 2]))], [weight])
        found.append(weight.numpy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0][2], [0.9, 0.8], atol=ULP)


def test_a_diverged_run_leaves_no_trace_in_rmsprop() -> None:
    weight = keras.Variable(np.ones(3, np.float32))
    optimizer = FusedRMSprop(0.1)
    optimizer.build([weight])
    optimizer.apply([tf.constant([np.nan, 1.0, 1.0])], [weight])
    assert np.isnan(weight.numpy()[0])
    for variable in (weight, *optimizer.variables[2:]):  # as the reset of a program does
        variable.assign(tf.zeros_like(variable.value))
    optimizer.apply([tf.constant([1.0, 1.0, 1.0])], [weight])
    assert len(set(weight.numpy().tolist())) == 1


def test_these_names_have_fused_optimizers() -> None:
    own = {
        "adam": KERAS.Adam(0.02),
        "adamw": KERAS.AdamW(0.02),
        "sgd": KERAS.SGD(0.02, momentum=0.9),
        "rmsprop": KERAS.RMSprop(0.02),
    }
    for name, expected in own.items():
        made = make_optimizer(name, 0.02)
        assert type(made).__name__ == f"Fused{type(expected).__name__}"
        assert isinstance(made, type(expected))
        assert {**made.get_config(), "name": ""} == {**expected.get_config(), "name": ""}


@pytest.mark.parametrize(
    "name", ["adamw(weight_decay=0.1)", *(pytest.param(n, marks=pytest.mark.slow) for n in ("adam", "sgd", "rmsprop"))]
)
def test_fit_continues_after_saving_and_loading(name: str, rows: Any, tmp_path: Path) -> None:
    x, y = rows
    model = build_model("mlp([4])", parse("l2(0.01)"), Task("classification", 3), (5,))
    model.compile(make_optimizer(name, 0.05))
    model.fit(x, y, epochs=1, batch_size=20, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)
    for one, other in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for each in (model, loaded):
        each.fit(x, y, epochs=1, batch_size=20, shuffle=False, verbose=0)
    for one, other in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
