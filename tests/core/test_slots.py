"""Descriptions of weights: what is inferred from path and shape alone, for the regularizers that users wrote."""

from __future__ import annotations

import pytest

from regzoo.core import LayerInfo, Weight


@pytest.mark.parametrize(("shape", "kernel"), [((64, 10), True), ((3, 3, 1, 8), True), ((10,), False), ((), False)])
def test_kernels_are_of_rank_two_and_more(shape: tuple[int, ...], kernel: bool) -> None:
    assert Weight("dense_0/kernel", shape).kernel is kernel


@pytest.mark.parametrize(
    ("path", "shape", "role", "unit_axes", "input_axes"),
    [
        ("mine/w", (5, 4), "kernel", (1,), (0,)),
        ("mine/conv_weight", (3, 3, 2, 8), "kernel", (3,), (2,)),
        ("mine/w", (4,), "bias", (0,), ()),
        ("cell/recurrent_kernel", (4, 16), "recurrent_kernel", (1,), (0,)),
        ("cell/recurrent_bias", (2, 16), "bias", (0, 1), ()),
        ("tied/b", (2, 3), "bias", (0, 1), ()),
        ("tied/qBias", (2, 3), "bias", (0, 1), ()),
        ("norm/gamma", (4,), "scale", (0,), ()),
        ("act/slopes", (6, 4), "scale", (0, 1), ()),
        ("quant/kernel_scale", (1, 4), "scale", (0, 1), ()),
        ("vit/pos_embed", (1, 9, 4), "position", (0, 1), (0, 1)),
        ("vit/position_ids_embedding", (9, 4), "position", (0,), (0,)),
        ("vit/cls_token", (1, 1, 4), "embedding", (0, 1), (0, 1)),
        ("bert/token_embedding", (9, 4), "embedding", (0,), (0,)),
        ("bert/token_embedding_kernel", (9, 4), "kernel", (1,), (0,)),
        ("dense/lora_a", (9, 2), "lora", (1,), (0,)),
        ("mixed/temperature", (), "scale", (), ()),
    ],
)
def test_roles_and_axes_are_inferred_from_name_and_rank(
    path: str, shape: tuple[int, ...], role: str, unit_axes: tuple[int, ...], input_axes: tuple[int, ...]
) -> None:
    weight = Weight(path, shape)
    assert (weight.role, weight.unit_axes, weight.input_axes) == (role, unit_axes, input_axes)


def test_what_is_given_is_not_inferred() -> None:
    weight = Weight(
        "a/bias", (2, 3), "kernel", (0,), (1,), layers=(LayerInfo("outer"), LayerInfo("a", ("Mine", "Layer")))
    )
    assert (weight.kernel, weight.unit_axes, weight.input_axes) == (True, (0,), (1,))
    assert weight.layer == LayerInfo("a", ("Mine", "Layer"))
    assert Weight("outer/a/kernel", (2, 3)).layer == LayerInfo("a")


def test_the_class_of_the_layer_counts() -> None:
    layer = LayerInfo("places", ("SinePositionEmbedding", "Layer"))
    assert Weight("places/embeddings", (9, 4), layers=(layer,)).role == "position"
    assert Weight("places/variable", (9, 4), layers=(layer,)).role == "position"
    assert Weight("places/kernel", (9, 4), layers=(layer,)).role == "kernel"
    assert Weight("wide/variable", (9, 4), layers=(LayerInfo("wide", ("PositionWiseDense",)),)).role == "kernel"
