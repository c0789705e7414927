"""Refuse recipes that would do nothing in a user's model, or cannot handle its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from regzoo.core import InputError, OnBatch, OnForward
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.nested import describe_what_is_closed
from regzoo.training.model.build import RegularizedModel
from regzoo.training.model.step import TrainStep


def reject_inactive(hits: Mapping[str, int], graph: Graph) -> None:
    """Reject a recipe of which a regularizer acts nowhere.

    Raises:
        InputError: at the first of them.
    """
    for name, places in hits.items():
        if not places:
            raise InputError(
                f"{name} finds no place to act in the model {graph.model.name!r}: it would do nothing"
                + describe_what_is_closed(graph)
            )


def reject_unsupported_inputs(model: RegularizedModel, x: Any) -> None:
    """Reject regularizers that cannot handle the model's inputs: several of them, or whole numbers."""
    y = tf.one_hot([0] * len(keras.tree.flatten(x)[0]), model.task.size)
    for regularizer in model.get_regularizers(OnBatch):
        try:
            changed, _ = regularizer.batch(x, y, model.get_stream(regularizer))
            keras.tree.assert_same_structure(changed, x)
            same = keras.tree.map_structure(lambda a, b: a.dtype == b.dtype, changed, x)
        except Exception as error:  # of any kind: the regularizer was not written for such inputs
            raise InputError(_describe_unsupported(regularizer.name, error)) from error
        if not all(keras.tree.flatten(same)):
            raise InputError(_describe_unsupported(regularizer.name))
    if model.get_regularizers(OnForward):
        names = " or ".join(regularizer.name for regularizer in model.get_regularizers(OnForward))
        try:
            TrainStep(model).compute_objective(x, y, None)
        except Exception as error:  # of any kind, as above
            raise InputError(_describe_unsupported(names, error)) from error


def _describe_unsupported(name: str, error: Exception | None = None) -> str:
    """Return why the regularizer ``name`` cannot handle the model's inputs."""
    needs = error if isinstance(error, InputError) else "needs inputs that are one array of floating numbers"
    return f"{name} {needs}"
