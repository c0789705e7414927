"""Example inputs of a user's model, and what it returns for them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core.seeds import generator
from regzoo.training.attach.graph import Graph
from regzoo.training.attach.inputs import read_input_kind

OPEN_SIZE = 32
"""Size of an example input where the model leaves it open."""


def make_example_inputs(graph: Graph) -> Any:
    """Return a batch of random inputs, of the structure of the model's own."""
    random = generator("attach")

    def make(tensor: Any) -> Any:
        rows, *sizes = tensor.shape
        shape = (rows or 2, *(OPEN_SIZE if size is None else size for size in sizes))
        if str(tensor.dtype) == "string":
            return tf.fill(shape, "a")
        if read_input_kind(tensor, graph.model) == "integer":  # also of floats, if only an Embedding reads them
            return keras.ops.zeros(shape, "int32")
        values = random.standard_normal(shape) if "float" in str(tensor.dtype) else np.zeros(shape)
        return keras.ops.convert_to_tensor(values, tensor.dtype)

    return keras.tree.map_structure(make, graph.model.input)


def run_example(graph: Graph) -> Any:
    """Return the model's output for example inputs; the state of a stateful layer stays as it is."""
    with keras.StatelessScope():
        return keras.tree.flatten(graph.model(make_example_inputs(graph), training=False))[0]
