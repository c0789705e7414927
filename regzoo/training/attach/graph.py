"""Graph: the layers of a Keras model of the user's own, call by call, and the slots between them. Nothing is built."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras
from keras.src.models.functional import Functional

from regzoo.core import Announce, InputError
from regzoo.core.slots import SlotKind

NONLINEAR = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)
"""Layers that are nothing but a nonlinearity."""

NONLINEAR_OPS = frozenset(
    {"celu", "elu", "gelu", "hardsigmoid", "hardsilu", "hardtanh", "leakyrelu", "mish"}
    | {"relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"}
)
"""The same as functions of ``keras.ops``, by the class that stands for a call of them."""

FUSED = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
"""Layers that may hold a nonlinearity after their own computation."""

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
"""Layers whose outputs are activations, and whose nonlinearities are inside."""

PLAIN = (keras.activations.linear, keras.activations.softmax)
"""What `activation=` may name without being a hidden nonlinearity."""

ENDS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}


@dataclass(frozen=True)
class Sites:
    """The slots around one call of a layer.

    Attributes:
        before: announced on inputs of the call, by the input's number among its tensors: kind of each.
        split: whether the layer's own nonlinearity has to be taken out, for the preactivation before it.
        after: whether the output is an activation.
    """

    before: dict[int, SlotKind] = field(default_factory=dict)
    split: bool = False
    after: bool = False


class Graph:
    """What a functional or sequential model consists of.

    Args:
        model: built, with one output.

    Raises:
        InputError: if it is subclassed, not built, or has several outputs.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = _functional(model)
        self.calls = [call for call in _in_order(self.model) if not call.is_input]
        self.operations = list({id(call.operation): call.operation for call in self.calls}.values())
        by_output = {id(tensor): call for call in self.calls for tensor in call.output_tensors}
        self.last: Any = by_output.get(id(self.model.outputs[0]))
        if self.last is None:
            raise InputError(f"the model {model.name!r} hands its input through: there is nothing to attach to")
        self.parents = {
            id(call): [by_output[id(t)] for t in call.input_tensors if id(t) in by_output] for call in self.calls
        }
        self._above: dict[int, frozenset[int]] = {}
        for call in self.calls:
            above = (self._above[id(parent)] for parent in self.parents[id(call)])
            self._above[id(call)] = frozenset({id(call)}).union(*above)
        self._by_output = by_output
        self._weighted = {id(call) for call in self.calls if getattr(call.operation, "weights", [])}
        self.sites = {id(call): self._around(call) for call in self.calls}

    @property
    def end(self) -> str:
        """What the model ends in: ``softmax``, ``sigmoid``, ``linear``, or the name of another function."""
        return end_of(self.last.operation)

    def census(self) -> Counter[str]:
        """How many slots of each kind there are."""
        counts: Counter[str] = Counter(kind for sites in self.sites.values() for kind in sites.before.values())
        counts["input"] = sum(_is_float(tensor) for tensor in self.model.inputs)
        counts["preactivation"] += sum(sites.split for sites in self.sites.values())
        counts["activation"] = sum(sites.after for sites in self.sites.values())
        return counts

    def replay(self, inputs: Any, apply: Callable[[Any, Any, Any], Any], slot: Announce) -> Any:
        """Make every call again on other ``inputs``, of the structure of the model's own; return the output.

        Args:
            inputs: tensors, symbolic or not.
            apply: ``apply(call, args, kwargs)`` returns the outputs of the call.
            slot: is handed the tensor at each slot before a call, and returns what the call receives.
        """
        given = keras.tree.flatten(inputs)
        known = {
            id(tensor): slot("input", value) if _is_float(tensor) else value
            for tensor, value in zip(self.model.inputs, given, strict=True)
        }
        for call in self.calls:
            changed: dict[int, Any] = {}
            for number, kind in self.sites[id(call)].before.items():
                tensor = id(call.input_tensors[number])
                changed[tensor] = slot(kind, known[tensor])
            args, kwargs = call.arguments.fill_in(ChainMap(changed, known))
            outputs = keras.tree.flatten(apply(call, args, kwargs))
            known.update((id(tensor), value) for tensor, value in zip(call.output_tensors, outputs, strict=True))
        return known[id(self.model.outputs[0])]

    def _around(self, call: Any) -> Sites:
        operation = call.operation
        if call is self.last:
            return Sites()
        if isinstance(operation, keras.layers.Add) or type(operation).__name__ == "Add":
            return Sites(dict.fromkeys(self._branches(call), "branch"))
        if _is_nonlinear(operation):
            return Sites({0: "preactivation"}, after=True)
        if isinstance(operation, RECURRENT):
            return Sites(after=True)
        if isinstance(operation, FUSED) and operation.activation not in PLAIN:
            return Sites(split=can_split(operation), after=True)
        return Sites()

    def _branches(self, call: Any) -> Iterable[int]:
        """The inputs of an addition that are residual branches, by number.

        The shortcut is the one input with the fewest layers with weights since the inputs parted; what is added to
        it is a branch. If no input has fewest, or the inputs have nothing in common, there is none.
        """
        tensors = call.input_tensors
        paths = [self._above[id(self._by_output[id(t)])] if id(t) in self._by_output else frozenset() for t in tensors]
        sources = [self._sources(tensor, path) for tensor, path in zip(tensors, paths, strict=True)]
        if len(tensors) < 2 or len({tensor.shape for tensor in tensors}) > 1 or not frozenset.intersection(*sources):
            return []
        shared = frozenset.intersection(*paths)
        own = [len((path - shared) & self._weighted) for path in paths]
        return [] if own.count(min(own)) > 1 else [number for number in range(len(own)) if own[number] > min(own)]

    def _sources(self, tensor: Any, path: frozenset[int]) -> frozenset[int]:
        """What ``tensor`` comes from: calls, and inputs of the model."""
        leading = {id(t) for call in self.calls if id(call) in path for t in call.input_tensors}
        entries = {id(entry) for entry in self.model.inputs}
        return path | (({id(tensor)} | leading) & entries)


def end_of(operation: Any) -> str:
    """The name of the function that ``operation`` ends in; ``linear`` if it has none or does not show it."""
    if isinstance(operation, keras.Model):
        outputs = getattr(operation, "outputs", None)
        return end_of(outputs[0]._keras_history.operation) if outputs else "linear"
    if isinstance(operation, (keras.layers.Activation, *FUSED)):
        name = getattr(operation.activation, "__name__", type(operation.activation).__name__)
        return ENDS.get(name, name)
    name = type(operation).__name__
    return ENDS.get(name, name if _is_nonlinear(operation) else "linear")


def can_part(operation: Any) -> bool:
    """True if the function that ``operation`` ends in can be parted from what comes before it."""
    bare = isinstance(operation, keras.layers.Activation | keras.layers.Softmax)
    return bare or not isinstance(operation, keras.Layer) or can_split(operation)


def can_split(layer: Any) -> bool:
    """True if the layer's nonlinearity can be taken out of it: it is a stock layer, and the nonlinearity a function."""
    return type(layer) in FUSED and not isinstance(layer.activation, keras.Layer)


def _is_nonlinear(operation: Any) -> bool:
    if isinstance(operation, keras.layers.Activation):
        return operation.activation not in PLAIN
    return isinstance(operation, NONLINEAR) or (
        not isinstance(operation, keras.Layer) and type(operation).__name__.lower() in NONLINEAR_OPS
    )


def _is_float(tensor: Any) -> bool:
    return "float" in str(tensor.dtype)


def _in_order(model: keras.Model) -> list[Any]:
    depths = model._nodes_by_depth
    return [call for depth in sorted(depths, reverse=True) for call in depths[depth]]


def _functional(model: Any) -> keras.Model:
    if not isinstance(model, keras.Model):
        raise InputError(f"attach takes a keras.Model, received {type(model).__name__}")
    if isinstance(model, keras.Sequential):
        if not model.built or not model.inputs:
            raise InputError(f"the model {model.name!r} is not built: begin it with keras.Input(shape)")
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not isinstance(model, Functional) or type(model).call is not Functional.call:
        raise InputError(
            f"{type(model).__name__} is a subclass of keras.Model, so its layers and slots cannot be seen: build it "
            "with the functional API, keras.Model(inputs, outputs), or make it a regzoo backbone"
        )
    if len(model.outputs) != 1 or isinstance(model.output, dict):
        raise InputError(f"attach takes a model with one output, received {len(model.outputs)}: choose one of them")
    return model
