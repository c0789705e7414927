"""Fixtures that list the slots that a backbone announces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regzoo.core import Slot, backbones
from regzoo.core.component import construct
from regzoo.core.grammar import read_call


@pytest.fixture(autouse=True)
def _imported(tensorflow: None) -> None:
    """Import TensorFlow first, since every backbone builds layers."""


@pytest.fixture
def announced() -> Callable[..., list[tuple[str, tuple[int | None, ...]]]]:
    """Return ``announced(backbone, shape)``: kind and tensor shape of each slot and of the features, in order."""
    import keras

    def list_slots(backbone: str, shape: tuple[int, ...]) -> list[tuple[str, tuple[int | None, ...]]]:
        seen: list[tuple[str, tuple[int | None, ...]]] = []

        def slot(kind: str, tensor: Any) -> Any:
            seen.append((kind, tuple(tensor.shape)))
            return tensor

        features = construct(read_call(backbone), backbones(), "backbone")(keras.Input(shape), slot)
        return [*seen, ("features", tuple(features.shape))]

    return list_slots


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Slot]]:
    """Return ``slots(backbone, shape)``: every slot as passed to a regularizer."""
    import regzoo
    from regzoo.regularizers import Dropout

    def list_slots(backbone: str, shape: tuple[int, ...]) -> list[Slot]:
        seen: list[Slot] = []
        layer = Dropout.layer

        def spy(self: Any, slot: Slot) -> Any:
            seen.append(slot)
            return layer(self, slot)

        monkeypatch.setattr(Dropout, "layer", spy)
        regzoo.build(backbone, "dropout(0.5)", input_shape=shape, classes=3)
        return seen

    return list_slots
