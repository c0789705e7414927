"""Exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import (
    Companion,
    Float,
    Objective,
    OnTraining,
    OnWeights,
    Regularizer,
    Strength,
    Tensor,
    Watcher,
    Weight,
    strength,
)
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Ema(OnWeights, OnTraining):
    """Use the running average of the weights instead of the last ones, which still jump about.

    Formula: mean of the weights after each step, those of t steps ago weighted by decay^t; all trainable weights,
    biases and scales included. Training goes on as without it, and so do the curves; the averages take the place of
    the weights at its end. Helps most at a high constant learning rate.

    Batch norm's own averages are left as they are. In a recipe with early stopping write ``ema`` behind it: each puts
    its weights in place of those it finds.

    Cost: beside the pass an average of each weight to be kept and moved in every step.

    Args:
        decay: how slowly it forgets, in [0, 1); 0 does nothing. It remembers about 1 / (1 - decay) steps: keep that
            well below the length of the training.

    Raises:
        InputError: if ``decay`` lies outside [0, 1).

    Reference: Polyak and Juditsky 1992 [polyak1992], https://doi.org/10.1137/0330046
    Departure: the average is exponential, and divided by the sum of its weights as Adam's are; Keras's starts from
    the first weights instead, which then make up decay^t of it.

    >>> from regzoo.regularizers import Ema
    >>> print(Ema(0.99))
    ema(0.99)
    """

    watches: ClassVar[bool] = False

    decay: Strength = strength(Float(0.9, 0.999), neutral=0.0, domain="[0, 1)")

    def rule(self, weight: Weight) -> Companion:
        """Every trainable weight has its average."""
        return Companion(keras.ops.copy, self.follow)

    def follow(self, w: Tensor, average: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Let the average follow; the weight goes its own way."""
        decay = keras.ops.convert_to_tensor(self.decay, "float32")
        forgotten = decay ** keras.ops.cast(step, "float32")
        share = (1.0 - decay) / keras.ops.maximum(1.0 - forgotten, keras.config.epsilon())
        return w, share * w + (1.0 - share) * average

    def watch(self, objective: Objective) -> Watcher:
        """Return what puts the averages in place."""
        return _Averages()

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Another average."""
        if any(other.name == "swa" for other in others):
            return "ema puts its averages in the place of swa's: take one of them"
        return None


class _Averages(Watcher):
    def epoch(self, epoch: int, score: float, model: keras.Model) -> bool:
        """Go on."""
        return False

    def finish(self, model: keras.Model) -> None:
        """Put the averages in the place of the weights."""
        for weight, average in model.companions(Ema.name):
            weight.assign(average)
