"""Slots and weights: the points of a model at which regularizers act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from regzoo.core.roles import Role, infer_input_axes, infer_role, infer_unit_axes
from regzoo.core.selection import LayerPlace

SlotKind = Literal["input", "embedding", "preactivation", "activation", "branch", "code", "attention"]
"""Where in a backbone a slot lies; see `Slot`."""

SLOT_KINDS: tuple[SlotKind, ...] = get_args(SlotKind)


@dataclass(frozen=True)
class Slot:
    """A point of a backbone at which a layer can be inserted.

    Attributes:
        kind: ``input``, ``embedding`` (the tokens, with their positions added), ``preactivation`` (before the
            nonlinearity), ``activation`` (after it), ``branch`` (end of a residual branch, before the addition),
            ``code`` (an autoencoder's bottleneck) or ``attention`` (the attention weights (batch, heads, queries,
            keys), after the softmax).
        index: position among the slots of this kind, from 0 at the input.
        of: number of slots of this kind in the backbone.
        rank: number of the tensor's axes, batch included: 2 for rows (batch, features), 3 for sequences (batch, steps,
            features), 4 for images (batch, height, width, channels) and attention.
        seed: 31-bit seed for a layer inserted here; no other random stream uses it.
        layer: the layer at which it lies: the last one with weights before it, for ``attention`` the softmax, for
            ``input`` the model's input; None if it is unknown.
    """

    kind: SlotKind
    index: int
    of: int
    rank: int
    seed: int
    layer: LayerPlace | None = None


@dataclass(frozen=True)
class LayerInfo:
    """A layer that holds a weight.

    Attributes:
        name: its name: ``dense_0``.
        classes: names of its class and of the classes that it inherits from, its own first:
            ``("Conv2D", "BaseConv", "Layer")``.
    """

    name: str
    classes: tuple[str, ...] = ("Layer",)


_INFERRED: Any = None


@dataclass(frozen=True)
class Weight:
    """A trainable weight of the built model, as described to an `OnWeights` regularizer.

    Roles: ``kernel`` (multiplies inputs and sums), ``recurrent_kernel`` (multiplies the layer's own last outputs),
    ``embedding`` (a table of vectors that inputs look up), ``position`` (a vector for each position, added),
    ``bias`` (added), ``scale`` (multiplies without a sum: gamma, the slopes of PReLU), ``lora`` (a factor of a low-rank
    change of a frozen kernel), ``state`` (kept by the layer itself, such as the scales of a quantized layer).

    Only path and shape are needed: what is left out is inferred from them, for Keras's usual layouts.

    Attributes:
        path: layer and weight, for messages: ``dense_0/kernel``.
        shape: such as (inputs, units) of a dense layer, (height, width, channels, filters) of a convolution, or
            (units,) of a bias.
        role: what it does in its layer.
        unit_axes: the axes that index the units, filters, heads, or rows of a table, ascending; a unit's incoming
            weights, over which its norm is taken, lie along all other axes.
        input_axes: the axes that index the inputs, ascending; the weights that leave an input lie along all others. An
            axis that is among the unit axes too, such as the channels of a depthwise convolution, separates inputs
            that reach only units of their own.
        groups: number of equal parts of the last axis, each with inputs of its own (``groups`` of a convolution).
        layers: the layers that hold it, outermost first: a Bidirectional, its LSTM, its LSTMCell.
    """

    path: str
    shape: tuple[int, ...]
    role: Role = _INFERRED
    unit_axes: tuple[int, ...] = _INFERRED
    input_axes: tuple[int, ...] = _INFERRED
    groups: int = 1
    layers: tuple[LayerInfo, ...] = _INFERRED

    def __post_init__(self) -> None:
        rank = len(self.shape)
        self._infer("layers", lambda: (LayerInfo(self.path.rpartition("/")[0].rpartition("/")[2]),))
        self._infer("role", lambda: infer_role(self.path, rank, self.layer.classes[0]))
        self._infer("unit_axes", lambda: infer_unit_axes(self.role, rank))
        self._infer("input_axes", lambda: infer_input_axes(self.role, rank))

    def _infer(self, name: str, infer: Callable[[], Any]) -> None:
        if getattr(self, name) is _INFERRED:
            object.__setattr__(self, name, infer())

    @property
    def layer(self) -> LayerInfo:
        """The innermost layer that holds it: of an LSTM its LSTMCell, of MultiHeadAttention one of its EinsumDense."""
        return self.layers[-1]

    @property
    def kernel(self) -> bool:
        """True for a weight that multiplies inputs and sums; False for biases, scales and tables of vectors."""
        return self.role in ("kernel", "recurrent_kernel")


def describe_by_name(variable: Any) -> Weight:
    """Return the description of a Keras variable, as far as its path and shape tell it."""
    return Weight(variable.path, tuple(variable.shape))
