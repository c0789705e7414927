"""Dropout of the inputs of the model."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.batch_inputs import map_cells
from regzoo.core.cells import Cells, InputCells
from regzoo.core.lazy import keras
from regzoo.regularizers._masks import mask_and_scale


@dataclass(frozen=True)
class InputDropout(Augmentation):
    """Set random inputs to zero during training.

    Formula: x m / (1 - rate), m ~ Bernoulli(1 - rate); inference uses x as it is (inverted dropout).

    A category is one cell: its one-hot columns are set to zero together, as for a word that training did not have, or
    kept as they are, as in word dropout, since 1 / (1 - rate) is no category. So is a boolean, which is false where it
    is hidden, and a number with the mark that it is missing.

    Inputs are standardized, so zero is a column's mean. The paper keeps inputs with probability 0.8. Hurts where
    a few columns carry the answer. For linear regression it is ridge regression of strength rate / (1 - rate). Rate 1
    gives zeros, never NaN.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.
        copies: copies of each training row that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``rate`` lies outside [0, 1].

    Reference: Srivastava et al. 2014 [srivastava2014], https://jmlr.org/papers/v15/srivastava14a.html

    >>> from regzoo.regularizers import InputDropout
    >>> print(InputDropout(0.2))
    input_dropout(0.2)
    """

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: InputCells = None
    ) -> tuple[Tensor, Tensor]:
        """Mask x (any shape; of several inputs, all floats) and scale up the rest; the targets stay."""

        def drop(values: Tensor, own: Cells | None) -> Tensor:
            if own is None:
                return mask_and_scale(values, self.rate, seed)
            draws = keras.random.uniform((keras.ops.shape(values)[0], own.count), seed=seed)
            scale = 1.0 / keras.ops.maximum(1.0 - self.rate, keras.config.epsilon())
            scaled = keras.ops.where(own.find_numbers(values), values * scale, values)
            return keras.ops.where(own.spread(draws >= self.rate), scaled, 0.0)

        return map_cells(drop, x, cells), y
