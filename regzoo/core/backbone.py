"""Base class `Backbone`: the layers between input and head, which know no regularizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from regzoo.core.component import Component
from regzoo.core.errors import InputError
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

    def call_on_tokens(self, x: Any, vocabulary_size: int, slot: Announce) -> Any:
        """Build the layers for tokens in place of numbers; return the features (batch, features).

        Args:
            x: whole numbers (batch, steps) from 0 to ``vocabulary_size`` - 1; 0 is padding, which is masked.
            vocabulary_size: number of rows of the table that the tokens look up.
            slot: announces a slot; there is none at the tokens themselves, which are no numbers to change.

        Raises:
            InputError: unless the backbone takes tokens.
        """
        raise InputError(
            f"{self.name} takes numbers, and the data holds tokens or text: take transformer, or a model of your own "
            "that begins with an Embedding; or give vectors of numbers"
        )
