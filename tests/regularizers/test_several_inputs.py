"""Regularizers that act on inputs, on a model with several of them: on every input of floats, and on nothing else."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import Forward, InputError, OnBatch, parse
from regzoo.regularizers import Adversarial, Jacobian, Mixup

Y = np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]


def make_inputs() -> dict[str, Any]:
    random = np.random.default_rng(0)
    numbers = {name: tf.constant(random.normal(size=(4, size)), tf.float32) for name, size in (("a", 3), ("b", 5))}
    return {**numbers, "tokens": tf.constant([[1, 2], [3, 4], [5, 6], [7, 8]]), "word": tf.constant([*"wxyz"])}


@pytest.mark.parametrize("text", ["gaussian_noise(0.5)", "input_dropout(0.5)", "cutout(0.5)"])
def test_noise_changes_every_input_of_floats_and_nothing_else(text: str) -> None:
    (regularizer,) = parse(text)
    assert isinstance(regularizer, OnBatch)
    x = make_inputs()
    changed, y = regularizer.batch(x, Y, keras.random.SeedGenerator(1))
    assert {name for name in x if not np.array_equal(x[name], changed[name])} == {"a", "b"}
    assert np.array_equal(y, Y)
    alone, _ = regularizer.batch(x["a"], Y, keras.random.SeedGenerator(1))
    assert np.array_equal(alone, changed["a"])  # the first of several is drawn like the only one
    with pytest.raises(InputError, match="needs inputs of floating numbers"):
        regularizer.batch({"tokens": x["tokens"]}, Y, keras.random.SeedGenerator(1))


def test_mixup_mixes_all_inputs_with_one_weight_and_one_partner() -> None:
    x = {name: make_inputs()[name] for name in ("a", "b")}
    whole = tf.concat(list(x.values()), 1)
    mixed, y = Mixup(1.0).batch(x, Y, keras.random.SeedGenerator(3))
    expected, expected_y = Mixup(1.0).batch(whole, Y, keras.random.SeedGenerator(3))
    assert np.array_equal(tf.concat(list(mixed.values()), 1), expected)
    assert np.array_equal(y, expected_y)
    with pytest.raises(InputError, match="mixup averages them"):
        Mixup(1.0).batch(make_inputs(), Y, keras.random.SeedGenerator(3))


@pytest.mark.parametrize("regularizer", [Adversarial(0.3), Jacobian(2.0)], ids=["adversarial", "jacobian"])
def test_derivatives_are_those_of_all_inputs_of_floats_together(regularizer: Adversarial | Jacobian) -> None:
    """A model of two inputs that joins them is a model of the joined input."""
    x = make_inputs()
    kernel = tf.constant(np.random.default_rng(1).normal(size=(8, 2)), tf.float32)

    def run_joined(values: Any, y: Any) -> tuple[Any, Any]:
        logits = tf.tanh(values @ kernel)
        return logits, tf.nn.softmax_cross_entropy_with_logits(y, logits)

    def run_several(values: Any, y: Any) -> tuple[Any, Any]:
        return run_joined(tf.concat([values["a"], values["b"]], 1), y)

    joined = tf.concat([x["a"], x["b"]], 1)
    logits, loss = regularizer.forward(Forward(run_several), x, Y, keras.random.SeedGenerator(2))
    expected = regularizer.forward(Forward(run_joined), joined, Y, keras.random.SeedGenerator(2))
    np.testing.assert_allclose(logits, expected[0], rtol=1e-6)
    np.testing.assert_allclose(loss, expected[1], rtol=1e-5)
    assert not np.allclose(loss, run_joined(joined, Y)[1])
    with pytest.raises(InputError, match="needs inputs of floating numbers"):
        regularizer.forward(Forward(run_several), {"tokens": x["tokens"]}, Y, keras.random.SeedGenerator(2))
