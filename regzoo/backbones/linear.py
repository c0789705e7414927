"""Linear model without a hidden layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import require_known_size
from regzoo.core import Announce, Backbone
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Linear(Backbone):
    """No layers but the head: softmax regression or linear regression on the flattened inputs.

    The baseline that any other backbone should beat. Photographs are not downsampled: 224 x 224 x 3 pixels need 1.5
    million weights for ten classes.

    Slots: ``input`` (1).

    >>> from regzoo.backbones import Linear
    >>> print(Linear())
    linear
    """

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map x (batch, ...) to features (batch, inputs)."""
        require_known_size(x)
        if len(x.shape) > 2:
            x = keras.layers.Flatten(name="flatten")(x)
        return slot("input", x)
