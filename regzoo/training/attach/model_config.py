"""The config of a user's model inside that of its copy."""

from __future__ import annotations

from typing import Any

import keras

from regzoo.training.attach.graph import Graph


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
    return {"model": config}
