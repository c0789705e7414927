"""Find the tokens of a user's model: what Embedding layers make, with positions added, or the first attention reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras

from regzoo.core._keras_compat import LayerCall, list_layers
from regzoo.core.roles import names_positions
from regzoo.core.selection import LayerKind, get_layer_kind
from regzoo.core.weights import list_classes

MIXING: tuple[LayerKind, ...] = ("attention", "recurrent")
"""Kinds of layers after which tokens are no longer embeddings."""

SCALING = ("Multiply", "Divide", "TrueDivide")
"""Functions of ``keras.ops`` that scale embeddings by a number, as the paper of the transformer does."""


def is_sum(operation: Any) -> bool:
    """Return True for an addition: a layer, or the function behind ``+``."""
    return isinstance(operation, keras.layers.Add) or type(operation).__name__ == "Add"


def find_embeddings(
    calls: Sequence[LayerCall], ancestors: Mapping[int, frozenset[int]], is_open: Callable[[Any], bool]
) -> frozenset[int]:
    """Return the ids of the calls whose output is an embedding slot.

    Behind an Embedding, or a layer of the user's that holds one, it lies after the last addition of other embeddings or
    positions. A stream without an Embedding, such as patches of an image, has its slot where its first attention reads
    it, before a normalization that only this attention reads.

    Args:
        calls: of a model's graph, each after those that it depends on.
        ancestors: by the id of a call, the ids of the calls that it depends on, and its own.
        is_open: returns True for a model among the layers that has slots of its own.
    """
    readers = _Readers(calls, ancestors)
    embedded: set[int] = set()
    for call in calls:
        if _makes_embeddings(call, is_open) or _continues(call, readers, embedded):
            embedded.add(id(call))
    found = {
        id(call)
        for call in calls
        if id(call) in embedded and not any(id(reader) in embedded for reader in readers.of(call.outputs[0]))
    }
    inner = {id(call) for call in calls if is_open(call.operation) and _holds(call.operation, "embedding")}
    attended: set[int] = set()
    for call in calls:
        if not _holds(call.operation, "attention"):
            continue
        entry = readers.find_entry(call)
        if entry is not None and not ancestors[id(call)] & (embedded | inner | attended):
            found.add(id(entry))
        attended.add(id(call))
    return frozenset(found)


class _Readers:
    """The calls that make and read each tensor.

    Args:
        calls, ancestors: as for `find_embeddings`.
    """

    def __init__(self, calls: Sequence[LayerCall], ancestors: Mapping[int, frozenset[int]]) -> None:
        self._calls = calls
        self._ancestors = ancestors
        self._makers = {id(tensor): call for call in calls for tensor in call.outputs}

    def of(self, tensor: Any) -> Iterator[LayerCall]:
        """Iterate over the calls that read ``tensor``."""
        return (call for call in self._calls if any(each is tensor for each in call.inputs))

    def list_makers(self, call: LayerCall) -> list[LayerCall | None]:
        """Return the calls that made the inputs of ``call``, None for an input of the model."""
        return [self._makers.get(id(tensor)) for tensor in call.inputs]

    def depends_on(self, call: LayerCall | None, others: set[int]) -> bool:
        """Return True if ``call`` depends on one of the calls with the ids ``others``, or is one."""
        return call is not None and bool(self._ancestors[id(call)] & others)

    def find_entry(self, attention: LayerCall) -> LayerCall | None:
        """Return the call that made the tokens which ``attention`` reads, past a normalization of its own."""
        tensor = attention.inputs[0]
        maker = self._makers.get(id(tensor))
        while maker is not None and _normalizes(maker.operation):
            source = maker.inputs[0]
            own = all(_holds(reader.operation, "attention") for reader in self.of(tensor))
            if not own or len(list(self.of(source))) < 2:
                break
            tensor, maker = source, self._makers.get(id(source))
        return maker if maker is not None and len(tensor.shape) == 3 else None


def _makes_embeddings(call: LayerCall, is_open: Callable[[Any], bool]) -> bool:
    """Return True for an Embedding, or a layer of tokens that holds one and mixes no tokens."""
    operation = call.operation
    if not isinstance(operation, keras.Layer) or is_open(operation) or len(call.outputs) != 1:
        return False
    if _get_kind(operation) == "embedding":
        return True
    mixes = any(_holds(operation, kind) for kind in MIXING)
    return _holds(operation, "embedding") and not mixes and len(call.outputs[0].shape) >= 3


def _continues(call: LayerCall, readers: _Readers, embedded: set[int]) -> bool:
    """Return True for a call that adds positions or other embeddings to embeddings, or scales them.

    A residual addition does not: what it adds was made of the embeddings.
    """
    makers = readers.list_makers(call)
    others = [maker for maker in makers if maker is None or id(maker) not in embedded]
    if len(others) == len(makers):
        return False
    if is_sum(call.operation):
        return not any(readers.depends_on(maker, embedded) for maker in others)
    if len(makers) > 1:
        return False
    named = names_positions(type(call.operation).__name__) or names_positions(call.operation.name)
    return named or isinstance(call.operation, keras.layers.Rescaling) or type(call.operation).__name__ in SCALING


def _normalizes(operation: Any) -> bool:
    return isinstance(operation, keras.Layer) and any(
        "Normalization" in cls.__name__ for cls in list_classes(operation)
    )


def _get_kind(layer: keras.Layer) -> LayerKind | None:
    return get_layer_kind(cls.__name__ for cls in list_classes(layer))


def _holds(operation: Any, kind: LayerKind) -> bool:
    """Return True for a layer that is of this ``kind`` or has one inside."""
    return isinstance(operation, keras.Layer) and any(_get_kind(layer) == kind for layer in list_layers(operation))
