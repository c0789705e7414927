"""`mlp` with residual connections: its slots, outputs and weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError

Announced = tuple[str, tuple[int | None, ...]]
"""Kind of a slot, and the shape of its tensor."""


def test_branches_stand_where_a_layer_is_as_wide_as_the_one_before(announced: Callable[..., Any]) -> None:
    def layer(width: int) -> list[Announced]:
        return [("preactivation", (None, width)), ("activation", (None, width))]

    assert announced("mlp([6, 6, 4, 4], residual=true)", (6,)) == [
        ("input", (None, 6)),
        *layer(6),  # as wide as the inputs, and no residual: inputs are no hidden layer
        *layer(6),
        ("branch", (None, 6)),
        *layer(4),
        *layer(4),
        ("branch", (None, 4)),
        ("features", (None, 4)),
    ]


def test_it_adds_the_layer_to_its_input(rows: Any) -> None:
    model = regzoo.build("mlp([6, 6], activation=tanh, residual=true)", input_shape=(5,), classes=3)
    (w0, b0), (w1, b1), (w2, b2) = (model.get_layer(name).get_weights() for name in ("dense_0", "dense_1", "head"))
    h = np.tanh(rows[0] @ w0 + b0)
    h = h + np.tanh(h @ w1 + b1)
    # Float32 sums of at most 6 numbers near 1, three times over.
    np.testing.assert_allclose(model.logits(rows[0]), h @ w2 + b2, atol=5e-6)


def test_branches_end_before_the_addition(rows: Any) -> None:
    """Without branches the first layer goes on as it is; zeros after the addition would leave nothing."""
    model = regzoo.build("mlp([6, 6, 6], residual=true)", "stochastic_depth(1.0)", input_shape=(5,), classes=3)
    first, head = (model.get_layer(name).get_weights() for name in ("dense_0", "head"))
    one = keras.Model(model.input, model.get_layer("activation_0").output)(rows[0])
    np.testing.assert_allclose(one, np.maximum(rows[0] @ first[0] + first[1], 0), atol=5e-6)
    last = regzoo.build("mlp([6, 6, 6], residual=true)", "residual_dropout(1.0)", input_shape=(5,), classes=3)
    wanted = np.array(one) @ head[0] + head[1]
    np.testing.assert_allclose(last.logits(rows[0], training=True), wanted, atol=5e-6)


def test_it_has_the_weights_of_the_plain_one() -> None:
    plain, residual = (
        regzoo.build(backbone, input_shape=(5,), classes=3)
        for backbone in ("mlp([6, 6])", "mlp([6, 6], residual=true)")
    )
    for one, other in zip(plain.get_weights(), residual.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("widths", ["[8]", "[8, 4]", "[8, 4, 8]"])
def test_without_equal_widths_it_is_refused(widths: str) -> None:
    with pytest.raises(InputError) as raised:
        regzoo.build(f"mlp({widths}, residual=true)", input_shape=(8,), classes=3)
    assert str(raised.value) == (
        "mlp: residual needs a layer that is as wide as the one before it, "
        f"received widths={widths}; for example use [64, 64]"
    )


def test_it_is_spelled_as_it_is_read() -> None:
    from regzoo.backbones import Mlp

    assert str(Mlp((6, 6), residual=True)) == "mlp(widths=[6, 6], residual=true)"
    model = regzoo.build(Mlp((6, 6), residual=True), input_shape=(5,), classes=3)
    assert model.get_config()["backbone"] == "mlp(widths=[6, 6], residual=true)"
