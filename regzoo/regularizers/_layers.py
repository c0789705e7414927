"""Layers with weights of their own, each for one regularizer. Imported only when a model is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from regzoo.core.layers import InTraining


class GroupNormalization(keras.layers.GroupNormalization):
    """Keras's layer, with as many groups as ``groups_for`` says once the shape is known.

    Args:
        groups_for: returns the number of groups for a shape (batch, ..., channels).
    """

    def __init__(self, groups_for: Callable[[Sequence[int | None]], int]) -> None:
        super().__init__()
        self.groups_for = groups_for

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Fit the groups, then make the weights."""
        self.groups = self.groups_for(input_shape)
        super().build(input_shape)


class LearnedRate(InTraining):
    """Dropout with a trainable rate, and a penalty on it.

    Args:
        drop: ``drop(h, logit, seed)`` has the shape of h.
        penalty: ``penalty(units, logit, kernels)`` is a scalar tensor.
        start: the rate's logit at the start.
        seed: the slot's seed.
    """

    def __init__(
        self,
        drop: Callable[[Any, Any, keras.random.SeedGenerator], Any],
        penalty: Callable[[int, Any, Sequence[Any]], Any],
        start: float,
        seed: int,
    ) -> None:
        super().__init__(lambda h, stream: drop(h, self.logit, stream), seed)
        self.penalty = penalty
        self.logit = self.add_weight(shape=(), initializer=keras.initializers.Constant(start), name="logit")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop, and add the penalty, while training."""
        if training:
            self.add_loss(self.penalty(inputs.shape[-1], self.logit, fed_by(self)))
        return super().call(inputs, training=training)


def fed_by(layer: Any) -> list[Any]:
    """The kernels that multiply what ``layer`` gives, whatever stands between that has none."""
    found: dict[int, Any] = {}
    for node in layer._outbound_nodes:  # Keras has no public way to ask
        own = [w for w in getattr(node.operation, "trainable_weights", ()) if len(w.shape) >= 2]
        found |= {id(kernel): kernel for kernel in own or fed_by(node.operation)}
    return list(found.values())
