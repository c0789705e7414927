"""The table of weights: role and axes of every weight that a layer of Keras holds.

A test compares it with the installed Keras, so a layer class that is new there fails the test. Classes are found by
name through the classes that a layer inherits from, so a subclass of Dense holds what Dense holds. The weights of other
layers are inferred from name and rank (`regzoo.core.roles`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from regzoo.core.roles import Role


class FoundRole(NamedTuple):
    """Role and axes of one weight; see `Weight`."""

    role: Role
    unit_axes: tuple[int, ...]
    input_axes: tuple[int, ...]
    groups: int


@dataclass(frozen=True)
class Entry:
    """Role and axes of a weight, before its rank is known.

    Attributes:
        role: as in `Weight`.
        unit_axes: counted from the end if negative; None for all.
        input_axes: counted from the end if negative.
        groups: as in `Weight`.
    """

    role: Role
    unit_axes: tuple[int, ...] | None = None
    input_axes: tuple[int, ...] = ()
    groups: int = 1


Entries = Mapping[str, Entry]

KERNEL = Entry("kernel", (-1,), (-2,))
RECURRENT = Entry("recurrent_kernel", (-1,), (-2,))
DEPTHWISE = Entry("kernel", (-2, -1), (-2,))
TRANSPOSED = Entry("kernel", (-2,), (-1,))
TABLE = Entry("embedding", (0,), (0,))
BIAS = Entry("bias")
SCALE = Entry("scale")
LORA = Entry("lora", (-1,), (-2,))
STATE = Entry("state")

QUANTIZED = dict.fromkeys(
    (
        "kernel_scale",
        "kernel_zero",
        "zero_point",
        "g_idx",
        "awq_scales",
        "inputs_scale",
        "inputs_amax_history",
        "kernel_amax_history",
        "outputs_grad_scale",
        "outputs_grad_amax_history",
        "embeddings_scale",
        "embeddings_zero",
        "reverse_embeddings_scale",
        "reverse_embeddings_zero",
    ),
    STATE,
)
"""Scales and zero points of quantized layers, which they keep themselves."""

DENSE = {"kernel": KERNEL, "bias": BIAS, "lora_kernel_a": LORA, "lora_kernel_b": LORA, **QUANTIZED}
CELL = {"kernel": KERNEL, "recurrent_kernel": RECURRENT, "bias": Entry("bias", (-1,))}
NORMALIZATION = {"gamma": SCALE, "beta": BIAS}
ATTENTION = {"scale": SCALE, "concat_score_weight": SCALE}


def _describe_convolution(layer: Any) -> Entries:
    return DENSE | {"kernel": Entry("kernel", (-1,), (-2,), layer.groups)}


def _describe_einsum(layer: Any) -> Entries:
    """Return the entries of an EinsumDense by its equation.

    A kernel axis that the output has is a unit axis, one that the input has is an input axis. A kernel whose axes are
    all in the output sums over nothing: it scales, or it gives each input a vector of its own, as a table does. A bias
    along an axis of the data is a position's own.
    """
    inputs, kernel, output = layer.equation.replace("->", ",").replace("...", "").replace(" ", "").split(",")
    units = tuple(axis for axis, letter in enumerate(kernel) if letter in output)
    sources = tuple(axis for axis, letter in enumerate(kernel) if letter in inputs)
    entry = Entry("kernel", units, sources)
    if len(units) == len(kernel):
        entry = SCALE if len(sources) == len(kernel) else Entry("embedding", sources, sources)
    data_axes = set(inputs) - (set(kernel) if entry.role == "kernel" else set())
    positions = tuple(axis for axis, letter in enumerate(layer.bias_axes or "") if letter in data_axes)
    bias = Entry("position", positions, positions) if positions and entry.role != "scale" else BIAS
    return DENSE | {"kernel": entry, "bias": bias}


LAYERS: dict[str, Entries | Callable[[Any], Entries]] = {
    "Dense": DENSE,
    "EinsumDense": _describe_einsum,
    "Embedding": {"embeddings": TABLE, "lora_embeddings_a": LORA, "lora_embeddings_b": LORA, **QUANTIZED},
    "ReversibleEmbedding": {"reverse_embeddings": KERNEL},
    "BaseConv": _describe_convolution,
    "BaseConvTranspose": {"kernel": TRANSPOSED, "bias": BIAS},
    "BaseDepthwiseConv": {"kernel": DEPTHWISE, "bias": BIAS},
    "BaseSeparableConv": {"depthwise_kernel": DEPTHWISE, "pointwise_kernel": KERNEL, "bias": BIAS},
    "SimpleRNNCell": CELL,
    "LSTMCell": CELL,
    "GRUCell": CELL,
    "ConvLSTMCell": CELL,
    "RNN": {"rnn_state": STATE},
    "BatchNormalization": NORMALIZATION
    | dict.fromkeys(("moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"), STATE),
    "LayerNormalization": NORMALIZATION,
    "GroupNormalization": NORMALIZATION,
    "RMSNormalization": {"scale": SCALE},
    "Normalization": dict.fromkeys(("mean", "variance", "count"), STATE),
    "SpectralNormalization": {"vector_u": STATE},
    "PReLU": {"alpha": SCALE},
    "STFTSpectrogram": {"real_kernel": KERNEL, "imag_kernel": KERNEL},
    "Attention": ATTENTION,
    "AdditiveAttention": ATTENTION,
}
"""By class name, what the class itself adds; weights of layers inside belong to those layers."""


def find_weight_role(layer: Any, variable: Any) -> FoundRole | None:
    """Return role and axes of a weight that ``layer`` made, or None if no class that it inherits from is known."""
    for cls in type(layer).__mro__:
        if cls.__name__ in LAYERS and cls.__module__.startswith("keras."):
            known = LAYERS[cls.__name__]
            entries = known(layer) if callable(known) else known
            if variable.name in entries:
                return _fit(entries[variable.name], len(variable.shape))
    return None


def _fit(entry: Entry, rank: int) -> FoundRole:
    """Return ``entry`` for a weight of this rank, its axes counted from the front."""
    units = range(rank) if entry.unit_axes is None else sorted(axis % rank for axis in entry.unit_axes)
    return FoundRole(entry.role, tuple(units), tuple(sorted(axis % rank for axis in entry.input_axes)), entry.groups)
