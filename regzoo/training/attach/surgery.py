"""Graft: a copy of every layer of the user's own Keras model, put together again with a recipe's layers between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError
from regzoo.core.seeds import derive, generator
from regzoo.training.attach.graph import ENDS, Graph, can_split
from regzoo.training.model.build_info import Start
from regzoo.training.model.insertion import LayerInserter, collect_initial_values
from regzoo.training.task import Task

TOLERANCE = 1e-5
"""Between the answers of a model and of its copy, which differ by nothing but the order of sums on a GPU."""

UNKNOWN = 32
"""What stands for a size that the model leaves open when it is tried out."""


@dataclass(frozen=True)
class InitialWeights:
    """The weights that a model was attached with.

    Attributes:
        variables: of the copy.
        values: of each, as they were; replaced when a saved model is loaded.
    """

    variables: tuple[keras.Variable, ...]
    values: list[np.ndarray]


class TwoLogits(keras.Layer):
    """Map the logit of the second of two classes (batch, 1) to logits (0, z) of both (batch, 2)."""

    def call(self, inputs: Any) -> Any:
        """Put a zero before it."""
        return keras.ops.concatenate([keras.ops.zeros_like(inputs), inputs], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Two for one."""
        return (*input_shape[:-1], 2)


class ModelSurgery:
    """The copies of a model's layers, and what is inserted between them.

    Args:
        graph: of the user's model.
        fitter: makes the layers to insert.
    """

    def __init__(self, graph: Graph, fitter: LayerInserter) -> None:
        _refuse_ties(graph)
        self.graph = graph
        self.fitter = fitter
        self.names = {operation.name for operation in graph.model.operations}
        self._to_split = self._splittings()
        self.copies = {id(operation): self._copy(operation) for operation in graph.operations}
        self.nonlinear: dict[int, Any] = {
            id(layer): self._nonlinearity(layer) for layer in graph.operations if id(layer) in self._to_split
        }

    def slot(self, kind: Any, tensor: Any) -> Any:
        """Insert what the recipe has for this slot, under names that the user's model does not have."""
        after = self.fitter.slot(kind, tensor)
        inserted = after
        while inserted is not tensor:
            layer = inserted._keras_history.operation
            layer.name = self._unused(layer.name)
            inserted = layer._inbound_nodes[inserted._keras_history.node_index].input_tensors[0]
        return after

    def apply(self, call: Any, args: Any, kwargs: Any) -> Any:
        """Call the copy; announce the slots behind it."""
        return self._apply(call, args, kwargs, self.slot)

    def ended(self, output: Any, task: Task) -> tuple[Any, Any]:
        """The logits and the outputs, of the output that the copy has without its last nonlinearity."""
        last = self.graph.last.operation
        if self.graph.end == "sigmoid" and task.kind == "classification":
            output = TwoLogits(name=self._unused("two_logits"))(output)
            return output, keras.layers.Softmax(name=self._unused("probabilities"))(output)
        if task.kind == "multilabel":
            return output, keras.layers.Activation("sigmoid", name=self._unused("probabilities"))(output)
        if self.graph.end == "softmax":
            ending = self.nonlinear[id(last)] if id(last) in self.nonlinear else self.copies[id(last)]
            return output, ending(output)
        if task.kind == "classification":
            return output, keras.layers.Softmax(name=self._unused("probabilities"))(output)
        return output, output

    def take_weights(self) -> InitialWeights:
        """Give the copies the weights of the originals, and remember them."""
        variables, values = [], []
        for layer in self.graph.operations:
            copy = self.copies[id(layer)]
            if not isinstance(layer, keras.Layer):
                continue
            copy.set_weights(layer.get_weights())
            _finalize(copy)
            variables += copy.weights
            values += [weight.numpy() for weight in copy.weights]
        return InitialWeights(tuple(variables), values)

    def refuse_other_answers(self) -> None:
        """Refuse a model whose copy, with nothing inserted, answers otherwise: a layer's config does not say all."""
        x = trial(self.graph)
        first, again = (keras.tree.flatten(self.graph.model(x))[0] for _ in range(2))
        if not np.allclose(first, again, equal_nan=True):
            return  # it draws at inference, so it cannot be compared
        output = self.graph.replay(x, lambda call, args, kwargs: self._apply(call, args, kwargs, _pass), _pass)
        last = self.graph.last.operation
        if self._ends_bare():
            output = self.nonlinear[id(last)](output) if id(last) in self.nonlinear else self.copies[id(last)](output)
        if not np.allclose(first, output, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            raise InputError(
                "a copy of the model answers otherwise than the model: get_config() of one of its layers leaves out "
                "what the layer needs"
            )

    def starts(self, model: keras.Model, kept: InitialWeights) -> tuple[Start, Start]:
        """Where weights and streams start: the user's weights as they were, all else by the seed."""
        inserted = [layer for layer in model.layers if id(layer) in self.fitter.keys]
        weights, streams = collect_initial_values(inserted, self.fitter.keys)
        own = [(v, (layer.name, number)) for layer in self._layers() for number, v in enumerate(_states(layer))]
        return (
            lambda seed: [*weights(seed), *zip(kept.variables, kept.values, strict=True)],
            lambda seed: [*streams(seed), *((v, [derive(seed, *name), 0]) for v, name in own)],
        )

    def _layers(self) -> list[Any]:
        return [copy for copy in self.copies.values() if isinstance(copy, keras.Layer)]

    def _ends_bare(self) -> bool:
        """True if the copy stops before the last nonlinearity: softmax, and a sigmoid that becomes a softmax."""
        return self.graph.end in ENDS.values()

    def _splittings(self) -> set[int]:
        calls = [call for call in self.graph.calls if self.graph.sites[id(call)].split]
        if self._ends_bare() and can_split(self.graph.last.operation):
            calls.append(self.graph.last)
        return {id(call.operation) for call in calls}

    def _copy(self, operation: Any) -> Any:
        if not isinstance(operation, keras.Layer):
            return operation
        if isinstance(operation, keras.layers.Lambda):
            return _copied_lambda(operation)
        try:
            config = operation.get_config()
            if id(operation) in self._to_split:
                config |= {"activation": "linear", "activity_regularizer": None}
            return type(operation).from_config(config)
        except Exception as error:  # whatever a layer of the user's own raises
            raise InputError(
                f"the layer {operation.name!r} cannot be copied from its get_config(): {type(error).__name__}: {error}"
            ) from error

    def _nonlinearity(self, layer: Any) -> Any:
        return keras.layers.Activation(
            layer.activation,
            activity_regularizer=layer.activity_regularizer,
            dtype=layer.dtype_policy,
            name=self._unused(f"{layer.name}_activation"),
        )

    def _apply(self, call: Any, args: Any, kwargs: Any, slot: Any) -> Any:
        operation = call.operation
        if call is self.graph.last and self._ends_bare() and not can_split(operation):
            return args[0]
        outputs = self.copies[id(operation)](*args, **kwargs)
        sites = self.graph.sites[id(call)]
        if id(operation) in self.nonlinear and not (call is self.graph.last and self._ends_bare()):
            outputs = slot("preactivation", outputs) if sites.split else outputs
            outputs = self.nonlinear[id(operation)](outputs)
        if sites.after:
            first, *others = keras.tree.flatten(outputs)
            outputs = [slot("activation", first), *others]
        return outputs

    def _unused(self, name: str) -> str:
        tried, number = name, 0
        while tried in self.names:
            number += 1
            tried = f"{name}_{number}"
        self.names.add(tried)
        return tried


def _pass(kind: Any, tensor: Any) -> Any:
    return tensor


def trial(graph: Graph) -> Any:
    """A batch of made-up inputs, of the structure of the model's own."""
    draw = generator("attach")

    def made(tensor: Any) -> Any:
        rows, *sizes = tensor.shape
        shape = (rows or 2, *(UNKNOWN if size is None else size for size in sizes))
        is_float = "float" in str(tensor.dtype)
        values = draw.standard_normal(shape) if is_float else np.zeros(shape)
        return keras.ops.convert_to_tensor(values, tensor.dtype)

    return keras.tree.map_structure(made, graph.model.input)


def _copied_lambda(layer: Any) -> Any:
    """A Lambda around the same function: from a config Keras makes none, since it could come from a stranger's file."""
    shape, function = layer._output_shape, layer.function
    options = {"mask": layer.mask, "arguments": layer.arguments, "dtype": layer.dtype_policy, "name": layer.name}
    return keras.layers.Lambda(function, output_shape=shape, **options)


def _refuse_ties(graph: Graph) -> None:
    """Refuse a weight that belongs to two layers: their copies would have one each."""
    owner: dict[int, str] = {}
    for layer in graph.operations:
        for weight in layer.weights if isinstance(layer, keras.Layer) else ():
            if owner.setdefault(id(weight), layer.name) != layer.name:
                raise InputError(
                    f"the layers {owner[id(weight)]!r} and {layer.name!r} share a weight, which copies of them would "
                    "not: call one layer twice instead"
                )


def _finalize(layer: Any) -> None:
    """Let what a layer derives from its weights follow them."""
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
    for inner in layer.layers if isinstance(layer, keras.Model) else ():
        _finalize(inner)


def _states(layer: Any) -> list[Any]:
    """The states of random streams inside ``layer``."""
    weights = {id(weight) for weight in layer.weights}
    return [v for v in layer.variables if id(v) not in weights and v.shape == (2,) and "int" in str(v.dtype)]
