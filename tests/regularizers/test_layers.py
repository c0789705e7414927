"""Layers with weights of regularizers: masks, shapes, and the kernels that a learned rate feeds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from regzoo.regularizers._layers import ChannelScale, Shortened, list_fed_kernels


def test_a_scale_passes_the_mask_on() -> None:
    tokens = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(5, 3, mask_zero=True)(tokens)
    scaled = ChannelScale(2.0)(vectors)
    model = keras.Model(tokens, [vectors, keras.layers.GlobalAveragePooling1D()(scaled)])
    each, pooled = map(np.asarray, model(np.array([[3, 1, 0, 0]])))
    np.testing.assert_allclose(pooled, 2 * each[:, :2].mean(axis=1), rtol=1e-6)


def test_shortened_leaves_the_number_of_positions_open() -> None:
    layer = Shortened(lambda h, stream: h[:, :1], 0, "patch_dropout")
    assert layer.compute_output_shape((None, 10, 4)) == (None, None, 4)
    assert layer.compute_output_shape((2, 10, 4, 3)) == (2, None, 4, 3)


def feed(*after: Any) -> list[str]:
    """Return the layers whose kernels a layer feeds that is followed by ``after``."""
    inputs = keras.Input((3,))
    first = keras.layers.Activation("relu")
    h = first(inputs)
    for layer in after:
        h = layer(h)
    model = keras.Model(inputs, h)
    owners = {id(layer.kernel): layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)}
    return [owners[id(kernel)] for kernel in list_fed_kernels(first)]


def test_fed_kernels_are_found_through_operations_and_layers_without_kernels() -> None:
    near, far = keras.layers.Dense(4, name="near"), keras.layers.Dense(2, name="far")
    assert feed(keras.ops.tanh, keras.layers.LayerNormalization(), near, far) == ["near"]


def test_a_frozen_kernel_is_looked_through() -> None:
    frozen = keras.layers.Dense(4, name="frozen", trainable=False)
    assert feed(frozen, keras.layers.Dense(2, name="far")) == ["far"]
