"""`autoencoder`: its layers and slots, and reconstruction after training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Objective, parse
from regzoo.training.engine.program import Program
from regzoo.training.model.build import build_model
from regzoo.training.task import Task


def structured(rows: int = 128) -> np.ndarray:
    """Return images (rows, 4, 4, 1) in a three-dimensional subspace, standardized, with a little noise."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3)) @ draw.normal(size=(3, 16)) + 0.1 * draw.normal(size=(rows, 16))
    return ((x - x.mean(0)) / x.std(0)).reshape(-1, 4, 4, 1).astype(np.float32)


def test_the_decoder_mirrors_the_encoder(announced: Callable[..., Any]) -> None:
    def layer(width: int) -> list[Any]:
        return [("preactivation", (None, width)), ("activation", (None, width))]

    assert announced("autoencoder([7, 6], code=2)", (4, 4, 1)) == [
        ("input", (None, 16)),
        *layer(7),
        *layer(6),
        *layer(2),
        ("code", (None, 2)),
        *layer(6),
        *layer(7),
        ("features", (None, 7)),
    ]


def test_weights_have_names_and_shapes_of_their_own() -> None:
    model = build_model("autoencoder([7, 6], code=2)", parse("none"), Task("reconstruction", 16), (4, 4, 1))
    assert [(w.path, tuple(w.shape)) for w in model.weights if w.path.endswith("kernel")] == [
        ("encode_0/kernel", (16, 7)),
        ("encode_1/kernel", (7, 6)),
        ("code/kernel", (6, 2)),
        ("decode_1/kernel", (2, 6)),
        ("decode_0/kernel", (6, 7)),
        ("head/kernel", (7, 16)),
    ]


def test_it_learns_to_reconstruct_in_fit() -> None:
    x = structured()
    model = build_model(
        "autoencoder([16], code=3, activation=tanh)", parse("none"), Task("reconstruction", 16), (4, 4, 1)
    )
    model.compile(keras.optimizers.Adam(0.03))
    before = model.evaluate(x, x, batch_size=128, verbose=0)[0]
    model.fit(x, x, epochs=15, verbose=0, shuffle=False)
    loss, distance = model.evaluate(x, x, batch_size=128, verbose=0)
    predicted = model.predict(x, batch_size=128, verbose=0)
    assert loss == pytest.approx(np.mean(np.square(predicted - x.reshape(-1, 16))), rel=1e-5)
    assert distance == pytest.approx(np.mean(np.abs(predicted - x.reshape(-1, 16))), rel=1e-5)
    assert before > 0.9  # the mean of standardized inputs explains nothing
    assert loss < 0.5 * before


@pytest.fixture(scope="module")
def program() -> Program:
    """Return a program with a dropout dial."""
    x = structured()
    model = build_model("autoencoder([32], code=32)", parse("dropout(0.5)"), Task("reconstruction", 16), (4, 4, 1))
    model.compile(keras.optimizers.Adam(0.01))
    return Program(model, (x[:96], x[:96]), (x[96:], x[96:]), 32)


def trained(program: Program, rate: float, seed: int) -> list[float]:
    """Return the validation error of each epoch."""
    rates = {"dropout.rate": rate}
    objective = program.model.task.objective()
    assert objective == Objective("rmse", "min")
    run = program.train(strengths=rates, seed=seed, learning_rate=0.01, epochs=30, objective=objective)
    return run.history["validation"]["rmse"]


def test_the_program_measures_it(program: Program) -> None:
    curve = trained(program, 0.0, seed=0)
    x = structured()[96:]
    distance = program.logits(x) - x.reshape(-1, 16)
    assert curve[-1] == pytest.approx(float(np.sqrt(np.mean(np.square(distance)))), rel=1e-5)
    assert curve[-1] < 0.7 * curve[0]


def test_dropout_makes_hidden_features_sparser(program: Program) -> None:
    """M5 (Srivastava 2014, figures 7 and 8): mean activations fall under dropout; the published sizes are 2.0 and 0.7.

    Direction only: all of five seeds, by chance once in 32.
    """
    hidden = keras.Model(program.model.input, program.model.get_layer("encode_0_relu").output)

    def mean_activation(rate: float, seed: int) -> float:
        trained(program, rate, seed)
        return float(np.mean(hidden(structured())))

    pairs = [(mean_activation(0.5, seed), mean_activation(0.0, seed)) for seed in range(5)]
    assert all(with_dropout < plain for with_dropout, plain in pairs), pairs


def test_under_another_task_it_is_a_bottleneck() -> None:
    model = regzoo.build("autoencoder([7], code=2)", "l2(0.1)", input_shape=(5,), classes=3)
    assert model.predict(np.ones((4, 5), np.float32), verbose=0).shape == (4, 3)


def test_the_targets_are_the_inputs_laid_flat() -> None:
    task = Task("reconstruction", 16)
    x = structured(5)
    np.testing.assert_array_equal(task.encode(x), x.reshape(5, 16))
    np.testing.assert_array_equal(task.encode(task.encode(x)), x.reshape(5, 16))
    with pytest.raises(regzoo.InputError, match="reconstruction needs inputs from 1, received 0"):
        Task("reconstruction", 0)


def test_noise_on_the_inputs_leaves_the_targets_clean() -> None:
    """For a denoising autoencoder the initial loss is that of clean targets, independent of the noise."""
    x = structured(32)
    losses = []
    for recipe in ("none", "input_dropout(0.99)"):
        model = build_model("autoencoder([16], code=3)", parse(recipe), Task("reconstruction", 16), (4, 4, 1))
        model.get_layer("head").set_weights([np.zeros((16, 16)), np.zeros(16)])
        model.compile()
        losses.append(float(model.update(x, x)[0]))
    assert losses[0] == losses[1] == pytest.approx(float(np.mean(np.square(x))), rel=1e-5)
