"""Models that are layers of a user's model: copied layer by layer, with a recipe's layers inserted if they are open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras

from regzoo.core import Announce
from regzoo.core._keras_compat import LayerCall, get_operation, list_layers
from regzoo.core.slots import SlotKind
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.nonlinearities import RECURRENT


class NestedCopies:
    """Copies of the models inside a user's model, each made once, under its own name.

    A copy holds the copies of its layers, so layers that are reached in several ways stay shared. A sequential model
    stays one unless something was inserted or taken out.

    Args:
        graph: graph of the user's model.
        copies: the copies of all layers in these models, by the id of the layer; the models' copies are added.
        apply: ``apply(graph, call, args, kwargs, slot)`` returns the outputs of a call inside one of these models.
    """

    def __init__(
        self,
        graph: Graph,
        copies: Mapping[int, Any],
        apply: Callable[[Graph, LayerCall, Any, Any, Announce], Any],
    ) -> None:
        self._graph = graph
        self._copies = copies
        self._apply = apply
        self._final: dict[int, keras.Model] = {}
        self._plain: dict[int, keras.Model] = {}

    def get(self, model: keras.Model, slot: Announce) -> keras.Model:
        """Return the copy of ``model``.

        Args:
            model: a model inside the user's model.
            slot: inserts layers at the slots; for `insert_nothing` the copy has no inserted layers.
        """
        is_plain = slot is insert_nothing and self._graph.nested[id(model)].is_open
        made = self._plain if is_plain else self._final
        if id(model) not in made:
            made[id(model)] = self._make(model, slot)
        return made[id(model)]

    def list_pairs(self) -> list[tuple[keras.Model, keras.Model]]:
        """Return the models and their copies, each before those inside it."""
        return [(model, self._final[id(model)]) for model in self._graph.list_nested_models()]

    def _make(self, model: keras.Model, slot: Announce) -> keras.Model:
        graph = self._graph.nested[id(model)]
        inputs = keras.tree.map_structure(copy_input, graph.model.input)

        def apply(call: LayerCall, args: Any, kwargs: Any) -> Any:
            return self._apply(graph, call, args, kwargs, slot)

        flat = graph.replay(inputs, apply, slot)
        outputs = keras.tree.pack_sequence_as(graph.model.output, flat)
        copy = keras.Model(inputs, outputs, name=model.name)
        if not isinstance(model, keras.Sequential):
            return copy
        own = [self._copies.get(id(layer)) or self.get(layer, slot) for layer in model.layers]
        layers = copy.layers[1:]
        unchanged = len(own) == len(layers) and all(one is other for one, other in zip(own, layers, strict=True))
        return keras.Sequential([inputs, *own], name=model.name) if unchanged else copy


def insert_nothing(kind: SlotKind, tensor: Any) -> Any:
    """Return the tensor at a slot as it is."""
    return tensor


def copy_input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Return an input of another model like ``tensor``, an input of a model."""
    layer = get_operation(tensor)
    return keras.Input(
        batch_shape=tensor.shape, dtype=tensor.dtype, sparse=tensor.sparse, name=layer.name, optional=layer.optional
    )


def iterate_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Iterate over the layers of ``model`` and of the models among them."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from iterate_layers(layer)


def copy_trainable(pairs: Iterable[tuple[keras.Layer, keras.Layer]]) -> None:
    """Freeze what is frozen in layers in their copies: layers, layers inside of them, and single weights.

    Args:
        pairs: layers and their copies.
    """
    for original, copy in pairs:
        layers, copies = list_layers(original), list_layers(copy)  # each before those inside it, whose flags it sets
        if len(layers) != len(copies):
            layers, copies = [original], [copy]
        for layer, own in zip(layers, copies, strict=True):
            own.trainable = layer.trainable
        for weight, variable in zip(original.weights, copy.weights, strict=True):
            variable.trainable = weight.trainable


def describe_what_is_closed(graph: Graph) -> str:
    """Return sentences on the models and layers whose inside is out of a recipe's reach, and the way in."""
    closed = [model for model in graph.list_nested_models() if not graph.nested[id(model)].is_open]
    left = [model.name for model in closed if graph.nested[id(model)].in_training]
    inference = [model.name for model in closed if not graph.nested[id(model)].in_training]
    layers = [layer for layer in graph.list_leaves() if isinstance(layer, keras.Layer) and list_layers(layer)[1:]]
    opaque = [f"{layer.name} ({type(layer).__name__})" for layer in layers if not isinstance(layer, RECURRENT)]
    sentences = []
    if left:
        sentences.append(f". Models among its layers are left as they are unless expand_nested=True: {', '.join(left)}")
    if inference:
        sentences.append(
            f". Models that are called with training=False are always left as they are: {', '.join(inference)}"
        )
    if opaque:
        sentences.append(f". The inside of these layers is out of reach: {', '.join(opaque)}")
    return "".join(sentences)
