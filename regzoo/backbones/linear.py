"""A linear model: no hidden layer at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.backbones._images import refuse_unknown
from regzoo.core import Announce, Backbone
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Linear(Backbone):
    """Hand the inputs to the head as they are, flattened: the head is the model.

    Softmax regression or linear regression, the floor that any other backbone has to beat. Photographs are not made
    smaller: 224 x 224 x 3 pixels take 1.5 million weights for ten classes.

    Slots: ``input`` (1).

    >>> from regzoo.backbones import Linear
    >>> print(Linear())
    linear
    """

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map x (batch, ...) to features (batch, inputs)."""
        refuse_unknown(x)
        if len(x.shape) > 2:
            x = keras.layers.Flatten(name="flatten")(x)
        return slot("input", x)
