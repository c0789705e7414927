"""Stochastic weight averaging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from regzoo.core import Float, Objective, OnTraining, Regularizer, Strength, Watcher, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Swa(OnTraining):
    """Replace the weights at the end of training by their mean over the last epochs.

    Formula: mean of the trainable weights after the epochs that end after ``start`` of the training; batch norm's
    averages are then recomputed on the training data. Helps most at a high constant learning rate.

    A mean of weights from different minima is useless. So the mean is rejected, and the last weights are kept, if its
    loss on the training data is both more than twice theirs and so high that more than half of what the training
    gained is lost. A training that stops before ``start`` averages nothing. In a recipe with early stopping write
    ``swa`` after it: each of the two replaces the weights it finds.

    Cost: in addition to the training, three or four forward passes over the training data a run.

    Args:
        start: fraction of the training after which averaging begins, in [0, 1]; 1 does nothing.

    Raises:
        InputError: if ``start`` lies outside [0, 1].

    Reference: Izmailov et al. 2018 [izmailov2018], https://arxiv.org/abs/1803.05407
    Departure: the learning rate is the run's own rather than a constant high or cyclic one; the paper rejects no mean.

    >>> from regzoo.regularizers import Swa
    >>> print(Swa(0.7))
    swa(0.7)
    """

    watches: ClassVar[bool] = False

    start: Strength = strength(Float(0.5, 0.9), neutral=1.0, domain="[0, 1]", dial=False)

    def watch(self, objective: Objective) -> Watcher:
        """Return the watcher of one run."""
        return _Mean(float(self.start) * objective.epochs)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about another average."""
        if any(other.name == "ema" for other in others):
            return "swa replaces the averages of ema by its own: use one of the two"
        return None


@dataclass
class _Mean(Watcher):
    after: float
    untrained: float | None = None
    count: int = 0
    sums: list[Any] = field(default_factory=list)

    def begin(self, epoch: int, model: keras.Model) -> None:
        """Compute the loss before the first epoch."""
        if self.untrained is None:
            self.untrained = model.training_loss()

    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Add the weights to the sums, if averaging has begun."""
        if epoch + 1 > self.after:
            weights = [keras.ops.copy(variable) for variable in model.trainable_variables]
            self.sums = [sum_ + w for sum_, w in zip(self.sums, weights, strict=True)] if self.count else weights
            self.count += 1
        return False

    def finish(self, model: keras.Model) -> None:
        """Set the weights to the mean, unless its loss is too high."""
        if not self.count:
            return
        last, loss = model.get_weights(), model.training_loss()
        for variable, total in zip(model.trainable_variables, self.sums, strict=True):
            variable.assign(total / self.count)
        model.refit_statistics()
        assert self.untrained is not None  # begin() comes first
        if not model.training_loss() <= max(2.0 * loss, (self.untrained + loss) / 2.0):
            model.set_weights(last)
