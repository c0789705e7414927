"""Snapshot ensemble: cyclic learning rate, average of the models at the ends of the cycles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from regzoo.core import (
    AfterTraining,
    InputError,
    Objective,
    OnTraining,
    Regularizer,
    Strength,
    Watcher,
    setting,
    strength,
)
from regzoo.core.lazy import keras
from regzoo.core.optimizers import list_optimizers
from regzoo.core.ranges import Cycles
from regzoo.regularizers._averaging import average_models


@dataclass(frozen=True)
class SnapshotEnsemble(OnTraining, AfterTraining):
    """Restart the learning rate several times during training, and average the models at the ends of the cycles.

    Formula: learning rate of the run times (1 + cos(pi t / T)) / 2 in epoch t (from 0) of a cycle of
    T = epochs / cycles; p = mean of the probabilities (for regression, of the predictions) of the last snapshots.

    An ensemble for the price of one training. Its members differ less than those of `ensemble`, and each has had only
    a fraction of the training: it needs long training and a high learning rate. If the training stops within a cycle,
    its last weights are a snapshot too. Where T is not a whole number, a cycle begins in the first whole epoch after
    its start. Snapshots are of the weights that are judged: batch norm's averages are computed for them, and of
    `lookahead` they hold the averages. After ``model.fit``, ``model.finished()`` is the average.

    Cost: a prediction takes ``last`` passes.

    A search draws as many cycles as leave 10 epochs for each: 3 to 6 in a run of 60 epochs, 2 or 3 in one of 30.

    Args:
        cycles: number of cycles, a whole number in [1, inf).
        last: largest number of snapshots to average, in [1, inf).

    Raises:
        InputError: if ``cycles`` or ``last`` is not a whole number from 1; if the recipe averages weights (`ema`,
            `swa`), which the snapshots would not contain.

    Reference: Huang et al. 2017 [huang2017], https://arxiv.org/abs/1704.00109
    Departure: the learning rate changes from epoch to epoch rather than from step to step.

    >>> from regzoo.regularizers import SnapshotEnsemble
    >>> print(SnapshotEnsemble(5))
    snapshot_ensemble(5)
    """

    watches: ClassVar[bool] = False

    cycles: Strength = strength(Cycles(3, 6), neutral=None, domain="[1, inf)")
    last: int = setting(3, domain="[1, inf)")

    def watch(self, objective: Objective) -> Watcher:
        """Return the watcher of one run."""
        epochs = max(objective.epochs, 1)
        return _Cycles(epochs, min(int(self.cycles), epochs), self.last)

    def n_models(self) -> int:
        """Return 1: one training gives all members."""
        return 1

    def finish(self, models: Sequence[keras.Model]) -> keras.Model:
        """Return one model that averages the outputs of the snapshots; it shares their weights."""
        return average_models(models)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about early stopping, which ends the training when validation gets worse."""
        if any(other.name == "early_stopping" for other in others):
            return "snapshot_ensemble makes validation worse with each restart, and early_stopping stops there"
        return None

    def reject_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Reject averages of weights, which would not be used."""
        for other in others:
            if other.name in ("ema", "swa"):
                return f"snapshot_ensemble uses the weights at the end of each cycle, not the averages of {other.name}"
        return None


@dataclass
class _Cycles(Watcher):
    epochs: int
    cycles: int
    last: int
    done: int = 0
    rates: list[float] = field(default_factory=list)
    snapshots: list[list[Any]] = field(default_factory=list)

    def begin(self, epoch: int, model: keras.Model) -> None:
        """Set the learning rate of the epoch."""
        rates = _list_rates(model)
        self.rates = self.rates or [float(rate.numpy()) for rate in rates]
        passed = self.done * self.cycles % self.epochs / self.epochs  # fraction of the cycle
        for rate, start in zip(rates, self.rates, strict=True):
            rate.assign(start * (1.0 + math.cos(math.pi * passed)) / 2.0)

    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Save the weights at the end of a cycle."""
        self.done += 1
        if self._has_ended():
            self.snapshots.append(model.get_weights())
        return False

    def finish(self, model: keras.Model) -> None:
        """Save the last weights and restore the learning rate."""
        if not self._has_ended():
            self.snapshots.append(model.get_weights())
        if self.rates:
            for rate, start in zip(_list_rates(model), self.rates, strict=True):
                rate.assign(start)

    def members(self, model: keras.Model) -> list[list[Any]]:
        """Return the weights of the last snapshots."""
        return self.snapshots[-self.last :]

    def _has_ended(self) -> bool:
        return self.done * self.cycles // self.epochs > (self.done - 1) * self.cycles // self.epochs


def _list_rates(model: keras.Model) -> list[keras.Variable]:
    """Return the learning rate of each of the model's optimizers."""
    rates = [optimizer.learning_rate for optimizer in list_optimizers(model.optimizer)]
    if not all(isinstance(rate, keras.Variable) for rate in rates):
        raise InputError("snapshot_ensemble sets the learning rate: give the optimizer a number, not a schedule")
    return rates
