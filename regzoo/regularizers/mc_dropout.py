"""Monte Carlo dropout: dropout at inference, with uncertainty of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import AfterTraining, Int, Regularizer, Strength, strength
from regzoo.core.lazy import LazyModule, keras
from regzoo.regularizers._averaging import list_members

_monte_carlo = LazyModule("regzoo.regularizers._monte_carlo")

DROPOUTS = (
    "dropout",
    "classic_dropout",
    "spatial_dropout",
    "gaussian_dropout",
    "alpha_dropout",
    "attention_dropout",
    "dropblock",
    "concrete_dropout",
    "residual_dropout",
    "embedding_dropout",
    "patch_dropout",
    "stochastic_depth",
)
"""Regularizers that leave out random activations or multiply them by random factors, and so can act at inference too.
Not dropconnect, which acts on weights in training only, nor input_dropout, which acts on training batches."""


@dataclass(frozen=True)
class McDropout(AfterTraining):
    """Keep dropout on at inference and average several predictions, which also measures their uncertainty.

    Formula: p = mean of the probabilities (for regression, of the predictions) over passes with masks drawn as in
    training; entropy of p = mean entropy of a pass + mutual information, the disagreement between the passes.

    The model has a method ``uncertainty(x)`` that returns all of these; after ``model.fit`` it is ``model.finished()``.
    Batch norm stays in inference mode; activation noise acts too, and so do layers of noise that your own model has
    (Dropout, its variants, GaussianNoise, the dropout of recurrent and attention layers). All rows pass through the
    same thinned networks, so predictions are reproducible and do not depend on the batch. Below about 20 samples the
    mean is noisier than weight scaling, the usual inference. The number is a budget: 50, unless another number or a
    range such as ``10..100`` is given. The passes are divided among the members of an ensemble.

    Cost: ``samples`` forward passes for a prediction, each with masks of its own: up to twice the time of as many plain
    ones.

    Args:
        samples: number of passes, a whole number in [1, inf).

    Raises:
        InputError: if ``samples`` is not a whole number from 1; when the model is built, if neither recipe nor model
            has a dropout of activations.

    Reference: Gal and Ghahramani 2016 [gal2016], https://arxiv.org/abs/1506.02142

    >>> from regzoo.regularizers import McDropout
    >>> print(McDropout(50))
    mc_dropout(50)
    """

    requires_recipe: ClassVar[str] = "dropout(0.5)"

    samples: Strength = strength(Int(10, 100), neutral=None, domain="[1, inf)", default=50)

    def n_models(self) -> int:
        """Return 1: one trained model is enough."""
        return 1

    def finish(self, models: Sequence[keras.Model]) -> keras.Model:
        """Return one model that averages stochastic passes of ``models``, or of the members of their average."""
        return _monte_carlo.MonteCarlo(
            [member for model in models for member in list_members(model)], int(self.samples)
        )

    def explain_missing_noise(self, others: Sequence[Regularizer]) -> str | None:
        """Miss dropout in a recipe without it: the passes would all be the same."""
        if any(other.name in DROPOUTS for other in others):
            return None
        return f"mc_dropout averages passes with dropout on: add one of {', '.join(DROPOUTS)}"
