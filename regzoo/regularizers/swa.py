"""Stochastic weight averaging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from regzoo.core import Float, Objective, OnTraining, Regularizer, Strength, Watcher, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Swa(OnTraining):
    """Use the mean of the weights over the last epochs in place of the weights.

    Formula: mean of the trainable weights after the epochs that end after ``start`` of the training; batch norm's
    averages are recomputed for it, as the plain mean over 200 training batches at most. Helps most at a high constant
    learning rate.

    Training is the same as without it. After each epoch from ``start`` on, the mean up to there is validated, so early
    stopping watches and restores means; before, and in a training that stops before, the weights themselves are.

    A mean of weights from different minima is useless. So the mean is rejected, and the last weights are used, if its
    loss on the training data is both more than twice theirs and so high that more than half of what the training
    gained is lost.

    Cost: in addition to the training, a forward pass over the training data a run, and two after each epoch from
    ``start`` on; with batch norm four.

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

    averages: ClassVar[bool] = True
    watches: ClassVar[bool] = False

    start: Strength = strength(Float(0.5, 0.9), neutral=1.0, domain="[0, 1]", dial=False)

    def watch(self, objective: Objective) -> Watcher:
        """Return the watcher of one run."""
        return _Mean(float(self.start) * objective.epochs)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about another average."""
        if any(other.name == "ema" for other in others):
            return "swa averages the averages of ema once more: use one of the two"
        return None


@dataclass
class _Mean(Watcher):
    averages: ClassVar[bool] = True

    after: float
    untrained: float | None = None
    count: int = 0
    sums: list[Any] = field(default_factory=list)

    def begin(self, epoch: int, model: keras.Model) -> None:
        """Compute the loss before the first epoch."""
        if self.untrained is None:
            self.untrained = model.training_loss()

    def average(self, epoch: int, model: keras.Model) -> bool:
        """Add the weights to the sums, if averaging has begun, and set the mean, unless its loss is too high."""
        if epoch + 1 <= self.after:
            return False
        weights = [keras.ops.copy(variable) for variable in model.trainable_variables]
        self.sums = [sum_ + w for sum_, w in zip(self.sums, weights, strict=True)] if self.count else weights
        self.count += 1
        model.refit_statistics()
        if self.count > 1:
            self._set_mean(model)
        return True

    def _set_mean(self, model: keras.Model) -> None:
        last, loss = model.get_weights(), model.training_loss()
        for variable, total in zip(model.trainable_variables, self.sums, strict=True):
            variable.assign(total / self.count)
        model.refit_statistics()
        assert self.untrained is not None  # begin() comes first
        if not model.training_loss() <= max(2.0 * loss, (self.untrained + loss) / 2.0):
            model.set_weights(last)

    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Return False: never stop."""
        return False

    def finish(self, model: keras.Model) -> None:
        """Leave the weights that were judged last."""
