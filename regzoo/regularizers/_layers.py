"""Keras layers with weights, each for one regularizer. Imported only when a model is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from regzoo.core import InputError
from regzoo.core._keras_compat import list_consumers
from regzoo.core.layers import InTraining
from regzoo.core.weights import describe_weights
from regzoo.regularizers._padding import weigh_present


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

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Return the normalized inputs (batch, ..., channels); padding, where ``mask`` is false, is not averaged."""
        if mask is None:
            return super().call(inputs)
        h = keras.ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        *positions, channels = keras.ops.shape(h)
        grouped = keras.ops.reshape(h, (*positions, self.groups, channels // self.groups))
        axes = (*range(1, len(h.shape) - 1), len(h.shape))

        def add(values: Any) -> Any:
            return keras.ops.sum(weigh_present(values, mask), axis=axes, keepdims=True)  # (batch, 1, ..., groups, 1)

        count = keras.ops.maximum(add(keras.ops.ones_like(grouped)), 1.0)
        centered = grouped - add(grouped) / count
        variance = add(keras.ops.square(centered)) / count
        normalized = keras.ops.reshape(centered * keras.ops.rsqrt(variance + self.epsilon), keras.ops.shape(h))
        return keras.ops.cast(normalized * self.gamma + self.beta, self.compute_dtype)


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


class StartAt(keras.initializers.Initializer):
    """Start every number of a weight at one value.

    Args:
        value: a number, or the dial that holds it when the weight is drawn.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Return the initial weight."""
        return keras.ops.broadcast_to(keras.ops.cast(keras.ops.convert_to_tensor(self.value), dtype), shape)


class ChannelScale(keras.Layer):
    """Multiply each channel of h (batch, ..., channels) by a trained number.

    Args:
        start: the initial scale, a number or a dial.
    """

    def __init__(self, start: Any) -> None:
        super().__init__()
        self.gamma_initializer = StartAt(start)
        self.supports_masking = True

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the scales."""
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer=self.gamma_initializer, name="gamma")

    def call(self, inputs: Any) -> Any:
        """Return the scaled inputs."""
        return inputs * self.gamma

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the input's shape."""
        return input_shape


class Shortened(InTraining):
    """Leave out positions of h (batch, positions, channels) in training.

    Args:
        perturb: as for `InTraining`, but it returns (batch, fewer positions, channels).
        seed: the slot's seed.
        regularizer: the regularizer's name, for messages.
    """

    def __init__(self, perturb: Callable[[Any, keras.random.SeedGenerator], Any], seed: int, regularizer: str) -> None:
        super().__init__(perturb, seed)
        self.regularizer = regularizer

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Refuse a mask, which has a place for each position."""
        if previous_mask is not None:
            raise InputError(
                f"{self.regularizer} leaves out tokens, and a mask (such as that of mask_zero=True) has a place for "
                "each of them: leave it out, or train without a mask"
            )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape with the number of positions left open, since it differs between training and inference."""
        return (input_shape[0], None, *input_shape[2:])
