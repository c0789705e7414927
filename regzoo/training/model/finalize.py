"""Combined: the model that a run with something after training leaves, put together once for all runs of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import AfterTraining, Recipe
from regzoo.training.engine.batching import CHUNK
from regzoo.training.model.model import RegularizedModel

Weights = Sequence[Sequence[np.ndarray]]
"""The weights of each member, in Keras's order."""


class CombinedModel:
    """What ``recipe`` makes of trained models.

    Args:
        recipe: what acts after training is taken from it.
        members: compiled models of its structure; they are this object's alone from now on.
    """

    def __init__(self, recipe: Recipe, members: Sequence[RegularizedModel]) -> None:
        self.members = members
        self.model = combine_models(recipe, members)
        rows = tf.TensorSpec([None, *members[0].input_shape[1:]], tf.float32)
        self._outputs = tf.function(lambda x: self.model(x, training=False), input_signature=[rows])

    def load(self, recipe: Recipe, weights: Weights) -> None:
        """Put ``weights`` and the strengths of ``recipe``, of the same structure, in place."""
        for member, values in zip(self.members, weights, strict=True):
            member.set_weights(values)
            member.turn(recipe.dials())

    def logits(self, x: np.ndarray) -> Any:
        """Logits (rows, size) for standardized inputs (rows, ...), CHUNK rows at a time."""
        chunks = [self._outputs(x[start : start + CHUNK]) for start in range(0, len(x), CHUNK)]
        return self.members[0].task.combined_logits(tf.concat(chunks, 0))


def combine_models(recipe: Recipe, members: Sequence[keras.Model]) -> Any:
    """Return the one model that ``recipe`` makes of trained models."""
    models = list(members)
    for part in recipe:
        if isinstance(part, AfterTraining):
            models = [part.finish(models)]
    return models[0]
