"""`cnn`: its blocks and slots, and the message for inputs that are not images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import regzoo
from regzoo.core import InputError, Slot


def test_slots_stand_before_and_after_each_nonlinearity(announced: Callable[..., Any]) -> None:
    assert announced("cnn(filters=[3, 4], dense=6)", (8, 8, 1)) == [
        ("input", (None, 8, 8, 1)),
        ("preactivation", (None, 8, 8, 3)),
        ("activation", (None, 8, 8, 3)),
        ("preactivation", (None, 4, 4, 4)),
        ("activation", (None, 4, 4, 4)),
        ("preactivation", (None, 6)),
        ("activation", (None, 6)),
        ("features", (None, 6)),
    ]


def test_slots_know_their_place_and_rank(slots: Callable[..., list[Slot]]) -> None:
    seen = slots("cnn([3, 4], dense=6)", (8, 8, 1))
    assert [(slot.kind, slot.index, slot.of, slot.rank) for slot in seen] == [
        ("input", 0, 1, 4),
        *[(kind, index, 3, 4 if index < 2 else 2) for index in range(3) for kind in ("preactivation", "activation")],
    ]
    assert len({slot.seed for slot in seen}) == len(seen)


@pytest.mark.parametrize(("size", "last"), [(28, 7), (8, 2), (4, 2), (3, 3), (1, 1)])
def test_it_halves_while_there_is_something_to_halve(announced: Callable[..., Any], size: int, last: int) -> None:
    # 28 -> 14 -> 7; 8 -> 4 -> 2; 4 -> 2, then too small; 3 and 1 are never pooled.
    model = regzoo.build("cnn([2, 2], dense=3)", input_shape=(size, size, 1), classes=2)
    assert model.get_layer("flatten").output.shape[1] == last * last * 2


def test_weights_have_the_shapes_of_their_layers() -> None:
    model = regzoo.build("cnn([3, 4], dense=6)", input_shape=(8, 8, 2), classes=5)
    assert [(w.path, tuple(w.shape)) for w in model.trainable_weights] == [
        ("conv_0/kernel", (3, 3, 2, 3)),
        ("conv_0/bias", (3,)),
        ("conv_1/kernel", (3, 3, 3, 4)),
        ("conv_1/bias", (4,)),
        ("dense/kernel", (16, 6)),
        ("dense/bias", (6,)),
        ("head/kernel", (6, 5)),
        ("head/bias", (5,)),
    ]


@pytest.mark.parametrize("shape", [(5,), (7, 5)])
def test_rows_are_refused_with_the_way_out(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as raised:
        regzoo.build("cnn", input_shape=shape, classes=3)
    assert str(raised.value) == (
        f"cnn needs images (height, width, channels), received inputs of shape {shape}; use mlp for rows; "
        "transformer, or a model of your own with Conv1D, for sequences"
    )
