"""Build the user's own model with a recipe, for a run of a comparison; check first that it fits the data."""

from __future__ import annotations

import functools
import re
from typing import Any

import keras
import tensorflow as tf

from regzoo.core import InputError, Recipe
from regzoo.core._keras_compat import closing_name_scopes, list_layers
from regzoo.core.cells import NamedCells
from regzoo.training.attach.attach import AttachedModel, attach_to_graph
from regzoo.training.attach.graph import Graph
from regzoo.training.model.requirements import reject_ranges
from regzoo.training.own_model.draw import InitialDraw
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.own_model.pack import find_custom_objects, load
from regzoo.training.task import Task

_ENDS = {
    "classification": "softmax",
    "multilabel": "sigmoid",
    "regression": "linear",
    "reconstruction": "linear",
}
"""The function that a model for each kind of task ends in."""


def build_own_model(own: OwnModel, recipe: Recipe, task: Task, seed: int = 0, cells: NamedCells = ()) -> AttachedModel:
    """Return the user's model with ``recipe`` built in, initialized for ``seed``, not compiled.

    Args:
        own: the model.
        recipe: with numbers or schedules for all strengths.
        task: what is predicted.
        seed: seed of the run.
        cells: which columns of the inputs hold one value.

    Raises:
        InputError: if a strength is still a range, or a regularizer finds no place to act.
    """
    reject_ranges(recipe)
    graph, draw = _prepare(own)
    initial = draw.draw if own.weights == "fresh" else None
    with keras.saving.custom_object_scope(find_custom_objects(own)):
        return attach_to_graph(recipe, graph, task, seed, draw=initial, cells=cells)


@functools.lru_cache(4)
def _prepare(own: OwnModel) -> tuple[Graph, InitialDraw]:
    graph = Graph(load(own), own.expand_nested)
    return graph, InitialDraw(graph, find_custom_objects(own))


def ends_in_logits(own: OwnModel) -> bool:
    """Return True if the model itself returns logits."""
    return _prepare(own)[0].final_function == "linear"


def check_outputs(own: OwnModel, task: Task, standardized: bool) -> None:
    """Check that the model predicts the targets of the data.

    Args:
        own: the model.
        task: what is to be predicted.
        standardized: whether numeric targets are standardized.

    Raises:
        InputError: with what the model has and what the data needs.
    """
    graph, _ = _prepare(own)
    _reject_stateful(graph)
    _reject_names(graph)
    _reject_other_precision(graph)
    _check_outputs(graph, task, standardized)


def _reject_stateful(graph: Graph) -> None:
    """Reject a model that carries a state from batch to batch: a comparison shuffles rows."""
    names = [layer.name for layer in list_layers(graph.model) if getattr(layer, "stateful", False)]
    if names:
        raise InputError(
            f"the model {graph.model.name!r} has a stateful layer ({names[0]!r}), which carries its state from batch "
            "to batch, and a comparison shuffles the rows: build it with stateful=False"
        )


def _reject_names(graph: Graph) -> None:
    """Reject a layer whose name TensorFlow does not take in a graph: Keras's own ``fit`` fails on it, too."""
    layers = [layer for layer in list_layers(graph.model) if not isinstance(layer, keras.layers.InputLayer)]
    suspects = {layer.name for layer in layers if not re.fullmatch(r"[\w.>-]*", layer.name, re.ASCII)}
    failed = _find_failure(graph.model) if suspects else None
    wrong = [name for name in sorted(suspects) if name in (failed or "")]
    if wrong:
        raise InputError(
            f"the model {graph.model.name!r} has a layer named {wrong[0]!r}, which TensorFlow does not take as a name, "
            "so that Keras cannot fit it either: name it with letters, digits, '_', '-' and '.' "
            f"(name={re.sub('[^A-Za-z0-9_.-]', '_', wrong[0])!r})"
        )


def _find_failure(model: keras.Model) -> str | None:
    """Call ``model`` in a graph; return what TensorFlow says if it fails."""
    inputs = keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), model.input)
    call = tf.function(lambda x: model(x, training=True))
    try:
        with closing_name_scopes():
            tf.function(lambda x: call(x)).get_concrete_function(inputs)  # a call checks what it calls, once more
    except ValueError as error:
        return str(error)
    return None


def _reject_other_precision(graph: Graph) -> None:
    """Reject a model that returns other numbers than float32, in which scores are computed."""
    dtype = str(graph.model.outputs[0].dtype)
    if dtype != "float32":
        raise InputError(
            f"the model {graph.model.name!r} returns {dtype}, and a comparison trains in float32: build the model "
            'after keras.config.set_dtype_policy("float32"), or give its last layer dtype="float32"'
        )


def _check_outputs(graph: Graph, task: Task, standardized: bool) -> None:
    model, function = graph.model, graph.final_function
    shape: Any = tuple(model.outputs[0].shape[1:])
    size = 1
    for length in shape:
        size = 0 if length is None else size * length
    single = task.kind == "classification" and task.size == 2 and size == 1 and function == "sigmoid"
    binary = " or Dense(1, activation='sigmoid')" if task.kind == "classification" and task.size == 2 else ""
    if (size != task.size and not single) or (len(shape) != 1 and task.kind != "reconstruction"):
        raise InputError(
            f"the model {model.name!r} has outputs of shape {shape}, the data needs ({task.size},) for {task.kind}: "
            f"end it in Dense({task.size}{_describe_end(task)}){binary}"
        )
    allowed = {_ENDS[task.kind], "linear"} if task.kind != "classification" or not single else {"sigmoid"}
    if task.kind in ("regression", "reconstruction") and not standardized:
        return  # in the user's own units, any function may be right
    if function not in allowed:
        reason = (
            " of standardized targets, which may have any value"
            if task.kind in ("regression", "reconstruction")
            else ""
        )
        raise InputError(
            f"the model {model.name!r} ends in {function}, which does not go with {task.kind}{reason}: end it in "
            f"Dense({task.size}{_describe_end(task)})" + (", or set data.scale to none" if reason else "")
        )


def _describe_end(task: Task) -> str:
    end = _ENDS[task.kind]
    return "" if end == "linear" else f", activation={end!r}"
