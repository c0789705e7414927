"""The combined model of a recipe that acts after training, built and traced once for all runs of its structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.core import Recipe
from regzoo.data.inputs import ModelInputs
from regzoo.training.engine.batching import compute_in_chunks
from regzoo.training.model.build import RegularizedModel
from regzoo.training.model.finalize import combine_models


class CombinedModel:
    """The model that a recipe makes of its trained members, for any weights of them.

    Args:
        recipe: its `AfterTraining` regularizers combine the members.
        members: compiled models of the recipe's structure; from now on they belong to this object alone.
        signature: spec of the inputs, see `RowSource.signature`; by default one array of floats.
    """

    def __init__(self, recipe: Recipe, members: Sequence[RegularizedModel], signature: Any = None) -> None:
        self.members = members
        self.model = combine_models(recipe, members)
        if signature is None:
            signature = tf.TensorSpec([None, *members[0].input_shape[1:]], tf.float32)
        self._outputs = tf.function(lambda x: self.model(x, training=False), input_signature=[signature])

    def load(self, recipe: Recipe, weights: Sequence[Sequence[np.ndarray]]) -> None:
        """Set the members' weights, and the strengths of ``recipe``, which has the same structure.

        Args:
            recipe: with numbers.
            weights: the weights of each member, in Keras's order.
        """
        for member, values in zip(self.members, weights, strict=True):
            member.set_weights(values)
            member.set_dials(recipe.dials())

    def logits(self, x: ModelInputs) -> Any:
        """Return logits (rows, size) for prepared inputs (rows, ...), computed CHUNK rows at a time."""
        return self.members[0].task.to_logits(compute_in_chunks(self._outputs, x))
