"""Watcher: follows one run epoch by epoch, by the objective that the run is judged by."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Objective:
    """The penalty-free, hard-label validation metric that a run is judged by, and how long the run is meant to be."""

    metric: str
    direction: Literal["min", "max"]
    epochs: int = 0

    def better(self, score: float, than: float) -> bool:
        """True if ``score`` is strictly better; NaN is worse than everything, and no better than NaN."""
        if math.isnan(than):
            return not math.isnan(score)
        return score < than if self.direction == "min" else score > than

    @property
    def worst(self) -> float:
        """What any real score improves upon."""
        return float("inf") if self.direction == "min" else float("-inf")


class Watcher(ABC):
    """Follows one run, epoch by epoch; made anew for each run, so it may hold state."""

    def begin(self, epoch: int, model: keras.Model) -> None:
        """Prepare ``epoch`` (from 0), for example its learning rate."""
        return

    @abstractmethod
    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """See the objective after ``epoch`` (from 0); return True to stop the training now."""

    @abstractmethod
    def finish(self, model: keras.Model) -> None:
        """Leave the model as it should be used."""

    def members(self, model: keras.Model) -> list[list[Any]]:
        """The weights of the models that this training leaves, after `finish`: one, unless snapshots were kept."""
        return [model.get_weights()]
