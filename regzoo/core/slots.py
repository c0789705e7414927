"""Slots and weights: what a backbone shows to a regularizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["input", "preactivation", "activation", "branch", "code", "attention"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Slot:
    """A point of a backbone at which a layer can be inserted.

    Attributes:
        kind: ``input``, ``preactivation`` (before the nonlinearity), ``activation`` (after it),
            ``branch`` (end of a residual branch), ``code`` (an autoencoder's bottleneck) or ``attention`` (the
            attention weights (batch, heads, queries, keys), after the softmax).
        index: position among the slots of this kind, from 0.
        of: how many slots of this kind the backbone has.
        rank: rank of the tensor with its batch axis: 2 for rows, 3 for sequences, 4 for images and attention.
        seed: seed of whatever is inserted here; no other stream uses it.
    """

    kind: Kind
    index: int
    of: int
    rank: int
    seed: int


@dataclass(frozen=True)
class Weight:
    """A trainable weight of the built model, as an `OnWeights` regularizer sees it.

    Attributes:
        path: where it belongs, for messages: ``dense_0/kernel``.
        shape: its shape; the last axis counts the units or filters.
    """

    path: str
    shape: tuple[int, ...]

    @property
    def kernel(self) -> bool:
        """True for what multiplies inputs (rank 2 and more); False for biases, scales and offsets."""
        return len(self.shape) >= 2
