"""Rules for one weight of the built model, from a penalty on it to a companion that is kept for it."""

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
    """A term of the training loss.

    Attributes:
        value: ``value(w)`` returns the term, a scalar tensor; with ``companion`` it is called as ``value(w, c)``.
        companion: ``companion(w)`` returns a tensor c from the weight at the start of a run; c then stays constant.
    """

    value: Callable[..., Tensor]
    companion: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Projection:
    """A change of a weight after each step.

    Attributes:
        project: ``project(w)`` returns the new weight, of the shape of w.
    """

    project: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Proximal:
    """A change of a weight after each step that is as strong as the step is long: the proximal map of a penalty.

    Attributes:
        prox: ``prox(w, step_size)`` returns the new weight, of the shape of w. The scalar tensor ``step_size`` is the
            learning rate of this step, from a schedule too, whatever the optimizer makes of the gradients; it is 0, and
            w has to stay, where the optimizer made no step: it accumulated gradients, or found some that are not
            finite.
    """

    prox: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Reparametrization:
    """A function of a weight that its layer uses in place of the weight, in training and at inference.

    Gradients flow through it to the weight; all else (penalties, projections, averages, files) sees the weight itself.
    A weight that is frozen when the model is made is used as it is, then and later. Noise on the weight
    (`Perturbation`) is added to the function's value.

    Attributes:
        compute: ``compute(w)`` returns the tensor to use, of the shape of w.
    """

    compute: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Perturbation:
    """A change of a weight in the training forward pass only; gradients flow through it to the weight.

    Attributes:
        perturb: ``perturb(w, seed)`` returns the weight to use, of the shape of w, with noise from the stream ``seed``.
    """

    perturb: Callable[[Tensor, keras.random.SeedGenerator], Tensor]


@dataclass(frozen=True)
class Companion:
    """A tensor kept for a weight, such as its running average; reset at the start of a run.

    Attributes:
        start: ``start(w)`` returns the companion at the start of a run.
        follow: ``follow(w, companion, step)`` is called after each step, with an integer ``step`` from 1, and returns
            the new weight and the new companion.
        average: ``average(w, companion)`` returns the weight to judge after each epoch, and to end with, in place of w;
            training goes on from w. None for w itself.
        replaces: whether ``average`` depends on the companion alone. Such averages are taken last, in whichever order
            the recipe is written, so that no other is made of them.
    """

    start: Callable[[Tensor], Tensor]
    follow: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
    average: Callable[[Tensor, Tensor], Tensor] | None = None
    replaces: bool = False


Rule = Penalty | Projection | Proximal | Reparametrization | Perturbation | Companion
"""Any of the rules."""
