"""How a backbone is looked at: the slots it announces, and the models it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regzoo.core import Slot, backbones
from regzoo.core.component import construct
from regzoo.core.grammar import read_call


@pytest.fixture(autouse=True)
def _imported(tensorflow: None) -> None:
    """Every backbone builds layers."""


@pytest.fixture
def announced() -> Callable[..., list[tuple[str, tuple[int | None, ...]]]]:
    """``announced(backbone, shape)``: the kind and the tensor's shape at each slot, and of the features, in order."""
    import keras

    def look(backbone: str, shape: tuple[int, ...]) -> list[tuple[str, tuple[int | None, ...]]]:
        seen: list[tuple[str, tuple[int | None, ...]]] = []

        def slot(kind: str, tensor: Any) -> Any:
            seen.append((kind, tuple(tensor.shape)))
            return tensor

        features = construct(read_call(backbone), backbones(), "backbone")(keras.Input(shape), slot)
        return [*seen, ("features", tuple(features.shape))]

    return look


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Slot]]:
    """``slots(backbone, shape)``: every slot as a regularizer sees it."""
    import regzoo
    from regzoo.regularizers import Dropout

    def look(backbone: str, shape: tuple[int, ...]) -> list[Slot]:
        seen: list[Slot] = []
        layer = Dropout.layer

        def spy(self: Any, slot: Slot) -> Any:
            seen.append(slot)
            return layer(self, slot)

        monkeypatch.setattr(Dropout, "layer", spy)
        regzoo.build(backbone, "dropout(0.5)", input_shape=shape, classes=3)
        return seen

    return look
