"""What every backbone announces at a slot: the output of which layer."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from regzoo.core import backbones
from regzoo.core._keras_compat import get_operation
from regzoo.core.component import construct
from regzoo.core.grammar import read_call
from regzoo.testing import shrink_backbone

BACKBONES = [*map(shrink_backbone, sorted(backbones())), "mlp([6, 6], residual=true)"]

MAKERS = {"activation": ("Activation",), "attention": ("Softmax",), "code": ("Activation",)}
"""Layers that make what a slot announces, where it can be one kind alone."""


@pytest.mark.parametrize("backbone", BACKBONES)
def test_activations_come_out_of_nonlinearities_and_branches_go_into_additions(backbone: str) -> None:
    seen: list[tuple[str, str]] = []

    def slot(kind: str, tensor: Any) -> Any:
        seen.append((kind, type(get_operation(tensor)).__name__))
        return tensor

    construct(read_call(backbone), backbones(), "backbone")(keras.Input((8, 8, 1)), slot)
    wrong = [(kind, layer) for kind, layer in seen if kind in MAKERS and layer not in MAKERS[kind]]
    wrong += [(kind, layer) for kind, layer in seen if kind == "preactivation" and layer in ("Activation", "Softmax")]
    wrong += [(kind, layer) for kind, layer in seen if kind == "branch" and layer in ("Add", "LayerNormalization")]
    assert wrong == []
    assert seen
