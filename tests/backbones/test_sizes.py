"""Number of weights of each default backbone for digits, photographs and rows, with ten classes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import backbones, parse
from regzoo.training.model.build import build_model
from regzoo.training.task import Task

DIGITS, MNIST, PHOTOGRAPHS, ROWS = (8, 8, 1), (28, 28, 1), (224, 224, 3), (30,)
NAMES = sorted(backbones())


def dense(*widths: int) -> int:
    """Return the number of weights of successive dense layers, biases included."""
    return sum((inputs + 1) * units for inputs, units in itertools.pairwise(widths))


def conv(channels: int, filters: int) -> int:
    """Return the number of weights of a 3 x 3 convolution."""
    return (9 * channels + 1) * filters


def transformer(values: int, tokens: int) -> int:
    """Return that of two blocks of width 64: four products, two norms, a hidden layer of 128; the tokens' biases."""
    block = 4 * dense(64, 64) + dense(64, 128, 64) + 2 * 2 * 64
    return 64 * values + 64 * tokens + 2 * block + 2 * 64 + dense(64, 10)


WEIGHTS = {
    ("linear", DIGITS): dense(64, 10),
    ("linear", MNIST): dense(784, 10),
    ("linear", PHOTOGRAPHS): dense(224 * 224 * 3, 10),
    ("linear", ROWS): dense(30, 10),
    ("mlp", DIGITS): dense(64, 256, 256, 10),
    ("mlp", MNIST): dense(784, 256, 256, 10),
    ("mlp", PHOTOGRAPHS): dense(32 * 32 * 3, 256, 256, 10),
    ("mlp", ROWS): dense(30, 256, 256, 10),
    ("cnn", DIGITS): conv(1, 32) + conv(32, 64) + dense(2 * 2 * 64, 128, 10),
    ("cnn", MNIST): conv(1, 32) + conv(32, 64) + dense(7 * 7 * 64, 128, 10),
    ("cnn", PHOTOGRAPHS): conv(3, 32) + conv(32, 64) + dense(64, 128, 10),
    ("autoencoder", DIGITS): dense(64, 128, 32, 128, 10),
    ("autoencoder", MNIST): dense(784, 128, 32, 128, 10),
    ("autoencoder", PHOTOGRAPHS): dense(32 * 32 * 3, 128, 32, 128, 10),
    ("autoencoder", ROWS): dense(30, 128, 32, 128, 10),
    ("transformer", DIGITS): transformer(4 * 4, 4),
    ("transformer", MNIST): transformer(4 * 4, 49),
    ("transformer", PHOTOGRAPHS): transformer(16 * 16 * 3, 14 * 14),
    ("transformer", ROWS): transformer(30, 30),  # a vector for each column instead of one vector for all patches
    ("transformer", (20, 8)): transformer(8, 20),
}
"""Counted by hand; those of `resnet` are in its own test."""


def activations(model: Any) -> int:
    """Return about how many numbers a training step stores for each example: the outputs of all layers."""
    return sum(math.prod(layer.output.shape[1:]) for layer in model.layers)


def built(name: str, shape: tuple[int, ...]) -> Any:
    """Return a backbone with its defaults, as a model."""
    return regzoo.build(name, input_shape=shape, classes=10)


@pytest.mark.parametrize(("name", "shape"), WEIGHTS, ids=str)
def test_weights_are_counted_by_hand(name: str, shape: tuple[int, ...]) -> None:
    assert built(name, shape).count_params() == WEIGHTS[name, shape]


@pytest.mark.parametrize("name", NAMES)
def test_every_backbone_takes_photographs(name: str) -> None:
    """A step with a batch of 32 needs below 25 MB for weights, gradients and Adam's moments, 200 MB for activations."""
    model = built(name, PHOTOGRAPHS)
    assert 4 * 4 * model.count_params() <= 25e6
    assert 4 * 32 * activations(model) <= 200e6
    x = np.random.default_rng(0).standard_normal((2, *PHOTOGRAPHS)).astype(np.float32)
    loss, logits = model.update(x, np.array([0, 9]))
    assert np.isfinite(float(loss))
    assert logits.shape == (2, 10)


@pytest.mark.parametrize(
    ("backbone", "shape", "last"),
    [
        ("cnn", (32, 32, 3), 8),
        ("cnn", (64, 64, 3), 8),  # 32 by the first convolution, 16, 8
        ("cnn", (96, 96, 3), 12),
        ("cnn", PHOTOGRAPHS, 14),  # 112, 28, 14
        ("cnn([32, 64, 128, 128])", PHOTOGRAPHS, 3),  # ... 7, 3
        ("resnet", (32, 32, 3), 8),
        ("resnet", PHOTOGRAPHS, 14),
    ],
)
def test_final_maps_are_small(backbone: str, shape: tuple[int, ...], last: int) -> None:
    maps = [layer.output.shape for layer in built(backbone, shape).layers if len(layer.output.shape) == 4]
    assert tuple(maps[-1][1:3]) == (last, last)


@pytest.mark.parametrize(
    ("shape", "inputs"),
    [
        ((63, 63, 1), 63 * 63),  # below 64 x 64 every pixel counts
        ((64, 64, 1), 32 * 32),
        ((224, 224, 3), 32 * 32 * 3),
        ((300, 200, 1), 38 * 25),  # blocks of 8 x 8
        ((12, 224, 3), 12 * 224 * 3),
        ((8, 1024, 1), 3 * 342),  # of 3 x 3
        ((1, 9000, 1), 3000),  # of 1 x 3
        ((50, 4), 200),
    ],
)
@pytest.mark.parametrize("backbone", ["mlp([3])", "autoencoder([3], code=2)"])
def test_large_images_are_averaged_for_dense_layers(
    announced: Callable[..., Any], backbone: str, shape: tuple[int, ...], inputs: int
) -> None:
    assert announced(backbone, shape)[0] == ("input", (None, inputs))


def test_they_are_averaged_over_blocks() -> None:
    model = regzoo.build("mlp([3])", input_shape=(128, 64, 2), classes=2)
    x = np.random.default_rng(0).standard_normal((2, 128, 64, 2)).astype(np.float32)
    shrunk = model.get_layer("shrink")(x)
    assert shrunk.shape == (
        2,
        43,
        22,
        2,
    )  # blocks of 3 x 3; missing: a row below, a column on each side
    np.testing.assert_allclose(shrunk[:, 1, 2], x[:, 3:6, 5:8].mean((1, 2)), atol=1e-6)
    np.testing.assert_allclose(shrunk[:, 42, 0], x[:, 126:, :2].mean((1, 2)), atol=1e-6)  # mean of the existing pixels


def test_a_photograph_is_reconstructed_whole() -> None:
    """It uses 32 x 32 averages and a code of 32 numbers; the head has 128 weights and a bias for each value."""
    values = math.prod(PHOTOGRAPHS)
    model = build_model("autoencoder", parse("none"), Task("reconstruction", values), PHOTOGRAPHS)
    assert model.output_shape == (None, values)
    assert model.count_params() == dense(32 * 32 * 3, 128, 32, 128, values) < 20e6
