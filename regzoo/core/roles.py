"""Roles of weights, and how they are inferred from name and shape for layers that no table describes."""

from __future__ import annotations

import re
from typing import Literal

Role = Literal["kernel", "recurrent_kernel", "embedding", "position", "bias", "scale", "lora", "state"]
"""What a weight does in its layer; see `Weight`."""

MULTIPLYING: frozenset[Role] = frozenset({"kernel", "recurrent_kernel", "embedding", "lora"})
"""Roles of weights that multiply inputs, or that inputs look up, which is a product with zeros and a one.

Penalties and decay keep them small. A bias, a scale (1 is its neutral value) and a position's vector are left alone.
"""

_POSITION = frozenset({"pos", "position", "positions", "positional", "posembed", "posenc", "wpe"})

_WORDS: tuple[tuple[Role, frozenset[str]], ...] = (
    ("kernel", frozenset({"kernel", "kernels"})),
    ("position", _POSITION),
    ("bias", frozenset({"bias", "biases", "beta", "offset", "offsets", "shift", "intercept", "b"})),
    ("scale", frozenset({"gamma", "scale", "scales", "gain", "gains", "alpha", "slope", "slopes", "temperature"})),
    ("embedding", frozenset({"embedding", "embeddings", "embed", "emb", "token", "tokens", "codebook", "wte"})),
)


def infer_role(path: str, rank: int, layer: str = "") -> Role:
    """Return the role of a weight by its name, and where the name says nothing by its rank.

    The last word that says something counts: a ``kernel_scale`` is a scale.

    Args:
        path: layer and weight, such as ``norm_1/gamma``.
        rank: number of its axes; one without at least two is no kernel and no table.
        layer: class name of its layer; a ``PositionEmbedding`` may call its weight ``embeddings``, or nothing.

    >>> infer_role("tied/q_bias", 2), infer_role("mine/w", 2), infer_role("mine/w", 1)
    ('bias', 'kernel', 'bias')
    >>> infer_role("attend/qbias", 2), infer_role("gpt/wpe", 2), infer_role("gpt/wte", 2)
    ('bias', 'position', 'embedding')
    """
    words = ["bias" if word.endswith("bias") else word for word in split_words(path.rpartition("/")[2])]
    known = (role for word in reversed(words) for role, names in _WORDS if word in names)
    role: Role = next(known, "embedding" if names_positions(layer) else "kernel")
    if "lora" in words:
        role = "lora"
    elif role == "kernel" and "recurrent" in words:
        role = "recurrent_kernel"
    elif role == "embedding" and (_POSITION & {*words} or names_positions(layer)):
        role = "position"
    return role if rank >= 2 or role in ("bias", "scale", "position") else "bias"


def names_positions(name: str) -> bool:
    """Return True for the name of a layer that adds a vector for each position.

    >>> names_positions("PositionalEncoding"), names_positions("pos_emb"), names_positions("PositionWiseDense")
    (True, True, False)
    """
    words = {*split_words(name)}
    return bool(words & _POSITION and words & {"embedding", "embeddings", "embed", "emb", "encoding", "encodings"})


def split_words(name: str) -> list[str]:
    """Return the words of an identifier in lower case.

    >>> split_words("PositionEmbedding_2"), split_words("pos_emb")
    (['position', 'embedding', '2'], ['pos', 'emb'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def infer_unit_axes(role: Role, rank: int) -> tuple[int, ...]:
    """Return the unit axes of a weight in Keras's usual layout: of a kernel the last, of an embedding the first.

    >>> infer_unit_axes("kernel", 4), infer_unit_axes("embedding", 2), infer_unit_axes("bias", 2)
    ((3,), (0,), (0, 1))
    """
    if role in ("embedding", "position"):
        return tuple(range(max(rank - 1, min(rank, 1))))  # each row is one vector
    return (rank - 1,) if role in ("kernel", "recurrent_kernel", "lora") and rank else tuple(range(rank))


def infer_input_axes(role: Role, rank: int) -> tuple[int, ...]:
    """Return the input axes of a weight in Keras's usual layout: of a kernel the one before the last.

    >>> infer_input_axes("kernel", 4), infer_input_axes("embedding", 2), infer_input_axes("bias", 1)
    ((2,), (0,), ())
    """
    if role in ("embedding", "position"):
        return infer_unit_axes(role, rank)
    return (rank - 2,) if role in ("kernel", "recurrent_kernel", "lora") and rank >= 2 else ()
