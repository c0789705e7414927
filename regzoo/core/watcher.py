"""Watchers, which follow one run epoch by epoch (like Keras callbacks), and the objective that judges a run."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Objective:
    """The validation metric by which a run is judged, without penalties and on hard labels.

    Attributes:
        metric: name of the metric, such as ``nll``.
        direction: ``min`` if lower is better, ``max`` if higher is better.
        epochs: planned length of the run; 0 if unknown.
    """

    metric: str
    direction: Literal["min", "max"]
    epochs: int = 0

    def is_better(self, score: float, than: float) -> bool:
        """Return True if ``score`` is strictly better; NaN is worse than every number and not better than NaN."""
        if math.isnan(than):
            return not math.isnan(score)
        return score < than if self.direction == "min" else score > than

    @property
    def worst(self) -> float:
        """The infinity that every finite score improves on."""
        return float("inf") if self.direction == "min" else float("-inf")


class Watcher(ABC):
    """Follows one run, epoch by epoch. Each run has a new one, so it may hold state.

    After each epoch all watchers' `average` is called, then the model is validated, then their `epoch` is called; the
    weights are those that were judged, until the next epoch begins.
    """

    averages: ClassVar[bool] = False
    """True if it has an `average`."""

    def begin(self, epoch: int, model: keras.Model) -> None:
        """Prepare ``epoch`` (counted from 0), for example its learning rate."""
        return

    def average(self, epoch: int, model: keras.Model) -> bool:
        """Set the weights to judge after ``epoch`` in place of those in training, which come back afterwards.

        Batch norm's averages have to fit them: ``model.refit_statistics()`` computes them again.

        Returns:
            True if weights were set; False if there is no average yet.
        """
        return False

    @abstractmethod
    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Receive ``score``, the objective after ``epoch`` (counted from 0); return True to stop the training."""

    @abstractmethod
    def finish(self, model: keras.Model) -> None:
        """Set the model's weights to those that should be used."""

    def members(self, model: keras.Model) -> list[list[Any]]:
        """Return the weights of each model that this training produced, after `finish`: one, or several snapshots."""
        return [model.get_weights()]
