"""`resnet`: its stages, blocks and slots, and the variance of its initial activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError


def test_a_block_has_two_nonlinearities_and_a_branch(announced: Callable[..., Any]) -> None:
    first, second = (None, 8, 8, 3), (None, 4, 4, 5)
    assert announced("resnet([3, 5], blocks=1)", (8, 8, 1)) == [
        ("input", (None, 8, 8, 1)),
        *[("preactivation", first), ("activation", first)] * 2,
        ("branch", first),
        *[("preactivation", first), ("activation", first)],
        *[("preactivation", second), ("activation", second)],
        ("branch", second),
        *[("preactivation", second), ("activation", second)],
        ("features", (None, 5)),
    ]


@pytest.mark.parametrize(
    ("size", "maps"),
    [
        (3, [3, 3, 3]),
        (8, [8, 4, 2]),
        (32, [32, 16, 8]),
        (64, [32, 16, 8]),
        (96, [48, 24, 12]),
        (128, [32, 16, 8]),
        (224, [56, 28, 14]),
    ],
)
def test_it_halves_while_there_is_something_to_halve(announced: Callable[..., Any], size: int, maps: list[int]) -> None:
    slots = announced("resnet([2, 2, 2], blocks=1)", (size, size, 1))
    assert [shape[1] for kind, shape in slots if kind == "branch"] == maps


def test_weights_have_the_shapes_of_their_layers() -> None:
    model = regzoo.build("resnet([3, 5], blocks=2)", input_shape=(8, 8, 2), classes=4)
    assert {w.path: tuple(w.shape) for w in model.trainable_weights if w.path.endswith("kernel")} == {
        "conv/kernel": (3, 3, 2, 3),
        "block_0_0_conv_0/kernel": (3, 3, 3, 3),
        "block_0_0_conv_1/kernel": (3, 3, 3, 3),
        "block_0_1_conv_0/kernel": (3, 3, 3, 3),
        "block_0_1_conv_1/kernel": (3, 3, 3, 3),
        "block_1_0_shortcut/kernel": (1, 1, 3, 5),  # only where the map or its filters change
        "block_1_0_conv_0/kernel": (3, 3, 3, 5),
        "block_1_0_conv_1/kernel": (3, 3, 5, 5),
        "block_1_1_conv_0/kernel": (3, 3, 5, 5),
        "block_1_1_conv_1/kernel": (3, 3, 5, 5),
        "head/kernel": (5, 4),
    }


def test_photographs_cost_no_more_weights_than_digits() -> None:
    digits, photographs = (
        regzoo.build("resnet", input_shape=shape, classes=10) for shape in [(8, 8, 1), (224, 224, 3)]
    )
    assert photographs.count_params() - digits.count_params() == 3 * 3 * 2 * 16  # two more channels to start from


@pytest.mark.parametrize("depth", [1, 12])
def test_branches_start_at_their_share_of_the_variance(depth: int) -> None:
    """De and Smith 2020: 1 / depth each, so that the variance after all of them is at most e times the first one's.

    He's normal has variance 2 / fan-in; the last kernel of a branch has 1 / depth of that. A sample variance of n
    truncated normals has a relative standard error below sqrt(2 / n).
    """
    model = regzoo.build(f"resnet([32], blocks={depth})", input_shape=(4, 4, 1), classes=2)
    tolerance = 5 * np.sqrt(2 / (9 * 32 * 32))
    for name, share in (("conv_0", 1.0), ("conv_1", 1.0 / depth)):
        kernel = model.get_layer(f"block_0_{depth - 1}_{name}").get_weights()[0]
        assert kernel.var() * (9 * 32) / 2 == pytest.approx(share, rel=tolerance)


def test_a_deep_one_does_not_explode() -> None:
    """With He initialization alone the variance would grow by a factor near 2 in each of forty blocks."""
    model = regzoo.build("resnet([8], blocks=40)", input_shape=(8, 8, 1), classes=2)
    x = np.random.default_rng(0).standard_normal((16, 8, 8, 1)).astype(np.float32)
    first, last = keras.Model(model.input, [model.get_layer(name).output for name in ("conv", "block_0_39_add")])(x)
    growth = float(np.var(last) / np.var(first))
    # e is the expectation over kernels of very wide maps without a border; 8 filters vary around it.
    assert 1.0 < growth < 20.0


def test_batch_norm_stands_where_the_paper_has_it() -> None:
    model = regzoo.build(
        "resnet([3], blocks=2)", "batch_norm(0.9) + stochastic_depth(0.2)", input_shape=(8, 8, 1), classes=3
    )
    assert model.hits == {"batch_norm": 5, "stochastic_depth": 2}


@pytest.mark.parametrize("shape", [(5,), (7, 5)])
def test_rows_are_refused_with_the_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as raised:
        regzoo.build("resnet", input_shape=shape, classes=3)
    assert str(raised.value) == (
        f"resnet needs images (height, width, channels), received inputs of shape {shape}; "
        "use mlp(residual=true) for rows; transformer, or a model of your own with Conv1D, for sequences"
    )


def test_kernels_start_with_the_variance_of_their_inputs() -> None:
    """2 / fan-in where ReLU halves it, 1 / fan-in for tanh, and that of a branch's last kernel by the branches."""
    for activation, gain in (("relu", 2.0), ("tanh", 1.0)):
        spelled = f"resnet(filters=[16, 48], blocks=1, activation={activation})"
        model = regzoo.build(spelled, "none", input_shape=(8, 8, 4), classes=3, seed=1)
        for name, share in (("conv", 1.0), ("block_1_0_conv_0", 1.0), ("block_1_0_conv_1", 0.5)):
            kernel = model.get_layer(name).get_weights()[0]
            expected = share * gain / np.prod(kernel.shape[:3])
            # Five standard errors of a variance; those of a truncated normal are smaller than sqrt(2 / n).
            assert kernel.var() == pytest.approx(expected, rel=5 * np.sqrt(2 / kernel.size))
