"""A layer of every class of Keras that holds weights, for tests of what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from keras import layers

from regzoo.core._keras_compat import list_inner_layers

ROWS, STEPS, IMAGE, VOLUME = (2, 4), (2, 6, 4), (2, 6, 6, 4), (2, 4, 4, 4, 3)
TOKENS = "tokens"

EXAMPLES: dict[str, tuple[Callable[[], Any], Any]] = {
    "AdditiveAttention": (layers.AdditiveAttention, [STEPS, STEPS]),
    "Attention": (lambda: layers.Attention(use_scale=True, score_mode="concat"), [STEPS, STEPS]),
    "BatchNormalization": (layers.BatchNormalization, ROWS),
    "Bidirectional": (lambda: layers.Bidirectional(layers.GRU(3)), STEPS),
    "Conv1D": (lambda: layers.Conv1D(3, 2), STEPS),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 2), STEPS),
    "Conv2D": (lambda: layers.Conv2D(6, (2, 3), groups=2), IMAGE),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 2), IMAGE),
    "Conv3D": (lambda: layers.Conv3D(2, 2), VOLUME),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(2, 2), VOLUME),
    "ConvLSTM1D": (lambda: layers.ConvLSTM1D(2, 2), (2, 3, 6, 4)),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(2, 2), (2, 3, 6, 6, 4)),
    "ConvLSTM3D": (lambda: layers.ConvLSTM3D(2, 2), (2, 3, 4, 4, 4, 3)),
    "Dense": (lambda: layers.Dense(3, lora_rank=2), ROWS),
    "DepthwiseConv1D": (lambda: layers.DepthwiseConv1D(2, depth_multiplier=2), STEPS),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), IMAGE),
    "EinsumDense": (lambda: layers.EinsumDense("abc,bcd->abd", (6, 3), bias_axes="bd"), STEPS),
    "Embedding": (lambda: layers.Embedding(5, 3), TOKENS),
    "GRU": (lambda: layers.GRU(3), STEPS),
    "GRUCell": (lambda: layers.RNN(layers.GRUCell(3, reset_after=False)), STEPS),
    "GroupNormalization": (lambda: layers.GroupNormalization(2), ROWS),
    "GroupQueryAttention": (lambda: layers.GroupQueryAttention(3, 4, 2, use_gate=True), (STEPS, STEPS)),
    "LSTM": (lambda: layers.LSTM(3, stateful=True), STEPS),
    "LSTMCell": (lambda: layers.RNN(layers.LSTMCell(3)), STEPS),
    "LayerNormalization": (layers.LayerNormalization, ROWS),
    "MultiHeadAttention": (lambda: layers.MultiHeadAttention(2, 3), (STEPS, STEPS)),
    "Normalization": (layers.Normalization, ROWS),
    "PReLU": (layers.PReLU, STEPS),
    "RMSNormalization": (layers.RMSNormalization, ROWS),
    "RNN": (lambda: layers.RNN(layers.SimpleRNNCell(3), stateful=True), STEPS),
    "ReversibleEmbedding": (lambda: layers.ReversibleEmbedding(5, 3, tie_weights=False), TOKENS),
    "STFTSpectrogram": (lambda: layers.STFTSpectrogram(frame_length=4, frame_step=1, fft_length=4), (2, 9, 1)),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(8, 2, depth_multiplier=2), STEPS),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(8, 2, depth_multiplier=2), IMAGE),
    "SimpleRNN": (lambda: layers.SimpleRNN(3), STEPS),
    "SimpleRNNCell": (lambda: layers.RNN(layers.SimpleRNNCell(3)), STEPS),
    "SpectralNormalization": (lambda: layers.SpectralNormalization(layers.Dense(3)), ROWS),
    "StackedRNNCells": (lambda: layers.RNN(layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(3)])), STEPS),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Dense(3)), STEPS),
}
"""A layer of each class that holds weights, itself or in a layer inside, with all the weights that it can have."""


def draw(shape: tuple[int, ...]) -> np.ndarray:
    """Return the same normal numbers for the same shape."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def build_examples() -> dict[str, Any]:
    """Return the layers of `EXAMPLES`, built."""
    built = {}
    for name, (make, shapes) in EXAMPLES.items():
        built[name] = layer = make()
        if shapes == TOKENS:
            layer(np.ones((2, 6), np.int32))
        elif isinstance(shapes, list):
            layer([draw(shape) for shape in shapes])
        else:
            layer(*map(draw, shapes if isinstance(shapes[0], tuple) else [shapes]))
    return built


def list_layers(layer: Any) -> Iterator[Any]:
    """Yield ``layer`` and all layers inside of it."""
    yield layer
    for inner in list_inner_layers(layer):
        yield from list_layers(inner)
