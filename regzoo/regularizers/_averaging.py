"""Averaging of trained models: one model that gives the mean of what they predict."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core.lazy import keras

NAME = "ensemble"


def average(models: Sequence[keras.Model]) -> keras.Model:
    """Return one model that averages the outputs of ``models`` and shares their weights; one is returned as it is."""
    if len(models) == 1:
        return models[0]
    inputs = keras.Input(models[0].input_shape[1:], name="inputs")
    return keras.Model(inputs, keras.layers.Average()([model(inputs) for model in models]), name=NAME)


def members(model: keras.Model) -> list[keras.Model]:
    """The models that `average` put together in ``model``; ``model`` itself if it is no average."""
    if model.name != NAME:
        return [model]
    return [layer for layer in model.layers if isinstance(layer, keras.Model)]
