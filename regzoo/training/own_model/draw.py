"""Initial weights of the user's own model for a run: drawn by its layers' own initializers, or the model's weights."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError
from regzoo.core._keras_compat import LayerCall, list_layers
from regzoo.core.seeds import derive
from regzoo.training.attach.graph import Graph
from regzoo.training.own_model.seeded import run_seeded

KEPT_SEEDS = 16
"""Draws that are kept: the runs of a worker share their seeds, since recipes are compared on the same ones."""

MAX_KEPT = 2**28
"""Bytes that they may take."""

InitialValues = Mapping[int, np.ndarray]
"""The value of each weight that is drawn, by the id of the model's variable."""


class InitialDraw:
    """Draws the weights of a model as building it again would, with a random stream for each layer.

    A layer is built again from its config, in its own random stream, which is named after the layer as
    `Graph.name_layers` does. So whatever draws
    its weights, an initializer or code of the user's, draws them; an initializer with a seed of its own gets another
    one for each run. Layers that were adapted to data (Normalization, TextVectorization, StringLookup) keep their
    state.

    Args:
        graph: of the model.
        custom_objects: classes and functions in the layers' configs that Keras does not know, by name.
    """

    def __init__(self, graph: Graph, custom_objects: Mapping[str, Any] | None = None) -> None:
        self._graph = graph
        self._custom_objects = dict(custom_objects or {})
        self._adapted = {id(weight) for layer in list_adapted_layers(graph.model) for weight in layer.weights}
        self._names = graph.name_layers()
        size = sum(4 * math.prod(weight.shape) for weight in graph.model.weights)
        self.draw = functools.lru_cache(min(KEPT_SEEDS, MAX_KEPT // max(size, 1)))(self._draw)

    def _draw(self, seed: int) -> InitialValues:
        values: dict[int, np.ndarray] = {}
        calls = {id(call.operation): call for call in reversed(self._graph.calls)}  # the first call of each layer
        for layer in self._graph.operations:
            weights = [] if not isinstance(layer, keras.Layer) else layer.weights
            if all(id(weight) in self._adapted or id(weight) in values for weight in weights):
                continue
            new = self._build_again(layer, calls[id(layer)], derive(seed, self._names[layer.name]))
            for weight, drawn in zip(weights, new, strict=True):
                if id(weight) not in self._adapted:
                    values.setdefault(id(weight), drawn)
        return values

    def _build_again(self, layer: keras.Layer, call: LayerCall, seed: int) -> list[np.ndarray]:
        """Return the weights of a layer like ``layer`` that is built in the random stream ``seed``."""

        def build() -> list[np.ndarray]:
            with keras.saving.custom_object_scope(self._custom_objects):
                new = type(layer).from_config(_reseed(layer.get_config(), seed))
            if not new.built or len(new.weights) != len(layer.weights):
                inputs = {id(t): keras.Input(batch_shape=t.shape, dtype=t.dtype) for t in call.inputs}
                args, kwargs = call.fill_in(inputs)
                new(*args, **kwargs)
            return [weight.numpy() for weight in new.weights]

        drawn = run_seeded(seed, build)
        if [value.shape for value in drawn] != [tuple(weight.shape) for weight in layer.weights]:
            raise InputError(
                f"weights: fresh cannot draw the layer {layer.name!r}: built from its get_config() it has other "
                "weights than in the model; complete its get_config(), or take weights: keep"
            )
        return drawn


def list_adapted_layers(model: keras.Model) -> list[keras.Layer]:
    """Return the layers, also inside other layers, whose state was adapted to data."""
    return [layer for layer in list_layers(model) if hasattr(layer, "adapt")]


def list_frozen_layers(model: keras.Model) -> list[str]:
    """Return the names of the layers with weights that were frozen, those that were adapted to data apart."""
    adapted = {id(layer) for layer in list_adapted_layers(model)}
    layers = [each for each in list_layers(model) if id(each) not in adapted and not isinstance(each, keras.Model)]
    return [each.name for each in layers if each.weights and not each.trainable]


def _reseed(config: Any, seed: int) -> Any:
    """Return a layer's config in which every initializer's own seed is derived from ``seed``."""
    if isinstance(config, dict):
        changed = {key: _reseed(value, seed) for key, value in config.items()}
        if config.get("module") == "keras.initializers" and isinstance(changed.get("config"), dict):
            own = changed["config"].get("seed")
            changed["config"] |= {"seed": derive(seed, "initializer", own)} if isinstance(own, int) else {}
        return changed
    return [_reseed(each, seed) for each in config] if isinstance(config, list) else config


def describe_states(model: keras.Model) -> Iterator[Any]:
    """Yield what the adapted layers of ``model`` have learned from data, in order: vocabularies, means, boundaries."""
    for layer in list_adapted_layers(model):
        yield [weight.numpy() for weight in layer.weights]
        yield layer.get_vocabulary() if hasattr(layer, "get_vocabulary") else None
        yield getattr(layer, "bin_boundaries", None)
