"""The config of a user's model inside that of its copy."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

import keras

from regzoo.core import Recipe
from regzoo.core._keras_compat import list_layers
from regzoo.core.cells import NamedCells, named_cells_to_json
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.layer_names import list_lost_names
from regzoo.training.attach.ties import find_ties
from regzoo.training.model.precision import describe_precision
from regzoo.training.task import Task


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


def describe_attached(
    recipe: Recipe, graph: Graph, task: Task, seed: int, classes: int | None, cells: NamedCells
) -> dict[str, Any]:
    """Return the arguments that attach ``recipe`` again to the model of ``graph``, as JSON; see `attach_to_graph`."""
    return {
        "recipe": str(recipe),
        "classes": classes,
        "seed": seed,
        "task": asdict(task),
        **({"expand_nested": True} if graph.expand_nested else {}),
        **({"cells": named_cells_to_json(cells)} if cells else {}),
        **describe_precision(),
        **({"ties": ties} if (ties := find_ties(graph.list_leaf_layers())) else {}),
        **serialize_model(graph),
    }


def deserialize_model(config: dict[str, Any], custom_objects: Any = None) -> keras.Model:
    """Return the user's model from what `serialize_model` returned."""
    own = copy.deepcopy(config["model"])  # Keras changes the configs that it is given
    model: keras.Model = keras.saving.deserialize_keras_object(own, custom_objects=custom_objects)
    for layer, name in zip(list_layers(model), config.get("names", ()), strict=False):
        layer.name = name
    return model
