"""Slots and weights: the points of a model at which regularizers act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SlotKind = Literal["input", "preactivation", "activation", "branch", "code", "attention"]
"""Where in a backbone a slot lies; see `Slot`."""

SLOT_KINDS: tuple[SlotKind, ...] = get_args(SlotKind)


@dataclass(frozen=True)
class Slot:
    """A point of a backbone at which a layer can be inserted.

    Attributes:
        kind: ``input``, ``preactivation`` (before the nonlinearity), ``activation`` (after it),
            ``branch`` (end of a residual branch), ``code`` (an autoencoder's bottleneck) or ``attention`` (the
            attention weights (batch, heads, queries, keys), after the softmax).
        index: position among the slots of this kind, from 0 at the input.
        of: number of slots of this kind in the backbone.
        rank: number of the tensor's axes, batch included: 2 for rows (batch, features), 3 for sequences (batch, steps,
            features), 4 for images (batch, height, width, channels) and attention.
        seed: 31-bit seed for a layer inserted here; no other random stream uses it.
    """

    kind: SlotKind
    index: int
    of: int
    rank: int
    seed: int


@dataclass(frozen=True)
class Weight:
    """A trainable weight of the built model, as described to an `OnWeights` regularizer.

    Attributes:
        path: layer and weight, for messages: ``dense_0/kernel``.
        shape: its shape, such as (inputs, units) of a dense layer, (height, width, channels, filters) of a convolution,
            or (units,) of a bias; the last axis counts the units or filters.
    """

    path: str
    shape: tuple[int, ...]

    @property
    def kernel(self) -> bool:
        """True for a weight that multiplies inputs (rank 2 and more); False for biases, scales and offsets."""
        return len(self.shape) >= 2
