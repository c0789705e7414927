"""Early stopping with the best weights restored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from regzoo.core import Int, Objective, OnTraining, Regularizer, Strength, Watcher, setting, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class EarlyStopping(OnTraining):
    """Stop the training when the validation score no longer improves, and restore the best weights.

    Formula: of the weights after each epoch, those with the best validation objective.

    The objective has no penalties and uses hard labels, so all recipes stop by the same measure. A NaN counts as no
    improvement. With `ema`, `swa` or `lookahead` in the recipe, before it or after it, the averages are what is
    watched and restored. The validation score at the stop is slightly optimistic; the test score is not.

    Args:
        patience: epochs without improvement before the stop, a whole number in [1, inf).
        min_delta: smallest change that counts as improvement, in units of the objective, in [0, inf).

    Raises:
        InputError: if ``patience`` or ``min_delta`` lies outside its domain.

    Reference: Prechelt 1998 [prechelt1998], https://doi.org/10.1007/3-540-49430-8_3

    >>> from regzoo.regularizers import EarlyStopping
    >>> print(EarlyStopping(5))
    early_stopping(5)
    """

    patience: Strength = strength(Int(3, 30), neutral=None, domain="[1, inf)")
    min_delta: float = setting(0.0, domain="[0, inf)")

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about cycles, which it would cut short."""
        if any(other.name == "snapshot_ensemble" for other in others):
            return "snapshot_ensemble makes validation worse with each restart, and early_stopping stops there"
        return None

    def watch(self, objective: Objective) -> Watcher:
        """Return the watcher of one run."""
        return _Patience(objective, int(self.patience), self.min_delta)


@dataclass
class _Patience(Watcher):
    objective: Objective
    patience: int
    min_delta: float
    best: float = math.nan
    waited: int = 0
    weights: list[Any] = field(default_factory=list)

    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Save the weights after an improvement; stop after ``patience`` epochs without one."""
        margin = self.min_delta if self.objective.direction == "min" else -self.min_delta
        if self.objective.is_better(score + margin, self.objective.worst if math.isnan(self.best) else self.best):
            self.best, self.waited = score, 0
            self.weights = [keras.ops.copy(weight) for weight in model.weights]  # they stay on the device
            return False
        self.waited += 1
        return self.waited >= self.patience

    def finish(self, model: keras.Model) -> None:
        """Restore the best weights, if any epoch had a finite score."""
        if self.weights:
            model.set_weights(self.weights)
