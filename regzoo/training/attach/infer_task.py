"""Infer what a user's model predicts from its last layer."""

from __future__ import annotations

import keras
import numpy as np

from regzoo.core import InputError
from regzoo.training.attach.example_inputs import run_example
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.nonlinearities import PROBABILITIES, can_separate, get_final_function
from regzoo.training.task import Task


def infer_task(graph: Graph, classes: int | None) -> Task:
    """Infer the task from the model's last layer and ``classes``."""
    shape, function = tuple(graph.model.outputs[0].shape), graph.final_function
    if len(shape) < 2 or shape[-1] is None:
        raise InputError(f"attach takes a model with outputs (batch, ..., size), received outputs of shape {shape}")
    size = int(shape[-1])
    _reject_hidden_probabilities(graph)
    last = graph.last.operation
    if function in PROBABILITIES.values() and getattr(last, "activity_regularizer", None) is not None:
        raise InputError(f"the last layer {last.name!r} has an activity_regularizer: leave it out")
    if function == "softmax":
        if classes not in (None, size):
            raise InputError(f"the model ends in a softmax over {size}, received classes={classes}: leave it out")
        return Task("classification", size)
    if function == "sigmoid":
        if size == 1 and classes == 2:
            return Task("classification", 2)
        if classes is None:
            return Task("multilabel", size)
        raise InputError(
            f"the model ends in a sigmoid over {size}: leave classes out, give classes=2 to have two probabilities "
            f"(1 - p, p) from one sigmoid, or end it in a softmax; received classes={classes}"
        )
    if classes is None:
        return Task("regression", size)
    if function != "linear" or classes != size:
        raise InputError(
            f"classes={classes} needs a model that ends in {classes} logits, received {size} of {function}"
        )
    return Task("classification", classes)


def _reject_hidden_probabilities(graph: Graph) -> None:
    """Reject probabilities that would be mistaken for logits, because the last layer is not a softmax or sigmoid."""
    last = graph.last.operation
    above = [call.operation for call in graph.tail.parents[id(graph.last)]]
    passed_on = [
        get_final_function(operation) for operation in above if len(above) == 1 and not getattr(last, "weights", [])
    ]
    probabilities = PROBABILITIES.values()
    if graph.final_function in probabilities and not can_separate(last):
        passed_on.append(graph.final_function)
    outputs = keras.ops.convert_to_numpy(run_example(graph))
    sums_to_one = np.allclose(outputs.sum(-1), 1.0, atol=1e-3)
    summed = outputs.shape[-1] > 1 and bool((outputs >= 0).all()) and sums_to_one
    if (summed and graph.final_function not in probabilities) or set(passed_on) & set(probabilities):
        raise InputError(
            f"the model's outputs are probabilities, and its last layer {last.name!r} does not show it: end the model "
            "in keras.layers.Softmax, or in Dense(classes, activation='softmax')"
        )
