"""Exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Companion, Float, OnWeights, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Ema(OnWeights):
    """Use a running average of the weights over the last steps in place of the weights.

    Formula: mean of the weights after each step, those of t steps ago weighted by decay^t; all trainable weights,
    biases and scales included.

    Training is the same as without it. After each epoch the averages are validated, with batch norm's averages computed
    again for them, so early stopping watches and restores averages. Helps most at a high constant learning rate.

    Cost: in addition to the pass, an average of each weight is stored and updated in every step. With batch norm also a
    forward pass over the training rows, 200 batches at most, for each validation.

    Args:
        decay: fraction of the average that is kept in each step, in [0, 1); 0 does nothing. The average covers about
            1 / (1 - decay) steps: keep that well below the length of the training.

    Raises:
        InputError: if ``decay`` lies outside [0, 1).

    Reference: Polyak and Juditsky 1992 [polyak1992], https://doi.org/10.1137/0330046
    Departure: the average is exponential, and divided by the sum of its coefficients as in Adam; Keras's average starts
    from the first weights instead, whose coefficient is then decay^t.

    >>> from regzoo.regularizers import Ema
    >>> print(Ema(0.99))
    ema(0.99)
    """

    averages: ClassVar[bool] = True

    decay: Strength = strength(Float(0.9, 0.999), neutral=0.0, domain="[0, 1)", complement=True)

    def rule(self, weight: Weight) -> Companion:
        """Return a running average for each trainable weight."""
        return Companion(keras.ops.copy, self.follow, average=_take_average, replaces=True)

    def follow(self, w: Tensor, average: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Update the average; the weight stays as it is."""
        decay = keras.ops.convert_to_tensor(self.decay, keras.config.floatx())
        forgotten = decay ** keras.ops.cast(step, keras.config.floatx())
        rate = (1.0 - decay) / keras.ops.maximum(1.0 - forgotten, keras.config.epsilon())
        return w, rate * w + (1.0 - rate) * average

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about another average."""
        if any(other.name == "swa" for other in others):
            return "swa averages the averages of ema once more: use one of the two"
        return None


def _take_average(w: Tensor, average: Tensor) -> Tensor:
    return average
