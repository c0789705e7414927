"""Find the layers at which the slots and the weights of a model lie."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from regzoo.core import LayerInfo
from regzoo.core._keras_compat import get_operation, list_call_inputs, list_consumers, list_inner_layers
from regzoo.core.selection import LayerKind, LayerPlace, get_layer_kind
from regzoo.core.slots import SlotKind
from regzoo.core.weights import list_classes

Kinds = Mapping[str, LayerKind]
"""Kinds of layers by a pattern of their names, which go before the kind of the layer's class."""


@dataclass(frozen=True)
class SlotPlace:
    """A slot before anything is inserted.

    Attributes:
        kind, rank: as in `Slot`.
        layer: the layer at which it lies.
    """

    kind: SlotKind
    rank: int
    layer: LayerPlace


def make_place(layers: Sequence[LayerInfo], kinds: Kinds | None = None, names: Sequence[str] = ()) -> LayerPlace:
    """Return the place of a layer, given after the layers that hold it.

    It is the outermost of them that has a kind, so that what lies inside of MultiHeadAttention is attention.

    Args:
        layers: outermost first.
        kinds: kinds by a pattern of the name.
        names: further names by which a pattern finds it.
    """
    found = [_find_kind(layer, kinds or {}) for layer in layers]
    depth = next((number for number, kind in enumerate(found) if kind), len(layers) - 1)
    path = "/".join(layer.name for layer in layers[: depth + 1])
    inner = layers[depth + 1 :]
    inside = ["/".join((path, *(layer.name for layer in inner[: end + 1]))) for end in range(len(inner))]
    return LayerPlace(path, found[depth], (*inside, *(layer.name for layer in inner), *names))


def find_slot_place(
    kind: SlotKind, tensor: Any, kinds: Kinds | None = None, holders: Sequence[keras.Model] = ()
) -> SlotPlace:
    """Return the place of the slot of this ``kind`` at the symbolic ``tensor``, before anything is inserted.

    Where paths meet, as in an addition, the path with the most layers with weights counts: the residual branch. The
    layer that made the tensor, such as an activation, and normalizations between are further names of the place.

    Args:
        kind: of the slot.
        tensor: made by a layer of a model.
        kinds: kinds by a pattern of the name.
        holders: that model and those around it, outermost first, if it is a layer of another one.
    """
    rank, outer = len(tensor.shape), tuple(_describe(model) for model in holders)
    if kind == "attention":  # the layer that makes the attention weights
        made_by = _describe(get_operation(tensor))
        return SlotPlace(kind, rank, LayerPlace(make_place([*outer, made_by]).path, "attention"))
    return SlotPlace(kind, rank, _Tracer(kinds or {}).find(tensor, outer))


def list_layer_places(model: keras.Model, inserted: Collection[int], kinds: Kinds | None = None) -> list[LayerPlace]:
    """Return the places of all layers of ``model``, those inside of layers too.

    Args:
        model: built.
        inserted: ids of layers that the recipe inserts, to leave out.
        kinds: kinds by a pattern of the name.
    """

    def collect(layer: Any, chain: tuple[LayerInfo, ...]) -> list[LayerPlace]:
        inner = [
            each
            for each in list_inner_layers(layer)
            if id(each) not in inserted and not isinstance(each, keras.layers.InputLayer)
        ]
        own = [make_place(chain, kinds)] if chain else []
        return [*own, *(place for each in inner for place in collect(each, (*chain, _describe(each))))]

    return collect(model, ())


def feeds_frozen_weights(layer: keras.Layer, inserted: Collection[int]) -> bool:
    """Return True if a layer with weights that reads the output of ``layer`` next has none that are trained.

    Args:
        layer: a layer that a recipe inserted.
        inserted: ids of the layers that the recipe inserts.
    """
    seen: set[int] = set()
    waiting = list_consumers(layer)
    while waiting:
        consumer = waiting.pop()
        if id(consumer) in seen:
            continue
        seen.add(id(consumer))
        if not getattr(consumer, "weights", []) or id(consumer) in inserted:
            waiting += list_consumers(consumer)
        elif not consumer.trainable_weights:
            return True
    return False


class _Tracer:
    """Follows symbolic tensors back to the layers with weights that made them."""

    def __init__(self, kinds: Kinds) -> None:
        self.kinds = kinds
        self.depths: dict[int, int] = {}  # by the id of a tensor

    def find(self, tensor: Any, holders: tuple[LayerInfo, ...] = (), names: tuple[str, ...] = ()) -> LayerPlace:
        """Return the place of ``tensor``, in a model that lies inside the layers ``holders``.

        Args:
            tensor: symbolic.
            holders: outermost first.
            names: of layers that lie between the tensor and the slot.
        """
        found: list[tuple[int, Any, tuple[str, ...]]] = []
        waiting: list[tuple[Any, tuple[str, ...]]] = [(tensor, names)]
        seen: set[int] = set()
        while waiting:
            symbol, passed = waiting.pop(0)
            if id(symbol) in seen:
                continue
            seen.add(id(symbol))
            operation, inputs = get_operation(symbol), list_call_inputs(symbol)
            if _makes_features(operation) or not inputs:
                found.append((self.count_layers(symbol), operation, passed))
            else:
                if symbol is tensor or getattr(operation, "weights", []):
                    path = "/".join((*(holder.name for holder in holders), operation.name))
                    passed = (*passed, operation.name, path)
                waiting += [(each, passed) for each in inputs]
        _, operation, passed = max(found, key=lambda each: each[0])
        chain = (*holders, _describe(operation))
        if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
            return self.find(operation.outputs[0], chain, passed)
        while isinstance(operation, keras.layers.Wrapper) and not _find_kind(chain[-1], self.kinds):
            operation = operation.layer
            chain = (*chain, _describe(operation))
        return make_place(chain, self.kinds, passed)

    def count_layers(self, tensor: Any) -> int:
        """Return the number of layers with weights on the longest path to ``tensor``."""
        waiting = [tensor]
        while waiting:
            symbol = waiting[-1]
            inputs = list_call_inputs(symbol)
            missing = [each for each in inputs if id(each) not in self.depths]
            if missing:
                waiting += missing
                continue
            below = max((self.depths[id(each)] for each in inputs), default=0)
            self.depths[id(symbol)] = below + _makes_features(get_operation(symbol))
            waiting.pop()
        return self.depths[id(tensor)]


def _makes_features(operation: Any) -> bool:
    """Return True for a layer that mixes its inputs by weights, or is attention; not for a normalization or PReLU."""
    if not isinstance(operation, keras.Layer) or isinstance(operation, keras.layers.PReLU):
        return False
    if get_layer_kind(_describe(operation).classes):
        return True
    return any(len(weight.shape) >= 2 for weight in operation.weights)


def _find_kind(layer: LayerInfo, kinds: Kinds) -> LayerKind | None:
    own = (kind for pattern, kind in kinds.items() if fnmatch.fnmatchcase(layer.name, pattern))
    return next(own, None) or get_layer_kind(layer.classes)


def _describe(operation: Any) -> LayerInfo:
    return LayerInfo(operation.name, tuple(cls.__name__ for cls in list_classes(operation)))
