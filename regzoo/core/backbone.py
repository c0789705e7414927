"""Backbone: builds layers and announces its slots; it knows no regularizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regzoo.core.component import Component
from regzoo.core.slots import Kind

Announce = Callable[[Kind, Any], Any]
"""``slot(kind, tensor) -> tensor``: announces a slot and returns what the layers after it receive."""


@dataclass(frozen=True)
class Backbone(Component, ABC):
    """The layers between the input and the head.

    Every layer with weights has a name of its own, so that its initial values depend on nothing else.
    """

    @abstractmethod
    def __call__(self, x: Any, slot: Announce) -> Any:
        """Return the features (batch, features) of the standardized input ``x``, announcing slots on the way."""
