"""`mlp`: its layers and slots, and flattened images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot


def test_slots_stand_before_and_after_each_nonlinearity(announced: Callable[..., Any]) -> None:
    assert announced("mlp([7, 6])", (5,)) == [
        ("input", (None, 5)),
        ("preactivation", (None, 7)),
        ("activation", (None, 7)),
        ("preactivation", (None, 6)),
        ("activation", (None, 6)),
        ("features", (None, 6)),
    ]


def test_slots_know_their_place(slots: Callable[..., list[Slot]]) -> None:
    seen = slots("mlp([7, 6, 5])", (4,))
    assert [(slot.kind, slot.index, slot.of, slot.rank) for slot in seen] == [
        ("input", 0, 1, 2),
        *[(kind, index, 3, 2) for index in range(3) for kind in ("preactivation", "activation")],
    ]
    assert len({slot.seed for slot in seen}) == len(seen)


def test_images_are_flattened_before_the_input_slot(announced: Callable[..., Any]) -> None:
    assert announced("mlp([7])", (8, 8, 2))[0] == ("input", (None, 128))


@pytest.mark.parametrize("width", [7, 6])
def test_it_is_dense_layers_with_a_nonlinearity_each(width: int, rows: Any) -> None:
    model = regzoo.build(f"mlp([{width}, 6], activation=tanh)", input_shape=(5,), classes=3)
    h = rows[0]
    for name in ("dense_0", "dense_1"):
        kernel, bias = model.get_layer(name).get_weights()
        h = np.tanh(h @ kernel + bias)
    kernel, bias = model.get_layer("head").get_weights()
    # Float32 sums of at most 7 numbers near 1, three times over.
    np.testing.assert_allclose(model.logits(rows[0]), h @ kernel + bias, atol=5e-6)
    assert [w.shape for w in model.get_weights()] == [(5, width), (width,), (width, 6), (6,), (6, 3), (3,)]


def test_what_is_inserted_at_a_slot_is_what_follows_sees() -> None:
    model = regzoo.build("mlp([7, 6])", "dropout(1.0)", input_shape=(5,), classes=3)
    assert not np.any(model.logits(np.ones((2, 5), np.float32), training=True))  # zeros, and a bias that starts at 0
    assert np.any(model.logits(np.ones((2, 5), np.float32)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mlp([])", "mlp: widths takes at least one number, received an empty list"),
        ("mlp([64, 0])", "mlp: widths must lie in [1, inf), received 0"),
        ("mlp([inf])", "mlp: widths takes whole numbers in [1, inf), received inf"),
        ("mlp(activation=rleu)", "mlp: activation has no option 'rleu'. Did you mean 'relu'?"),
        ("mlp(width=[3])", "mlp has no field 'width'. Did you mean 'widths'?"),
        ("mpl([3])", "there is no backbone 'mpl'. Did you mean 'mlp'?"),
    ],
)
def test_typos_are_answered(text: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        regzoo.build(text, input_shape=(5,), classes=3)
    assert str(raised.value) == reason


def test_selu_starts_as_selu_must() -> None:
    """Klambauer et al. 2017: mean 0 and variance 1 / inputs; Glorot's is 2 / (inputs + units)."""
    wide = regzoo.build("mlp([400], activation=selu)", input_shape=(100,), classes=3)
    plain = regzoo.build("mlp([400])", input_shape=(100,), classes=3)
    # A sample variance of n near-normal draws has a relative standard error of at most sqrt(2 / n).
    tolerance = 5 * np.sqrt(2 / 40_000)
    assert wide.get_layer("dense_0").get_weights()[0].var() * 100 == pytest.approx(1, rel=tolerance)
    assert plain.get_layer("dense_0").get_weights()[0].var() * 250 == pytest.approx(1, rel=tolerance)


def test_rows_are_not_flattened() -> None:
    assert regzoo.build("mlp([4])", input_shape=(5,), classes=3).layers[1].name == "dense_0"
