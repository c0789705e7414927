"""Base class `Backbone`: the layers between input and head, which know no regularizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from regzoo.core.component import Component
from regzoo.core.selection import LayerKind
from regzoo.core.slots import SlotKind

Announce = Callable[[SlotKind, Any], Any]
"""``slot(kind, tensor) -> tensor``: announces a slot and returns the tensor for the layers after it."""


@dataclass(frozen=True)
class Backbone(Component, ABC):
    """The layers between the input and the head.

    Every layer with weights has a name, from which its initial values are seeded, so that they depend on nothing else.
    """

    layer_kinds: ClassVar[Mapping[str, LayerKind]] = {}
    """Kinds of layers by a pattern of their names, where the class does not tell them (a Dense in an attention)."""

    @abstractmethod
    def __call__(self, x: Any, slot: Announce) -> Any:
        """Build the layers and announce their slots; return the features (batch, features).

        Args:
            x: standardized inputs, (batch, ...).
            slot: announces a slot.
        """
