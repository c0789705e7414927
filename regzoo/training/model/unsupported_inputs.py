"""Try regularizers on example inputs that they may not be written for: several inputs, or whole numbers."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from regzoo.core import InputError, OnBatch, OnForward
from regzoo.core._keras_compat import list_layers
from regzoo.core.places import change_batch
from regzoo.training.model.requirements import MIXES_PADDING
from regzoo.training.model.step import TrainStep


def reject_unsupported_inputs(model: Any, x: Any) -> None:
    """Reject regularizers that cannot handle the model's inputs: several of them, or whole numbers.

    Args:
        model: a `BaseRegularizedModel`.
        x: example inputs.

    Raises:
        InputError: at the first of them.
    """
    y = tf.one_hot([0] * len(keras.tree.flatten(x)[0]), model.task.size)
    masked = any(isinstance(layer, keras.layers.Embedding) and layer.mask_zero for layer in list_layers(model))
    for regularizer in model.get_regularizers(OnBatch):
        if masked and regularizer.mixes_targets:
            raise InputError(f"{regularizer.name} {MIXES_PADDING}")
        try:
            changed, _ = change_batch(regularizer, x, y, model.get_stream(regularizer), model.get_cells(x))
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
