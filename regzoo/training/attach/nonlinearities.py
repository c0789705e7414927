"""Nonlinearities of Keras: layers and functions that are one, and layers that apply one to their own result."""

from __future__ import annotations

from typing import Any

import keras

from regzoo.core._keras_compat import get_operation

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
"""Nonlinear functions of ``keras.ops``, by the lower-case name of the class that represents a call of one."""

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
"""Layers that can apply a nonlinearity to their own result (``activation=``)."""

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
"""Layers whose outputs are activations and whose nonlinearities cannot be reached from outside."""

NO_HIDDEN_ACTIVATION = (keras.activations.linear, keras.activations.softmax)
"""Values of ``activation=`` that make no activation slot: not a nonlinearity of a hidden layer."""

PROBABILITIES = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
"""Classes that turn logits into probabilities, and the name of their function."""


def get_final_function(operation: Any) -> str:
    """Return the name of the function that ``operation`` ends in; ``linear`` if it has none or does not show it."""
    if isinstance(operation, keras.Model):
        outputs = getattr(operation, "outputs", None)
        return get_final_function(get_operation(outputs[0])) if outputs else "linear"
    if isinstance(operation, keras.layers.TimeDistributed):
        return get_final_function(operation.layer)
    if isinstance(operation, (keras.layers.Activation, *FUSED)):
        name = getattr(operation.activation, "__name__", type(operation.activation).__name__)
        return PROBABILITIES.get(name, name)
    name = type(operation).__name__
    return PROBABILITIES.get(name, name if is_nonlinear(operation) else "linear")


def can_separate(operation: Any) -> bool:
    """Return True if the function that ``operation`` ends in can be separated from what comes before it."""
    bare = isinstance(operation, keras.layers.Activation | keras.layers.Softmax)
    return bare or not isinstance(operation, keras.Layer) or can_split(operation)


def can_split(layer: Any) -> bool:
    """Return True if the layer's nonlinearity can be taken out: the layer is Keras's, the nonlinearity a function.

    That of a layer inside TimeDistributed can be applied after it, to all steps at once.
    """
    layer = unwrap(layer)
    return type(layer) in FUSED and not isinstance(layer.activation, keras.Layer)


def unwrap(layer: Any) -> Any:
    """Return the layer inside a TimeDistributed; any other layer as it is."""
    return layer.layer if type(layer) is keras.layers.TimeDistributed else layer


def is_nonlinear(operation: Any) -> bool:
    """Return True for a layer or function that is nothing but a nonlinearity."""
    if isinstance(operation, keras.layers.Activation):
        return operation.activation not in NO_HIDDEN_ACTIVATION
    return isinstance(operation, NONLINEAR) or (
        not isinstance(operation, keras.Layer) and type(operation).__name__.lower() in NONLINEAR_OPS
    )
