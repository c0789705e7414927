"""Combine the models that a run has trained into the one model that its recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from regzoo.core import AfterTraining, Recipe


def combine_models(recipe: Recipe, models: Sequence[keras.Model]) -> keras.Model:
    """Apply the recipe's `AfterTraining` regularizers, in order, and return the resulting model."""
    combined = list(models)
    for regularizer in recipe:
        if isinstance(regularizer, AfterTraining):
            combined = [regularizer.finish(combined)]
    return combined[0]
