"""Mixup augmentation: weighted averages of two examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.batch_inputs import map_cells, require_floats
from regzoo.core.cells import Cells, InputCells
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import average, draw_mixture_weights, draw_partners, warn_augmentation


@dataclass(frozen=True)
class Mixup(OnBatch):
    """Train on weighted averages of two examples and of their targets.

    Formula: (s x + (1 - s) x', s y + (1 - s) y'), (x', y') another example of the batch, s = max(l, 1 - l),
    l ~ Beta(alpha, alpha), drawn for each example. With small alpha most examples hardly change; with alpha 1, s is
    uniform in [1/2, 1].

    Of categories and booleans there is no average, so each is drawn: that of x with probability s, else that of x'.
    Every one is possible, and the mean of their columns is that of the formula, s x + (1 - s) x'. A number that is
    missing in one of both rows is drawn with its mark in the same way.

    Helps against wrong labels and overconfidence; hurts small networks, which underfit the mixtures.

    Departs from the authors' code in two ways that keep the distribution of mixtures of the paper's equation: s is
    drawn for each example, not once a batch; and s is at least 1/2, since (x, x') at l is (x', x) at 1 - l. So at
    alpha 0 the batch keeps its order, and is the baseline's bit for bit.

    Args:
        alpha: parameter of the Beta distribution, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``alpha`` is negative.

    Reference: Zhang et al. 2018 [zhang2018], https://arxiv.org/abs/1710.09412

    >>> from regzoo.regularizers import Mixup
    >>> print(Mixup(0.2))
    mixup(0.2)
    """

    mixes_targets: ClassVar[bool] = True

    alpha: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, inf)")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: InputCells = None
    ) -> tuple[Tensor, Tensor]:
        """Mix x (batch, ...) and y (batch, size) with a random permutation of the batch, the same for all inputs."""
        require_floats(x, "mixup averages them")
        first = keras.tree.flatten(x)[0]
        partner = draw_partners(first, seed)
        weights = self.draw_weights(keras.ops.shape(first)[0], seed)  # (batch,)

        def mix(values: Tensor, own: Cells | None = None) -> Tensor:
            return average(values, partner, weights, seed, own)

        return map_cells(mix, x, cells), mix(y)

    def draw_weights(self, batch: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Draw the weight s of each example itself, (batch,), in [1/2, 1]."""
        return draw_mixture_weights(batch, self.alpha, seed)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about a second augmentation and about label smoothing."""
        return warn_augmentation(self.name, others, softening={"label_smoothing"})
