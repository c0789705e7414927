"""Keras layers with weights, each for one regularizer. Imported only when a model is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from regzoo.core._keras_compat import list_consumers
from regzoo.core.layers import InTraining
from regzoo.core.weights import describe_weights


class GroupNormalization(keras.layers.GroupNormalization):
    """Keras's layer, with a number of groups that depends on the shape of the input.

    Args:
        choose_groups: returns the number of groups for a shape (batch, ..., channels).
    """

    def __init__(self, choose_groups: Callable[[Sequence[int | None]], int]) -> None:
        super().__init__()
        self.choose_groups = choose_groups

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Choose the number of groups, then create the weights."""
        self.groups = self.choose_groups(input_shape)
        super().build(input_shape)


class LearnedRate(InTraining):
    """Dropout with a trainable rate, and a penalty that depends on the rate.

    Args:
        drop: ``drop(h, logit, seed)`` returns the masked activations, of the shape of h.
        penalty: ``penalty(units, logit, kernels)`` returns a scalar tensor.
        start: initial logit of the rate.
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
        """Return the masked inputs in training, and add the penalty; at inference return the inputs."""
        if training:
            self.add_loss(self.penalty(inputs.shape[-1], self.logit, list_fed_kernels(self)))
        return super().call(inputs, training=training)


def list_fed_kernels(layer: Any) -> list[Any]:
    """Return the kernels that multiply the output of ``layer``, looking through layers without kernels.

    A recurrent kernel multiplies the outputs of its own layer.
    """
    found: dict[int, Any] = {}
    for consumer in list_consumers(layer):
        described = describe_weights(consumer) if isinstance(consumer, keras.Layer) else ()
        own = [w for w, weight in described if w.trainable and weight.role in ("kernel", "embedding")]
        found |= {id(kernel): kernel for kernel in own or list_fed_kernels(consumer)}
    return list(found.values())
