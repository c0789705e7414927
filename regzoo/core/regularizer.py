"""Regularizer: one technique, and the places where it may act.

The base class is the declaration: `OnActivations` says *where* a technique acts, its fields say *how
strongly*. Each place has one method to implement; a technique that acts in two places has two bases. In a
built model the fields hold dials (scalar variables), so a method body reads like the formula.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from regzoo.core.component import Component, specs
from regzoo.core.fields import StrengthSpec
from regzoo.core.ranges import Choice, Float, Int
from regzoo.core.schedules import Schedule
from regzoo.core.slots import Slot, Weight
from regzoo.core.watcher import Objective, Watcher
from regzoo.core.weight_rules import Rule, Tensor

if TYPE_CHECKING:
    import keras

    from regzoo.core.backbone import Backbone
    from regzoo.core.recipe import Recipe


@dataclass(frozen=True)
class Regularizer(Component):
    """Base of all places. Subclass a place, not this."""

    def __add__(self, other: Recipe | Regularizer) -> Recipe:
        from regzoo.core.recipe import Recipe, parts_of  # a recipe is made of regularizers, hence here

        return Recipe((self, *parts_of(other)))

    requires: ClassVar[frozenset[str]] = frozenset()
    """What it cannot do without: ``images``, ``rows``, ``classes``, or ``targets`` other than the inputs; where that is
    missing, it is refused with a sentence."""

    requires_recipe: ClassVar[str] = ""
    """A recipe that it cannot do without, such as ``dropout(0.5)``; the contract tries it in that company."""

    cost: ClassVar[float] = 1.0
    """Forward-and-backward passes through the model that a training step takes; the contract counts them.

    Work beside these passes, at prediction or once a run is said in the docstring, in a paragraph ``Cost: ...``.
    """

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Say in a sentence what is doubtful about standing in one recipe beside ``others``, or None.

        ``others`` are the recipe's regularizers before this one, in order.
        """
        return None

    def reject_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Say in a sentence why it cannot stand in one recipe beside ``others``, or None.

        ``others`` are all other regularizers of the recipe, in order.
        """
        return None

    def warn_backbone(self, backbone: Backbone) -> str | None:
        """Say in a sentence what is doubtful about acting in ``backbone``, or None."""
        return None

    @final
    def strengths(self) -> dict[str, StrengthSpec]:
        """The declarations of its strengths, by field."""
        return {field: spec for field, spec in specs(type(self)).items() if isinstance(spec, StrengthSpec)}

    @final
    def searched(self) -> dict[str, Float | Int | Choice]:
        """The strengths that are left to the search, by field."""
        values = {field: getattr(self, field) for field in self.strengths()}
        return {field: value for field, value in values.items() if isinstance(value, Float | Int | Choice)}

    @final
    def dials(self) -> dict[str, float | Schedule]:
        """The strengths that can be turned in a built model, by field: a number or a schedule."""
        return {field: getattr(self, field) for field, spec in self.strengths().items() if spec.dial}

    @final
    def neutral(self) -> Regularizer | None:
        """This regularizer at the strengths at which it does nothing, or None if there are none."""
        values = {field: spec.neutral for field, spec in self.strengths().items()}
        known = {field: value for field, value in values.items() if value is not None}
        return type(self)(**known) if known and len(known) == len(values) else None


@dataclass(frozen=True)
class OnBatch(Regularizer, ABC):
    """Acts on the training batch, before the model."""

    @abstractmethod
    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return the batch to train on.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets: class probabilities (batch, classes), or numbers (batch, outputs).
            seed: this regularizer's own stream; `keras.random` functions take it as it is.
        """


@dataclass(frozen=True)
class OnActivations(Regularizer, ABC):
    """Acts at the slots of the backbone, by a layer of its own."""

    @abstractmethod
    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return the layer to insert at ``slot``, or None to leave this slot alone."""


@dataclass(frozen=True)
class OnWeights(Regularizer, ABC):
    """Acts on the trainable weights, after the model is built."""

    @abstractmethod
    def rule(self, weight: Weight) -> Rule | None:
        """Return the rule for ``weight``, or None to leave it alone."""


@dataclass(frozen=True)
class Forward:
    """The training forward pass of one step: ``logits, per_example = run(x, y)``.

    It may be called again, at other inputs or for another draw of the noise inside the model.

    Attributes:
        compute: returns logits (batch, size) and the per-example loss (batch,) of inputs x and targets y.
    """

    compute: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.compute(x, y)


@dataclass(frozen=True)
class OnForward(Regularizer, ABC):
    """Acts on the forward pass: at which inputs the model is run, how often, and what that costs."""

    @abstractmethod
    def forward(self, run: Forward, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return logits (batch, size) and the per-example loss (batch,) to train on.

        Args:
            run: the forward pass.
            x: inputs after the batch transforms, (batch, ...).
            y: targets, (batch, size).
            seed: this regularizer's own stream.
        """


@dataclass(frozen=True)
class OnLoss(Regularizer, ABC):
    """Acts on the per-example training loss."""

    @abstractmethod
    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """Return the per-example loss (batch,) to train on, from that of the task (batch,)."""


@dataclass(frozen=True)
class Gradients:
    """The gradient computation of one training step.

    Call it for the gradients, one for each weight, in order. Calling it again at moved weights is allowed (SAM does):
    it is the same loss of the same mini-batch, so a later call meets the noise of the first, and leaves random
    streams and batch norm's averages as the first left them.

    Attributes:
        compute: returns the gradients of the training loss, penalties included.
        learning_rate: the optimizer's, as a scalar tensor.
        step: steps taken so far in this run, as an integer scalar tensor.
        seed: the regularizer's own stream.
    """

    compute: Callable[[], list[Tensor]]
    learning_rate: Tensor
    step: Tensor
    seed: Any

    def __call__(self) -> list[Tensor]:
        return self.compute()


@dataclass(frozen=True)
class OnGradients(Regularizer, ABC):
    """Acts on the gradient computation."""

    @abstractmethod
    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Return the gradients that the optimizer applies, one for each of ``weights``, in order."""


@dataclass(frozen=True)
class OnTraining(Regularizer, ABC):
    """Acts on the loop, once an epoch."""

    watches: ClassVar[bool] = True
    """Whether its watcher looks at the objective. If not, `fit` may go without validation, and the score is NaN."""

    @abstractmethod
    def watch(self, objective: Objective) -> Watcher:
        """Return a fresh watcher for one run."""


@dataclass(frozen=True)
class AfterTraining(Regularizer, ABC):
    """Acts on the trained models."""

    @abstractmethod
    def n_models(self) -> int:
        """How many independently seeded models to train."""

    @abstractmethod
    def finish(self, models: Sequence[keras.Model]) -> keras.Model:
        """Return the one model to use, made of the trained ``models``."""


PLACES: dict[type[Regularizer], str] = {
    OnBatch: "batch",
    OnActivations: "activations",
    OnWeights: "weights",
    OnForward: "forward",
    OnLoss: "loss",
    OnGradients: "gradients",
    OnTraining: "training",
    AfterTraining: "after",
}

IN_GRAPH = (OnBatch, OnActivations, OnWeights, OnForward, OnLoss, OnGradients)
"""The places that are part of the traced program; the others act around it."""


def places(regularizer: Regularizer) -> list[str]:
    """The names of the places where it acts."""
    return [name for base, name in PLACES.items() if isinstance(regularizer, base)]
