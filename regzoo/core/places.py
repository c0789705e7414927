"""Places where a regularizer may act: one abstract base class each, with one method to implement.

The base class is the declaration: `OnActivations` states *where* a technique acts, its fields *how strongly*. A
technique that acts in two places has two bases.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from regzoo.core.cells import InputCells
from regzoo.core.component import get_specs
from regzoo.core.fields import Layers, selection
from regzoo.core.regularizer import Regularizer
from regzoo.core.selection import SELECTIONS
from regzoo.core.slots import Slot, Weight, describe_by_name
from regzoo.core.watcher import Objective, Watcher
from regzoo.core.weight_rules import Rule, Tensor

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class _InGraph(Regularizer, ABC):
    """Acts inside the traced train step."""

    in_graph: ClassVar[bool] = True
    in_training: ClassVar[bool] = True


@dataclass(frozen=True)
class OnBatch(_InGraph):
    """Acts on the training batch, before the model."""

    mixes_targets: ClassVar[bool] = False
    """True if it averages the targets of several rows; the weights of the rows are then averaged with them."""

    @abstractmethod
    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return the batch to train on.

        On tables, several columns may hold one value, such as the one-hot columns of a category. A method that takes
        ``cells=None`` as well receives them: `regzoo.core.cells.Cells`, for several inputs a list of those of each;
        and None where every column is a number of its own. It should leave every category possible.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets: class probabilities (batch, classes), or standardized numbers (batch, outputs).
            seed: this regularizer's own random stream; `keras.random` functions take it as it is.
        """


def change_batch(
    regularizer: OnBatch, x: Any, y: Tensor, seed: keras.random.SeedGenerator, cells: InputCells
) -> tuple[Any, Tensor]:
    """Return ``regularizer.batch(x, y, seed)``; with ``cells``, if there are any and the method takes them."""
    if cells is None or not _takes_cells(regularizer):
        return regularizer.batch(x, y, seed)
    return regularizer.batch(x, y, seed, cells=cells)  # type: ignore[call-arg]  # see OnBatch.batch


def acts_on_cells(recipe: Iterable[Regularizer]) -> bool:
    """Return True if a regularizer asks which columns hold one value: it takes cells, or needs numbers among them.

    >>> from regzoo.core import parse
    >>> [acts_on_cells(parse(text)) for text in ("swap_noise", "l2 + jacobian", "label_smoothing + dropout")]
    [True, True, False]
    """
    return any("numbers" in each.requires or (isinstance(each, OnBatch) and _takes_cells(each)) for each in recipe)


def _takes_cells(regularizer: OnBatch) -> bool:
    return "cells" in inspect.signature(regularizer.batch).parameters


@dataclass(frozen=True, kw_only=True)
class AtLayers(_InGraph):
    """Acts at layers, which can be narrowed: base class of `OnActivations` and `OnWeights`.

    A regularizer of gradients that changes some weights alone is one as well; it implements `acts_on`, and leaves alone
    the weights that `Gradients.selects` leaves out.

    Attributes:
        on: the layers at which it acts; None for all.
        exclude: the layers that it leaves alone; None for none.
    """

    on: Layers = selection()
    exclude: Layers = selection()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__repr__ = AtLayers.__repr__  # type: ignore[method-assign]  # dataclass would list on=None first

    def __repr__(self) -> str:
        specs = get_specs(type(self))
        given = [(name, getattr(self, name)) for name in specs]
        given = [(name, str(value) if value and name in SELECTIONS else value) for name, value in given]
        shown = ", ".join(f"{name}={value!r}" for name, value in given if name not in SELECTIONS or value)
        return f"{type(self).__qualname__}({shown})"

    def acts_on(self, weight: Weight) -> bool:
        """Return True if its gradient transform changes ``weight``; for regularizers of gradients."""
        return False


@dataclass(frozen=True)
class OnActivations(AtLayers):
    """Acts at the slots of the backbone, by an inserted layer."""

    shortens: ClassVar[bool] = False
    """True if its layers leave out positions, such as tokens, in training: no layer behind may need all of them."""

    @abstractmethod
    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return the layer to insert at ``slot``, or None to leave this slot as it is."""


@dataclass(frozen=True)
class OnWeights(AtLayers):
    """Acts on the trainable weights of the built model."""

    @abstractmethod
    def rule(self, weight: Weight) -> Rule | None:
        """Return the rule for ``weight``, or None to leave it as it is."""


@dataclass(frozen=True)
class Forward:
    """The training forward pass of one step: ``logits, per_example = run(x, y)``.

    It may be called again, at other inputs or for new draws of the noise inside the model.

    Attributes:
        compute: returns logits (batch, size) and the per-example loss (batch,) of inputs x (batch, ...) and targets y
            (batch, size).
        cells: which columns of x hold one value, as for `OnBatch.batch`.
    """

    compute: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    cells: InputCells = None

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.compute(x, y)


@dataclass(frozen=True)
class OnForward(_InGraph):
    """Acts on the forward pass: at which inputs and how often the model is run."""

    @abstractmethod
    def forward(self, run: Forward, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Return logits (batch, size) and the per-example loss (batch,) to train on.

        Args:
            run: the forward pass.
            x: inputs after the batch transforms, (batch, ...).
            y: targets, (batch, size).
            seed: this regularizer's own random stream.
        """


@dataclass(frozen=True)
class OnLoss(_InGraph):
    """Acts on the per-example training loss, in every forward pass of a step: on that of an attacked copy, too."""

    @abstractmethod
    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """Return the per-example loss (batch,) to train on.

        Args:
            y: targets, (batch, size).
            logits: outputs of the model before softmax or sigmoid, (batch, size).
            per_example: the task's loss of each example, (batch,), in nats or squared units of the target.
        """


@dataclass(frozen=True)
class OnBatchLoss(OnLoss):
    """Acts on the losses of a batch together, once a step, after all that act on the loss of each example.

    They are final then: where the forward pass averages several passes, their average.
    """

    @abstractmethod
    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the per-example loss (batch,) to train on; the step multiplies it by the weights afterwards.

        Args:
            y: targets, (batch, size).
            logits: outputs of the model before softmax or sigmoid, (batch, size).
            per_example: the loss of each example, (batch,).
            weight: weights of the examples, (batch,); None for equal ones.
        """


@dataclass(frozen=True)
class Gradients:
    """The gradient computation of one training step.

    Call it for the gradients, one for each weight, in order. It may be called again at other weights, as SAM does:
    every call computes the same loss of the same mini-batch, with the noise of the first call, and leaves random
    streams and batch norm's averages as the first call left them.

    Attributes:
        compute: returns the gradients of the training loss, penalties included.
        learning_rate: the optimizer's learning rate, a scalar tensor; None with Keras's MultiOptimizer, where it may
            differ between weights: see `get_learning_rate`.
        step: the number of steps already taken in this run, an integer scalar tensor.
        seed: this regularizer's own random stream.
        describe: returns the description of a weight, such as its role.
        selects: returns True for a weight in the layers to which the regularizer is narrowed.
        find_rate: returns the learning rate of a weight; None where all have the same.
    """

    compute: Callable[[], list[Tensor]]
    learning_rate: Tensor
    step: Tensor
    seed: Any
    describe: Callable[[keras.Variable], Weight] = describe_by_name
    selects: Callable[[keras.Variable], bool] = lambda weight: True
    find_rate: Callable[[keras.Variable], Tensor] | None = None

    def __call__(self) -> list[Tensor]:
        return self.compute()

    def get_learning_rate(self, weight: keras.Variable) -> Tensor:
        """Return the learning rate of the optimizer that trains ``weight``, a scalar tensor."""
        return self.learning_rate if self.find_rate is None else self.find_rate(weight)


@dataclass(frozen=True)
class OnGradients(_InGraph):
    """Acts on the gradient computation."""

    @abstractmethod
    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Return the gradients that the optimizer applies, one for each of ``weights``, in order."""


@dataclass(frozen=True)
class OnTraining(Regularizer, ABC):
    """Acts on the training loop, once an epoch."""

    in_training: ClassVar[bool] = True

    watches: ClassVar[bool] = True
    """True if its watcher reads the objective. If not, `fit` needs no validation data, and the score is NaN."""

    @abstractmethod
    def watch(self, objective: Objective) -> Watcher:
        """Return a new watcher for one run."""


@dataclass(frozen=True)
class AfterTraining(Regularizer, ABC):
    """Acts on the trained models."""

    @abstractmethod
    def n_models(self) -> int:
        """Return how many independently seeded models to train."""

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
"""The places by base class, in the order in which they act."""

IN_GRAPH = tuple(place for place in PLACES if place.in_graph)
"""The places that are part of the traced program; the others act around it."""


def places(regularizer: Regularizer) -> list[str]:
    """Return the names of the places where ``regularizer`` acts."""
    return [name for place, name in PLACES.items() if isinstance(regularizer, place)]
