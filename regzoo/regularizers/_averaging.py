"""Averaging of trained models: one model that returns the mean of their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regzoo.core.lazy import keras

NAME = "ensemble"
"""Name of the Keras model that averages others."""


def average_models(models: Sequence[keras.Model]) -> keras.Model:
    """Return a model that averages the outputs of ``models`` with their weights; a single model is returned as is."""
    if len(models) == 1:
        return models[0]
    inputs = copy_inputs(models[0])
    return keras.Model(inputs, keras.layers.Average()([model(inputs) for model in models]), name=NAME)


def copy_inputs(model: keras.Model) -> Any:
    """Return new symbolic inputs like those of ``model``: one, or several in its own structure."""
    return keras.tree.map_structure(lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name), model.input)


def list_members(model: keras.Model) -> list[keras.Model]:
    """Return the models that ``model`` averages (see `average_models`), or ``model`` itself."""
    if model.name != NAME:
        return [model]
    return [layer for layer in model.layers if isinstance(layer, keras.Model)]
