"""Graph of a user's Keras model: its layer calls in order, and the slots between them. Builds nothing."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras

from regzoo.core import Announce, InputError
from regzoo.core._keras_compat import LayerCall, is_plain_model, list_calls
from regzoo.core.slots import SlotKind
from regzoo.training.attach.acceptance import reject_several_outputs, to_functional
from regzoo.training.attach.embeddings import find_embeddings, is_sum
from regzoo.training.attach.layer_names import number_names
from regzoo.training.attach.nonlinearities import (
    FUSED,
    NO_HIDDEN_ACTIVATION,
    RECURRENT,
    can_split,
    get_final_function,
    is_nonlinear,
)


@dataclass(frozen=True)
class CallSlots:
    """The slots around one call of a layer.

    Attributes:
        before: kind of the slot at each input that has one, by the input's position.
        split: True if the layer's own nonlinearity must be taken out to make a preactivation slot before it.
        after: True if the output is an activation slot.
        embedded: True if the output is an embedding slot; one after a nonlinearity comes after its activation slot.
    """

    before: dict[int, SlotKind] = field(default_factory=dict)
    split: bool = False
    after: bool = False
    embedded: bool = False

    def list_after(self) -> list[SlotKind]:
        """Return the kinds of the slots at the output, in their order."""
        present: dict[SlotKind, bool] = {"activation": self.after, "embedding": self.embedded}
        return [kind for kind, is_present in present.items() if is_present]


@dataclass(frozen=True)
class Nesting:
    """How a model is used as a layer of another one.

    Attributes:
        in_training: False if it is only called with ``training=False``.
        is_open: True if it has slots.
        is_end: True if its output is that of the whole model.
        nested: the graphs of all models inside the whole model that were read so far, by the id of the model.
        models: these models, each before those inside it.
    """

    in_training: bool
    is_open: bool
    is_end: bool
    nested: dict[int, Graph]
    models: list[keras.Model]


class Graph:
    """The layer calls of a functional or sequential model, and their slots; the models among its layers have their own.

    Args:
        model: built; with one output, if it is no layer of another one.
        expand_nested: True if models among its layers have slots. Those that are only called with ``training=False``
            never do: they are to stay as they are.
        nesting: how it is used, if it is a layer of another one.

    Attributes:
        nested: the graphs of functional and sequential models inside the model, at any depth, by the id of the model.

    Raises:
        InputError: if it is subclassed, not built, has several outputs, or returns its input.
    """

    def __init__(self, model: keras.Model, expand_nested: bool = False, nesting: Nesting | None = None) -> None:
        self.given = model
        self.expand_nested = expand_nested
        self.model = to_functional(model)
        if nesting is None:
            reject_several_outputs(self.model)
        self._is_nested = nesting is not None
        self._nesting = nesting or Nesting(True, True, True, {}, [])
        self.nested = self._nesting.nested
        if self._is_nested:
            self.nested[id(model)] = self
            self._nesting.models.append(model)
        self.calls = list_calls(self.model)
        self.operations = list({id(call.operation): call.operation for call in self.calls}.values())
        self._producers = {id(tensor): call for call in self.calls for tensor in call.outputs}
        self._last = self._producers.get(id(self.model.outputs[0]))
        if self._last is None and nesting is None:
            raise InputError(f"the model {model.name!r} returns its input: there is nothing to attach to")
        self.parents = {
            id(call): [self._producers[id(t)] for t in call.inputs if id(t) in self._producers] for call in self.calls
        }
        self._ancestors: dict[int, frozenset[int]] = {}  # by id of a call: ids of the calls it depends on, and its own
        for call in self.calls:
            above = (self._ancestors[id(parent)] for parent in self.parents[id(call)])
            self._ancestors[id(call)] = frozenset({id(call)}).union(*above)
        self._weighted = {id(call) for call in self.calls if getattr(call.operation, "weights", [])}
        self._read_nested_models(expand_nested)
        self._embedded = find_embeddings(self.calls, self._ancestors, self._is_open_model)
        self.slots = {id(call): self._find_slots(call) for call in self.calls}

    @property
    def in_training(self) -> bool:
        """False if this model, or one around it, is only called with ``training=False``: it is to stay as it is."""
        return self._nesting.in_training

    @property
    def is_open(self) -> bool:
        """True if the calls of this model have slots."""
        return self._nesting.is_open

    @property
    def tail(self) -> Graph:
        """The graph whose last call makes the output of the whole model: this one, or one of a model inside it."""
        inner = None if self._last is None else self.nested.get(id(self._last.operation))
        return inner.tail if inner is not None and inner._nesting.is_end else self

    @property
    def last(self) -> LayerCall:
        """The call that makes the output of the whole model."""
        last = self.tail._last
        assert last is not None  # a nested model that returns its input is no tail
        return last

    @property
    def final_function(self) -> str:
        """The function that the model ends in: ``softmax``, ``sigmoid``, ``linear``, or the name of another one."""
        return get_final_function(self.last.operation)

    def walk(self) -> list[Graph]:
        """Return this graph and those of all models inside the model."""
        return [self, *self.nested.values()]

    def list_nested_models(self) -> list[keras.Model]:
        """Return the models in ``nested``, each before those inside it."""
        return list(self._nesting.models)

    def list_leaves(self) -> list[Any]:
        """Return the layers and functions at every depth, without the models in ``nested``; each once."""
        found = {id(operation): operation for graph in self.walk() for operation in graph.operations}
        return [operation for key, operation in found.items() if key not in self.nested]

    def list_leaf_layers(self) -> list[keras.Layer]:
        """Return the layers among the leaves."""
        return [operation for operation in self.list_leaves() if isinstance(operation, keras.Layer)]

    def find_layer_of_two_models(self) -> keras.Layer | None:
        """Return a layer that is called in two of the models, if there is one."""
        seen: set[int] = set()
        for layer in [each for graph in self.walk() for each in graph.operations if isinstance(each, keras.Layer)]:
            if id(layer) in seen:
                return layer
            seen.add(id(layer))
        return None

    def count_slots(self) -> Counter[str]:
        """Return how many slots of each kind there are; a nested model that is called twice has its slots once."""
        slots = [each for graph in self.walk() for each in graph.slots.values()]
        counts: Counter[str] = Counter(kind for each in slots for kind in each.before.values())
        counts["input"] = sum(_is_float(tensor) for tensor in self.model.inputs)
        counts["preactivation"] += sum(each.split for each in slots)
        counts["activation"] = sum(each.after for each in slots)
        counts["embedding"] = sum(each.embedded for each in slots)
        return counts

    def name_layers(self) -> dict[str, str]:
        """Return names for the random streams of the layers, by the layers' own names, which Keras may have made up."""
        return number_names((each.name, type(each).__name__) for each in self.model.operations)

    def replay(self, inputs: Any, apply: Callable[[LayerCall, Any, Any], Any], slot: Announce) -> list[Any]:
        """Repeat every call on other ``inputs``, of the structure of the model's own, and return all outputs.

        Args:
            inputs: tensors, symbolic or eager.
            apply: ``apply(call, args, kwargs)`` returns the outputs of the call.
            slot: receives the tensor at each slot before a call, and returns what the call receives.
        """
        tensors = {
            id(symbol): slot("input", tensor) if _is_float(symbol) and not self._is_nested else tensor
            for symbol, tensor in zip(self.model.inputs, keras.tree.flatten(inputs), strict=True)
        }
        for call in self.calls:
            changed: dict[int, Any] = {}
            for position, kind in self.slots[id(call)].before.items():
                symbol = id(call.inputs[position])
                changed[symbol] = slot(kind, tensors[symbol])
            args, kwargs = call.fill_in(ChainMap(changed, tensors))
            outputs = keras.tree.flatten(apply(call, args, kwargs))
            tensors.update((id(symbol), tensor) for symbol, tensor in zip(call.outputs, outputs, strict=True))
        return [tensors[id(output)] for output in self.model.outputs]

    def _read_nested_models(self, expand_nested: bool) -> None:
        for call in self.calls:
            model = call.operation
            if id(model) in self.nested or not is_plain_model(model):
                continue
            calls = [each for each in self.calls if each.operation is model]
            in_training = self.in_training and any(each.training is not False for each in calls)
            is_end = self._nesting.is_end and call is self._last and _can_end_in(model) and len(calls) == 1
            nesting = Nesting(in_training, in_training and expand_nested, is_end, self.nested, self._nesting.models)
            Graph(model, expand_nested, nesting)

    def _find_slots(self, call: LayerCall) -> CallSlots:
        operation = call.operation
        if not self.is_open or (call is self._last and self._nesting.is_end):
            return CallSlots()
        embedded = id(call) in self._embedded
        if is_sum(operation):
            return CallSlots(dict.fromkeys(self._find_branches(call), "branch"), embedded=embedded)
        if is_nonlinear(operation):
            return CallSlots({0: "preactivation"}, after=True, embedded=embedded)
        if isinstance(operation, RECURRENT):
            return CallSlots(after=True, embedded=embedded)
        if isinstance(operation, FUSED) and operation.activation not in NO_HIDDEN_ACTIVATION:
            return CallSlots(split=can_split(operation), after=True, embedded=embedded)
        return CallSlots(embedded=embedded)

    def _is_open_model(self, operation: Any) -> bool:
        """Return True for a model among the layers that has slots of its own."""
        inner = self.nested.get(id(operation))
        return inner is not None and inner.is_open

    def _find_branches(self, call: LayerCall) -> Iterable[int]:
        """Return the positions of the inputs of an addition that are residual branches.

        The shortcut is the one input with the fewest layers with weights since the paths of the inputs separated. The
        other inputs with more of them are branches. If two inputs have the fewest, or the inputs share no source,
        there is no branch.
        """
        tensors = call.inputs
        paths = [self._get_path(tensor) for tensor in tensors]
        sources = [self._find_sources(tensor, path) for tensor, path in zip(tensors, paths, strict=True)]
        if len(tensors) < 2 or len({tensor.shape for tensor in tensors}) > 1 or not frozenset.intersection(*sources):
            return []
        shared = frozenset.intersection(*paths)
        own = [len((path - shared) & self._weighted) for path in paths]
        return [] if own.count(min(own)) > 1 else [position for position, count in enumerate(own) if count > min(own)]

    def _get_path(self, tensor: Any) -> frozenset[int]:
        """Return the ids of the calls that ``tensor`` depends on."""
        producer = self._producers.get(id(tensor))
        return frozenset() if producer is None else self._ancestors[id(producer)]

    def _find_sources(self, tensor: Any, path: frozenset[int]) -> frozenset[int]:
        """Return the ids of what ``tensor`` depends on: the calls in ``path``, and inputs of the model."""
        read = {id(t) for call in self.calls if id(call) in path for t in call.inputs}
        inputs = {id(t) for t in self.model.inputs}
        return path | (({id(tensor)} | read) & inputs)


def _is_float(tensor: Any) -> bool:
    return "float" in str(tensor.dtype)


def _can_end_in(model: keras.Model) -> bool:
    """Return True if the model has one output, which is not its input."""
    return len(model.outputs) == 1 and not isinstance(model.output, dict) and model.outputs[0] is not model.inputs[0]
