"""Ensemble of independently seeded models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import AfterTraining, Int, Strength, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._averaging import average_models


@dataclass(frozen=True)
class Ensemble(AfterTraining):
    """Train several models from different seeds and average their predictions.

    Formula: p = mean of the members' probabilities (for regression, of their predictions).

    The number of members is a budget: 5, the paper's value, unless a number or a range such as ``2..10`` is given.
    Its NLL is at most the mean NLL of its members (Jensen). The second member brings half of the gain.

    Cost: a prediction takes ``members`` passes, too.

    Args:
        members: number of models, a whole number in [1, 1000]; 1 does nothing.

    Raises:
        InputError: if ``members`` is not a whole number from 1 to 1000.

    Reference: Lakshminarayanan et al. 2017 [lakshminarayanan2017], https://arxiv.org/abs/1612.01474

    >>> from regzoo.regularizers import Ensemble
    >>> print(Ensemble(3))
    ensemble(3)
    """

    members: Strength = strength(Int(2, 10), neutral=1, domain="[1, 1000]", default=5)

    def n_models(self) -> int:
        """Return the number of models to train."""
        return int(self.members)

    def finish(self, models: Sequence[keras.Model]) -> keras.Model:
        """Return one model that averages the outputs of ``models``; it shares their weights."""
        return average_models(models)
