"""Model surgery: copy every layer of a user's Keras model and rebuild it with a recipe's layers inserted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import Announce, InputError
from regzoo.core._keras_compat import LayerCall, get_input, get_operation, get_output_shape
from regzoo.core.seeds import derive
from regzoo.core.slots import SlotKind
from regzoo.training.attach.adapted import copy_adapted_state
from regzoo.training.attach.example_inputs import make_example_inputs, run_example
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.layer_names import keep_names
from regzoo.training.attach.nested import NestedCopies, copy_trainable, insert_nothing, iterate_layers
from regzoo.training.attach.nonlinearities import PROBABILITIES, can_split, unwrap
from regzoo.training.attach.ties import find_ties, tie
from regzoo.training.model.build_info import DrawInitialValues
from regzoo.training.model.insertion import LayerInserter, collect_initial_values
from regzoo.training.task import Task

DrawWeights = Callable[[int], Mapping[int, np.ndarray]]
"""A function of the run's seed that returns initial values of the user's weights, by the id of the model's variable;
the weights that it leaves out start from their own values."""

TOLERANCE = 1e-5
"""Largest difference between the outputs of a model and of its copy; on a GPU the order of sums may differ."""


@dataclass(frozen=True)
class InitialWeights:
    """The weights that a model had when a recipe was attached to it.

    Attributes:
        variables: the weights of the copy.
        values: the value of each; replaced when a saved model is loaded.
        originals: the ids of the user's own variables that they are copies of.
    """

    variables: tuple[keras.Variable, ...]
    values: list[np.ndarray]
    originals: tuple[int, ...]

    def pair(self, drawn: Mapping[int, np.ndarray]) -> list[tuple[keras.Variable, np.ndarray]]:
        """Return each variable with its initial value: that in ``drawn``, if the original is in it, else its own."""
        own = zip(self.variables, self.values, self.originals, strict=True)
        return [(variable, drawn.get(original, value)) for variable, value, original in own]


class TwoLogits(keras.Layer):
    """Map the logit of the second of two classes (batch, 1) to logits (0, z) of both (batch, 2)."""

    def call(self, inputs: Any) -> Any:
        """Prepend a zero."""
        return keras.ops.concatenate([keras.ops.zeros_like(inputs), inputs], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (batch, 2)."""
        return (*input_shape[:-1], 2)


class ModelSurgery:
    """Copies of a model's layers, and the layers inserted between them.

    Args:
        graph: graph of the user's model.
        inserter: makes the layers to insert.
        task: what the model predicts; a final softmax or sigmoid makes probabilities only where there are classes.
        inserts: False if the recipe inserts nothing, and so a nonlinearity inside a layer stays there.
    """

    def __init__(self, graph: Graph, inserter: LayerInserter, task: Task, inserts: bool = True) -> None:
        self.graph = graph
        self.inserter = inserter
        self.task = task
        self._names = {operation.name for each in graph.walk() for operation in each.model.operations}
        self._to_split = self._find_operations_to_split(inserts)
        leaves = graph.list_leaves()
        self._copies = {id(operation): self._copy(operation) for operation in leaves}
        self._activations: dict[int, Any] = {
            id(layer): self._copy_activation(layer) for layer in leaves if id(layer) in self._to_split
        }
        self._models = NestedCopies(graph, self._copies, self._apply)

    def rebuild(self, inputs: Any) -> tuple[Any, Any]:
        """Return logits and outputs of the copy, with the recipe's layers inserted, on symbolic ``inputs``."""

        return self._add_head(self._replay(inputs, self._insert))

    def copy_weights(self) -> InitialWeights:
        """Copy the weights of the originals, and return them."""
        pairs = self._list_pairs()
        tie([copy for _, copy in pairs], find_ties(layer for layer, _ in pairs))
        copies: dict[int, keras.Variable] = {}
        for layer, copy in pairs:
            copy.set_weights(layer.get_weights())
            copy_adapted_state(layer, copy)
            copies |= {id(weight): own for weight, own in zip(layer.weights, copy.weights, strict=True)}
        originals = {id(weight): weight for layer in self._list_own_layers() for weight in layer.weights}
        variables = tuple(copies[key] for key in originals)
        return InitialWeights(variables, [weight.numpy() for weight in variables], tuple(originals))

    def copy_trainable(self, model: keras.Model, copy: keras.Model) -> None:
        """Freeze in ``copy`` what is frozen in the user's ``model``; layers inserted in a frozen model are frozen."""
        for container, own in [(model, copy), *self._models.list_pairs()]:
            own.trainable = container.trainable
        copy_trainable(self._list_pairs())

    def list_copies(self, layers: Iterable[keras.Layer]) -> list[keras.Layer]:
        """Return the copies of ``layers``, which are no models."""
        return [self._copies[id(layer)] for layer in layers]

    def copy_streams(self) -> None:
        """Copy the states of the random streams of the originals."""
        for original, copy in self._list_streams():
            copy.assign(original)

    def verify_outputs(self) -> None:
        """Compare the outputs of the copy, with nothing inserted, to those of the original.

        Raises:
            InputError: if they differ, because the config of a layer is incomplete.
        """
        try:
            first, again = (run_example(self.graph) for _ in range(2))
        except tf.errors.FailedPreconditionError:
            return  # a vocabulary is empty: the model comes from a file, from which Keras loads it later
        if not np.allclose(first, again, equal_nan=True):
            return  # random at inference, so it cannot be compared

        with keras.StatelessScope():  # a stateful layer begins as the original does
            output = self._replay(make_example_inputs(self.graph), insert_nothing, inference=True)
            if self._ends_in_probabilities():
                output = self._get_final_activation()(output)
        if not np.allclose(first, output, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            raise InputError(
                "a copy of the model gives other outputs than the model: get_config() of one of its layers leaves out "
                "what the layer needs"
            )

    def collect_initial_values(
        self, model: keras.Model, initial: InitialWeights, draw: DrawWeights | None = None
    ) -> tuple[DrawInitialValues, DrawInitialValues]:
        """Return the initial values of weights and random streams: the user's weights, all others by the seed.

        Args:
            model: the copy with the inserted layers.
            initial: the user's weights.
            draw: returns other values for the user's weights; None if they all start from their own.
        """
        keys = self.inserter.keys
        weights, streams = collect_initial_values([layer for layer in iterate_layers(model) if id(layer) in keys], keys)
        copies = {id(original): copy for original, copy in self._list_streams()}
        names = self.graph.name_layers()
        layers = [(names[layer.name], _list_stream_states(layer)) for layer in self._list_own_layers()]
        own = [(copies[id(v)], (name, number)) for name, states in layers for number, v in enumerate(states)]
        return (
            lambda seed: [*weights(seed), *initial.pair({} if draw is None else draw(seed))],
            lambda seed: [*streams(seed), *((v, [derive(seed, *name), 0]) for v, name in own)],
        )

    def _list_own_layers(self) -> list[keras.Layer]:
        """Return the layers of the user's model; a model among them is one."""
        return [operation for operation in self.graph.operations if isinstance(operation, keras.Layer)]

    def _list_pairs(self) -> list[tuple[keras.Layer, keras.Layer]]:
        """Return the layers at every depth with their copies, without the models that hold them."""
        return [(layer, self._copies[id(layer)]) for layer in self.graph.list_leaf_layers()]

    def _list_streams(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Return the states of all random streams with their copies."""
        pairs = [(_list_stream_states(layer), _list_stream_states(copy)) for layer, copy in self._list_pairs()]
        return [pair for originals, copies in pairs for pair in zip(originals, copies, strict=True)]

    def _insert(self, kind: SlotKind, tensor: Any) -> Any:
        """Insert the recipe's layers for this slot, under names that the user's model does not have."""
        output = self.inserter.slot(kind, tensor)
        inserted = output
        while inserted is not tensor:
            layer = get_operation(inserted)
            layer.name = self._make_unique(layer.name)
            inserted = get_input(inserted)
        return output

    def _replay(self, inputs: Any, slot: Announce, inference: bool = False) -> Any:
        """Return the output of the copy on ``inputs``, symbolic or not; before a final softmax or sigmoid."""

        def apply(call: LayerCall, args: Any, kwargs: Any) -> Any:
            if inference and "training" in kwargs:  # which a symbolic call of some layers, as RandomFlip, sets
                kwargs = {**kwargs, "training": False}
            return self._apply(self.graph, call, args, kwargs, slot)

        return self.graph.replay(inputs, apply, slot)[0]

    def _apply(self, graph: Graph, call: LayerCall, args: Any, kwargs: Any, slot: Announce) -> Any:
        """Call the copy of a layer, and its activation if that was taken out; announce the slots after it."""
        operation, is_end = call.operation, call is self.graph.last and self._ends_in_probabilities()
        if is_end and not can_split(operation):
            return args[0]
        slots = graph.slots[id(call)]
        if id(operation) in graph.nested:
            outputs = self._models.get(operation, slot)(*args, **kwargs)
            return slot("embedding", outputs) if slots.embedded else outputs
        outputs = self._copies[id(operation)](*args, **kwargs)
        if id(operation) in self._activations and not is_end:
            outputs = slot("preactivation", outputs) if slots.split else outputs
            outputs = self._activations[id(operation)](outputs)
        for kind in slots.list_after():
            first, *others = keras.tree.flatten(outputs)
            outputs = [slot(kind, first), *others]
        return outputs

    def _add_head(self, output: Any) -> tuple[Any, Any]:
        """Return logits and outputs, from the copy's output before the final softmax or sigmoid."""
        task = self.task
        if task.kind == "reconstruction" and len(output.shape) > 2:
            output = keras.layers.Flatten(name=self._make_unique("flatten"))(output)
            return output, output
        if self.graph.final_function == "sigmoid" and task.kind == "classification":
            output = TwoLogits(name=self._make_unique("two_logits"))(output)
            return output, keras.layers.Softmax(name=self._make_unique("probabilities"))(output)
        if task.kind == "multilabel":
            return output, keras.layers.Activation("sigmoid", name=self._make_unique("probabilities"))(output)
        if task.kind == "classification" and self.graph.final_function == "softmax":
            return output, self._get_final_activation()(output)
        if task.kind == "classification":
            return output, keras.layers.Softmax(name=self._make_unique("probabilities"))(output)
        return output, output

    def _get_final_activation(self) -> Any:
        """Return the copy of the final softmax or sigmoid."""
        last = id(self.graph.last.operation)
        return self._activations[last] if last in self._activations else self._copies[last]

    def _ends_in_probabilities(self) -> bool:
        """Return True if the model ends in a softmax or sigmoid, which the copy applies after the logits."""
        return (
            self.task.kind in ("classification", "multilabel") and self.graph.final_function in PROBABILITIES.values()
        )

    def _find_operations_to_split(self, inserts: bool) -> set[int]:
        graphs = self.graph.walk() if inserts else []
        calls = [call for graph in graphs for call in graph.calls if graph.slots[id(call)].split]
        if self._ends_in_probabilities() and can_split(self.graph.last.operation):
            calls.append(self.graph.last)
        return {id(call.operation) for call in calls}

    def _copy(self, operation: Any) -> Any:
        if not isinstance(operation, keras.Layer):
            return operation
        if isinstance(operation, keras.layers.Lambda):
            return _copy_lambda(operation)
        try:
            config = operation.get_config()
            if id(operation) in self._to_split:
                split = config if unwrap(operation) is operation else config["layer"]["config"]
                split |= {"activation": "linear", "activity_regularizer": None}
            return keep_names(operation, type(operation).from_config(config))
        except Exception as error:  # a user's own layer may raise anything
            raise InputError(
                f"the layer {operation.name!r} cannot be copied from its get_config(): {type(error).__name__}: {error}"
            ) from error

    def _copy_activation(self, layer: Any) -> Any:
        split = unwrap(layer)
        quantized = isinstance(split.dtype_policy, keras.dtype_policies.QuantizedDTypePolicy)  # an Activation is not
        return keras.layers.Activation(
            split.activation,
            activity_regularizer=split.activity_regularizer,
            dtype=split.compute_dtype if quantized else split.dtype_policy,
            name=self._make_unique(f"{layer.name}_activation"),
        )

    def _make_unique(self, name: str) -> str:
        """Return ``name``, with a number if the model has a layer of this name."""
        unique, number = name, 0
        while unique in self._names:
            number += 1
            unique = f"{name}_{number}"
        self._names.add(unique)
        return unique


def _copy_lambda(layer: Any) -> Any:
    """Return a Lambda of the same function; Keras makes none from a config, because files can hold hostile code."""
    options = {"mask": layer.mask, "arguments": layer.arguments, "dtype": layer.dtype_policy, "name": layer.name}
    return keras.layers.Lambda(layer.function, output_shape=get_output_shape(layer), **options)


def _list_stream_states(layer: Any) -> list[Any]:
    """Return the states of the random streams inside ``layer``."""
    weights = {id(weight) for weight in layer.weights}
    return [v for v in layer.variables if id(v) not in weights and v.shape == (2,) and "int" in str(v.dtype)]
