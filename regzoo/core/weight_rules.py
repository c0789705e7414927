"""Rules: what can be done to a weight of the built model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

Tensor = Any
"""A TensorFlow tensor; shapes are given in the docstrings."""


@dataclass(frozen=True)
class Penalty:
    """What a weight adds to the training loss.

    Attributes:
        value: ``value(w)`` is a scalar tensor; with ``beside`` it is called as ``value(w, companion)``.
        beside: makes a constant companion tensor from the weight at the start of a run: ``beside(w)``.
    """

    value: Callable[..., Tensor]
    beside: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Projection:
    """Where a weight is put after each step: ``project(w)`` has the shape of w."""

    project: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Perturbation:
    """What the training forward pass uses in place of a weight; gradients flow through it to the weight.

    Attributes:
        perturb: ``perturb(w, seed)`` has the shape of w and draws from the stream ``seed``.
    """

    perturb: Callable[[Tensor, keras.random.SeedGenerator], Tensor]


@dataclass(frozen=True)
class Companion:
    """A tensor that goes along with a weight, such as its running average; reset at the start of a run.

    Attributes:
        start: ``start(w)`` is the companion at the start of a run.
        follow: ``follow(w, companion, step)`` is called after each step, ``step`` counting from 1, and returns what
            the weight and the companion become.
    """

    start: Callable[[Tensor], Tensor]
    follow: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


Rule = Penalty | Projection | Perturbation | Companion
"""What can be done to a weight."""
