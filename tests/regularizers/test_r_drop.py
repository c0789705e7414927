"""R-Drop: its divergence by hand, two passes with two masks, the baseline at alpha 0, and its requirements."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import entropy

import regzoo
from regzoo.core import Forward, InputError, OnActivations, OnWeights, Recipe, regularizers
from regzoo.regularizers import Dropout, RDrop
from regzoo.regularizers.r_drop import symmetric_divergence
from regzoo.testing import Harness, equal_weights, fix_strengths
from regzoo.training.model.build import build_model
from regzoo.training.model.requirements import require_noise
from regzoo.training.model.step import TrainStep
from regzoo.training.task import Task


def forward(alpha: float, passes: list[Any]) -> tuple[Any, Any]:
    """Return the logits and losses that it computes from these passes."""
    left = iter(passes)
    return RDrop(alpha).forward(Forward(lambda x, y: next(left)), None, None, None)


def trained(recipe: str, rows: Any) -> list[np.ndarray]:
    """Return the weights of a small model after two epochs, random streams and moving averages included."""
    model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
    model.fit(*rows, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return [variable.numpy() for layer in model.layers for variable in layer.variables]


def test_its_divergence_is_the_mean_of_both_directions() -> None:
    p, q = np.array([[0.5, 0.5]], np.float32), np.array([[0.9, 0.1]], np.float32)
    # ((0.5 - 0.9) log(0.5 / 0.9) + (0.5 - 0.1) log(0.5 / 0.1)) / 2
    assert symmetric_divergence(np.log(p), np.log(q)).numpy() == pytest.approx([0.43944], abs=5e-6)
    random = np.random.default_rng(0)
    many_p, many_q = random.dirichlet([1.0] * 4, 30), random.dirichlet([1.0] * 4, 30)
    expected = (entropy(many_p, many_q, axis=1) + entropy(many_q, many_p, axis=1)) / 2
    found = symmetric_divergence(np.log(many_p).astype(np.float32), (np.log(many_q) + 3.0).astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_loss_by_hand(alpha: float) -> None:
    first, second = np.log([[0.5, 0.5]]).astype(np.float32), np.log([[0.9, 0.1]]).astype(np.float32)
    logits, loss = forward(alpha, [(first, tf.constant([0.3])), (second, tf.constant([0.5]))])
    assert np.array_equal(logits, first)
    assert loss.numpy() == pytest.approx([0.4 + alpha * 0.43944], abs=2e-5)


def test_equal_passes_cost_nothing_in_value_and_gradient() -> None:
    logits = tf.Variable([[1.0, -2.0, 0.3]])
    with tf.GradientTape() as tape:
        value = symmetric_divergence(logits, tf.identity(logits))
    assert float(value[0]) == 0
    assert not np.any(tape.gradient(value, logits))


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_its_gradient_is_finite_at_any_logits(size: float) -> None:
    first, second = tf.Variable([[size, -size]]), tf.Variable([[-size, size]])
    with tf.GradientTape() as tape:
        value = symmetric_divergence(first, second)
    assert np.isfinite(value).all()
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(value, [first, second]))


def test_at_alpha_0_there_is_no_second_pass() -> None:
    logits, loss = forward(0.0, [(tf.constant([[1.0, 2.0]]), tf.constant([0.7]))])
    assert np.array_equal(logits, [[1.0, 2.0]])
    assert loss.numpy() == np.float32(0.7)


@pytest.mark.parametrize("company", ["activation_noise(0.1)", "dropout(0.5) + batch_norm(0.9)"])
def test_alpha_0_trains_the_baseline_bit_for_bit(company: str, rows: Any) -> None:
    assert all(map(np.array_equal, trained(f"{company} + r_drop(0.0)", rows), trained(company, rows)))


def test_dialled_to_0_a_traced_program_trains_the_baseline_bit_for_bit() -> None:
    harness = Harness(RDrop(2.0), "mlp([4])")
    program = harness.get_program(harness.recipe)
    strong = harness.train(harness.recipe)
    dialed = harness.train(harness.base + RDrop(0.0), program=program)
    plain = harness.train(harness.base)
    assert program.traces == 1
    assert equal_weights(dialed, plain)
    assert not equal_weights(dialed, strong)


def test_it_draws_two_masks_together() -> None:
    """After some training the two passes differ less than without it."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(64, 5)).astype(np.float32), random.integers(0, 3, 64)
    found = []
    for recipe in ("dropout(0.5)", "dropout(0.5) + r_drop(5.0)"):
        adam = keras.optimizers.Adam(0.02)
        model = regzoo.build("mlp([16])", recipe, input_shape=(5,), classes=3, seed=0, optimizer=adam)
        step = tf.function(lambda model=model: model.update(x, y))
        for _ in range(100):
            step()
        passes = [
            symmetric_divergence(model.logits(x, training=True), model.logits(x, training=True)) for _ in range(10)
        ]
        found.append(float(np.mean(passes)))
    assert found[1] < found[0] / 2


INSIDE = [name for name, kind in regularizers().items() if issubclass(kind, OnActivations | OnWeights)]


@pytest.mark.parametrize("name", INSIDE)
def test_it_goes_with_whatever_makes_two_passes_differ_and_with_nothing_else(name: str) -> None:
    """Without noise it would cost a second pass and do nothing."""
    regularizer = fix_strengths(regularizers()[name]())
    backbone = {
        "stochastic_depth": "mlp([4, 4], residual=true)",
        "attention_dropout": "transformer(8, heads=2, depth=1)",
        "embedding_dropout": "transformer(8, heads=2, depth=1)",
        "patch_dropout": "transformer(8, heads=2, depth=1)",
        "residual_dropout": "mlp([4, 4], residual=true)",
        "layer_scale": "mlp([4, 4], residual=true)",
    }
    images = {"spatial_dropout", "dropblock"}
    shape, default = ((6, 6, 1), "cnn([3], dense=4)") if name in images else ((5,), "mlp([4])")
    model = build_model(backbone.get(name, default), Recipe((regularizer,)), Task("classification", 3), shape)
    x, y = np.random.default_rng(0).normal(size=(8, *shape)).astype(np.float32), model.task.encode(np.arange(8) % 3)
    first, second = (TrainStep(model).compute_objective(x, y, None)[1] for _ in range(2))
    if np.array_equal(first, second):
        with pytest.raises(InputError, match="add one, such as"):
            require_noise(regularizer + RDrop(2.0))
    else:
        require_noise(regularizer + RDrop(2.0))


def test_what_it_refuses() -> None:
    with pytest.raises(InputError, match="two passes that differ by the noise inside the model: add one, such as"):
        regzoo.build("mlp([4])", "gaussian_noise(0.1) + r_drop(2.0)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match="r_drop needs classes"):
        regzoo.build("mlp([4])", "dropout(0.5) + r_drop(2.0)", input_shape=(5,), outputs=1)
    assert str(Dropout(0.5) + RDrop(2.0)) == "dropout(0.5) + r_drop(2.0)"
    assert str(RDrop(2.0) + Dropout(0.5)) == "r_drop(2.0) + dropout(0.5)"
