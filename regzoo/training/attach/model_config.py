"""The config of a user's model inside that of its copy."""

from __future__ import annotations

import copy
from typing import Any

import keras

from regzoo.core._keras_compat import list_layers
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.layer_names import list_lost_names


def serialize_model(graph: Graph) -> dict[str, Any]:
    """Return the user's model as JSON, without its compile arguments; or why it cannot be saved."""
    if any(isinstance(operation, keras.layers.Lambda) for operation in graph.list_leaves()):
        return {"unsaved": "it holds a Lambda layer, which is code; write a keras.Layer in its place"}
    if shared := graph.find_layer_of_two_models():
        return {"unsaved": f"two models share the layer {shared.name!r}, which Keras would load as two layers"}
    try:
        config = keras.saving.serialize_keras_object(graph.given)
    except Exception as error:  # a user's own layer may raise anything
        return {"unsaved": f"{type(error).__name__}: {error}"}
    config.pop("compile_config", None)
    names = list_lost_names(graph.given)
    return {"model": config, "names": names} if names else {"model": config}


def deserialize_model(config: dict[str, Any], custom_objects: Any = None) -> keras.Model:
    """Return the user's model from what `serialize_model` returned."""
    own = copy.deepcopy(config["model"])  # Keras changes the configs that it is given
    model: keras.Model = keras.saving.deserialize_keras_object(own, custom_objects=custom_objects)
    for layer, name in zip(list_layers(model), config.get("names", ()), strict=False):
        layer.name = name
    return model
