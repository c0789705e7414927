"""Transformer encoder for images, rows, sequences and tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from regzoo.backbones._initializers import choose_kernel_initializer
from regzoo.core import Announce, Backbone, InputError, setting
from regzoo.core.lazy import LazyModule, keras
from regzoo.core.selection import LayerKind

_positions = LazyModule("regzoo.backbones._positions")

MAX_PATCHES = 256
"""Largest number of patches by default: enough for digits, and about the usual 14 x 14 patches of photographs."""

MAX_TOKENS = 1024
"""Largest number of tokens. Attention needs memory proportional to its square: here 4 MB per example and head."""


@dataclass(frozen=True)
class Transformer(Backbone):
    """Blocks of self-attention and a small dense network on tokens, then the mean of the tokens.

    Formula: x + attention(norm(x)), then x + mlp(norm(x)); attention is softmax(q k' / sqrt(width / heads)) v.
    Images are split into patches (padded with zeros where the sizes do not divide); each column of a row is a token,
    its value times a learned vector; sequences (tokens, features) are used as they are. Every token has a bias of its
    own, which is its learned position embedding; only sequences of unknown length have none. Tokens that are whole
    numbers, such as words, look up their vectors in a table; padding gets no attention and is left out of the mean.

    Slots: ``input`` (1, except for tokens that are whole numbers) and ``embedding`` (1), and in each block
    ``attention``, ``branch``, ``preactivation``, ``activation``, ``branch``, in this order. Weight regularizers treat
    the columns' vectors as an embedding table, and the biases of the tokens as position embeddings.

    Args:
        width: number of features of a token, in [1, inf), a multiple of ``heads``.
        depth: number of blocks, in [1, inf).
        heads: number of attention heads, in [1, inf).
        hidden: number of units of each block's hidden layer, in [1, inf).
        patch: height and width of a patch in pixels, in [0, inf); 0 chooses the smallest of 4, 8, 16, ... that gives at
            most 256 patches: 4 for digits, 16 for photographs of 224 pixels.
        activation: nonlinearity of the hidden layers.

    Raises:
        InputError: if ``width`` is not a multiple of ``heads``, or the inputs give more than 1,024 tokens.

    Reference: Vaswani et al. 2017 [vaswani2017], https://arxiv.org/abs/1706.03762; Dosovitskiy et al. 2021
    [dosovitskiy2021] (images), https://arxiv.org/abs/2010.11929; Gorishniy et al. 2021 [gorishniy2021] (rows),
    https://arxiv.org/abs/2106.11959
    Departure: normalization before attention and hidden layer, as in the two later papers, not after the addition. The
    mean over the tokens in place of a class token. For images the rest is the later paper's, whose dropout is
    ``embedding_dropout + dropout + residual_dropout``, 0.1 each (but for biases, 0 here, N(0, 1e-6^2) there). For rows,
    vectors, biases of the tokens and their initial values U(-1/sqrt(width), 1/sqrt(width)) are the paper's
    (FT-Transformer), and its dropout is ``attention_dropout(0.2) + dropout(0.1)``; but there a category is one token
    and here each column of its one-hot code is one; there the first attention has no normalization before it; hidden
    layers are (W h + b) relu(V h + c), not gelu(W h + b); a relu stands before the head; kernels start at
    U(-1/sqrt(inputs), 1/sqrt(inputs)), and so do biases outside attention, not Glorot-uniform and 0; normalizations
    divide by sqrt(var + 1e-5), not 1e-6; width, depth, heads and hidden are 192, 3, 8 and 256. These stay as they are,
    since finished comparisons and saved models rely on them.

    >>> from regzoo.backbones import Transformer
    >>> print(Transformer(width=32, heads=2))
    transformer(width=32, heads=2)
    """

    layer_kinds: ClassVar[Mapping[str, LayerKind]] = {
        "embed": "embedding",
        **{f"block_*_{role}": "attention" for role in ("query", "key", "value", "out")},
    }

    width: int = setting(64, domain="[1, inf)")
    depth: int = setting(2, domain="[1, inf)")
    heads: int = setting(4, domain="[1, inf)")
    hidden: int = setting(128, domain="[1, inf)")
    patch: int = setting(0, domain="[0, inf)")
    activation: str = setting("gelu", options=("relu", "gelu", "silu", "tanh", "elu", "selu"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % self.heads:
            raise InputError(f"transformer: width must be a multiple of heads, received {self.width} and {self.heads}")

    def __call__(self, x: Any, slot: Announce) -> Any:
        """Map images, rows or sequences x (batch, ...) to features (batch, width)."""
        x = self._encode(slot("embedding", self._embed(slot("input", x))), slot)  # (batch, tokens, width)
        return keras.layers.GlobalAveragePooling1D(name="average")(x)

    def call_on_tokens(self, x: Any, vocabulary_size: int, slot: Announce) -> Any:
        """Map tokens x (batch, steps), 0 for padding, to features (batch, width)."""
        _require_few_tokens(x, "steps; shorten the sequences")
        present = keras.ops.not_equal(x, 0)
        empty = keras.ops.logical_not(keras.ops.any(present, axis=1, keepdims=True))
        first = keras.ops.logical_or(present[:, :1], empty)  # of an empty sequence the first padding counts
        mask = keras.ops.concatenate([first, present[:, 1:]], axis=1)  # (batch, steps)
        tokens = keras.layers.Embedding(vocabulary_size, self.width, name="embed")(x)
        tokens = slot("embedding", _positions.PositionEmbedding(name="positions")(tokens))  # (batch, steps, width)
        return average_where(self._encode(tokens, slot, mask), mask)

    def _encode(self, x: Any, slot: Announce, mask: Any = None) -> Any:
        """Return the blocks' output for tokens x (batch, tokens, width), of the same shape; ``mask``: those seen."""
        for block in range(self.depth):
            name = f"block_{block}"
            h = self._attend(_make_norm(f"{name}_attention_norm")(x), name, slot, mask)
            x = keras.layers.Add(name=f"{name}_attention_add")([x, slot("branch", h)])
            seen = x if mask is None else _positions.attach_mask(x, mask, f"{name}_mask")
            h = self._add_mlp(_make_norm(f"{name}_mlp_norm")(seen), name, slot)
            x = keras.layers.Add(name=f"{name}_mlp_add")([x, slot("branch", h)])
        return _make_norm("norm")(x)

    def _embed(self, x: Any) -> Any:
        """Map x (batch, ...) to tokens (batch, tokens, width)."""
        if len(x.shape) == 4:
            x = self._split_into_patches(x)
        _require_few_tokens(x, "columns; use mlp" if len(x.shape) == 2 else "steps; shorten the sequences")
        if len(x.shape) == 2:
            return self._make_column_embedding(x.shape[1])(x)
        axes = "d" if x.shape[1] is None else "td"
        position = keras.initializers.RandomNormal(stddev=0.02)
        shape = (x.shape[1], self.width)
        embed = keras.layers.EinsumDense("btf,fd->btd", shape, bias_axes=axes, bias_initializer=position, name="embed")
        return embed(x)

    def _make_column_embedding(self, columns: int) -> Any:
        limit = 1.0 / math.sqrt(self.width)
        vector, position = (keras.initializers.RandomUniform(-limit, limit) for _ in range(2))
        return keras.layers.EinsumDense(
            "bt,td->btd",
            (columns, self.width),
            bias_axes="td",
            kernel_initializer=vector,
            bias_initializer=position,
            name="embed",
        )

    def _split_into_patches(self, x: Any) -> Any:
        """Split images (batch, height, width, channels) into (batch, patches, values of a patch)."""
        height, width, channels = x.shape[1:]
        size = self._choose_patch_size(height, width)
        rows, columns = _count_patches(height, width, size)
        if rows * columns > MAX_TOKENS:
            raise InputError(
                f"transformer: patch={size} splits images of {height} x {width} into {rows * columns} tokens, "
                f"more than {MAX_TOKENS}; use a larger patch"
            )
        missing = (rows * size - height, columns * size - width)
        if any(missing):
            padding = tuple((0, lines) for lines in missing)
            x = keras.layers.ZeroPadding2D(padding, name="pad")(x)
        x = keras.layers.Reshape((rows, size, columns, size, channels), name="grid")(x)
        x = keras.layers.Permute((1, 3, 2, 4, 5), name="together")(x)
        return keras.layers.Reshape((rows * columns, size * size * channels), name="patches")(x)

    def _choose_patch_size(self, height: int, width: int) -> int:
        """Return height and width of a patch for images of this size, in pixels."""
        size = self.patch or 4
        while not self.patch and math.prod(_count_patches(height, width, size)) > MAX_PATCHES:
            size *= 2
        return size

    def _attend(self, x: Any, name: str, slot: Announce, mask: Any) -> Any:
        """Return the self-attention of tokens x (batch, tokens, width), of the same shape; ``mask``: which are seen."""
        size = self.width // self.heads
        query, key, value = (
            keras.layers.Reshape((-1, self.heads, size), name=f"{name}_{role}_heads")(
                keras.layers.Dense(self.width, name=f"{name}_{role}")(x)
            )
            for role in ("query", "key", "value")
        )  # (batch, tokens, heads, size)
        scores = keras.ops.einsum("bqhs,bkhs->bhqk", query, key) / math.sqrt(size)
        seen = {} if mask is None else {"mask": mask[:, None, None, :]}
        weights = slot("attention", keras.layers.Softmax(name=f"{name}_softmax")(scores, **seen))
        attended = keras.ops.einsum("bhqk,bkhs->bqhs", weights, value)  # weights: (batch, heads, queries, keys)
        attended = keras.layers.Reshape((-1, self.width), name=f"{name}_seen")(attended)
        return keras.layers.Dense(self.width, name=f"{name}_out")(attended)

    def _add_mlp(self, x: Any, name: str, slot: Announce) -> Any:
        kernel = choose_kernel_initializer(self.activation)
        x = slot("preactivation", keras.layers.Dense(self.hidden, kernel_initializer=kernel, name=f"{name}_dense_0")(x))
        x = slot("activation", keras.layers.Activation(self.activation, name=f"{name}_{self.activation}")(x))
        return keras.layers.Dense(self.width, name=f"{name}_dense_1")(x)


def _require_few_tokens(x: Any, hint: str) -> None:
    if x.shape[1] is not None and x.shape[1] > MAX_TOKENS:
        raise InputError(f"transformer takes at most {MAX_TOKENS} tokens, received {x.shape[1]} {hint}")


def average_where(x: Any, mask: Any) -> Any:
    """Return the mean (batch, width) over the tokens x (batch, tokens, width) that ``mask`` (batch, tokens) has."""
    counts = keras.ops.cast(mask, x.dtype)[:, :, None]
    return keras.ops.sum(x * counts, axis=1) / keras.ops.sum(counts, axis=1)


def _count_patches(height: int, width: int, size: int) -> tuple[int, int]:
    """Return how many patches of this size cover an image, vertically and horizontally."""
    return math.ceil(height / size), math.ceil(width / size)


def _make_norm(name: str) -> Any:
    return keras.layers.LayerNormalization(epsilon=1e-6, name=name)
