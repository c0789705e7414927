"""Regularizers narrowed to layers: where they act in each backbone, and which names are refused."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from dataclasses import dataclass

import keras
import numpy as np
import pytest

from regzoo.core import InputError, OnActivations, OnWeights, Slot, backbones, parse
from regzoo.core.selection import get_layer_kind
from regzoo.core.weights import list_classes
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.task import Task

CNN = "cnn(filters=[2, 2], dense=4)"
SMALL = {
    CNN: (8, 8, 1),
    "mlp([4, 4, 4], residual=true)": (5,),
    "resnet(filters=[2, 4], blocks=1)": (8, 8, 1),
    "transformer(width=4, depth=1, heads=2, hidden=4)": (5,),
    "autoencoder([4], code=3)": (5,),
    "linear": (5,),
}
"""Each backbone at a small size, with the shape of an example."""

ATTENTION = ("query", "key", "value", "out", "softmax")
THREE = Task("classification", 3)


@functools.cache
def build(backbone: str, recipe: str) -> RegularizedModel:
    return build_model(backbone, parse(recipe), THREE, SMALL[backbone])


def name_kind(layer: str, classes: list[str]) -> str:
    """Return the kind of a layer in these backbones, by hand."""
    if layer == "embed":
        return "embedding"
    return "attention" if layer.endswith(ATTENTION) else get_layer_kind(classes) or "other"


def list_kinds(model: keras.Model) -> dict[str, str]:
    """Return the kind of each layer, by name, from Keras's own list."""
    return {layer.name: name_kind(layer.name, [c.__name__ for c in list_classes(layer)]) for layer in model.layers}


def find_producers(model: keras.Model) -> list[str]:
    """Return the weighted layer before each inserted one, in the order of Keras's own list, which these nets follow.

    Layers of these backbones are listed after their inputs; the last one with a kernel is what the slot follows.
    """
    found, last = [], "inputs"
    for layer in model.layers:
        if type(layer).__name__ in ("InTraining", "Penalized"):
            found.append(last)
        elif any(len(weight.shape) >= 2 for weight in layer.weights):
            last = layer.name
    return found


def test_every_backbone_is_here() -> None:
    assert {text.partition("(")[0] for text in SMALL} == set(backbones())


@pytest.mark.parametrize("backbone", SMALL)
def test_weights_lie_at_the_layers_that_hold_them(backbone: str) -> None:
    model = build(backbone, "l2(0.1)")
    kernels = [weight.path.rpartition("/")[0] for weight in model.trainable_variables if "kernel" in weight.path]
    wanted = Counter(kernels)
    kinds = list_kinds(model)
    assert model.hits_by_layer == {"l2": wanted}
    assert model.hits_by_kind == {"l2": Counter(kinds[layer] for layer in wanted.elements())}
    layers, kind = list(wanted), kinds[next(iter(wanted))]
    summed = f"l2(0.1, on={kind}) + weight_decay(0.1, on=first) + l1(0.1, on=last) + l1_l2(0.1, 0.2, exclude='head')"
    if backbone == "linear":  # nothing is left without the head
        summed = summed.rpartition(" + ")[0]
    hits = build(backbone, summed).hits_by_layer
    assert hits["l2"] == {layer: n for layer, n in wanted.items() if kinds[layer] == kind}
    assert list(hits["l1"]) == [layers[-1]]
    assert list(hits.get("l1_l2", {})) == layers[:-1]


@pytest.mark.parametrize("backbone", [text for text in SMALL if text != "linear"])
def test_slots_lie_at_the_layer_with_weights_before_them(backbone: str) -> None:
    model = build(backbone, "dropout(0.5)")
    producers = find_producers(model)
    kinds = list_kinds(model)
    assert model.hits_by_layer == {"dropout": Counter(producers)}
    assert model.hits_by_kind == {"dropout": Counter(kinds[layer] for layer in producers)}
    for word, layer in (("first", producers[0]), ("last", producers[-1])):
        summed = f"dropout(0.5, on={word}) + activation_noise(0.5, on='{layer}')"
        assert set(map(str, build(backbone, summed).hits_by_layer.values())) == {str({layer: 1})}


def test_branches_and_attention_have_their_places() -> None:
    transformer = "transformer(width=4, depth=1, heads=2, hidden=4)"
    assert build(transformer, "stochastic_depth(0.5)").hits_by_layer["stochastic_depth"] == {
        f"block_0_{layer}": 1 for layer in ("out", "dense_1")
    }
    assert build(transformer, "stochastic_depth(0.5, on=attention)").hits_by_kind["stochastic_depth"] == {
        "attention": 1
    }
    assert build(transformer, "attention_dropout(0.5, on=first)").hits_by_layer["attention_dropout"] == {
        "block_0_softmax": 1
    }
    resnet = "resnet(filters=[2, 4], blocks=1)"
    assert list(build(resnet, "stochastic_depth(0.5)").hits_by_layer["stochastic_depth"]) == [
        "block_0_0_conv_1",
        "block_1_0_conv_1",
    ]
    assert build("mlp([4, 4, 4], residual=true)", "stochastic_depth(0.5)").hits_by_kind["stochastic_depth"] == {
        "dense": 2
    }


def test_a_slot_keeps_its_number_so_noise_and_depth_stay() -> None:
    """Narrowed to the last branch, stochastic depth has the rate that it has there; dropout the noise of the slot."""
    assert (
        build(CNN, "dropout(0.5, on=dense)")._info.streams(3)[0][1]
        == build(CNN, "dropout(0.5)")._info.streams(3)[-1][1]
    )
    twice = build(CNN, "dropout(0.25, on=conv) + dropout(0.5, on=dense)")._info.streams(3)
    assert [value for _, value in twice] == [value for _, value in build(CNN, "dropout(0.5)")._info.streams(3)]
    seen: list[Slot] = []

    @dataclass(frozen=True)
    class Watching(OnActivations):
        def layer(self, slot: Slot) -> keras.Layer | None:
            seen.append(slot)
            return None if slot.kind != "branch" else keras.layers.Identity()

    build_model("resnet(filters=[2, 4], blocks=1)", Watching(on="last") + parse("none"), THREE, (8, 8, 1))
    assert [(slot.index, slot.of) for slot in seen if slot.kind == "branch"] == [(0, 2), (1, 2)]
    assert all(slot.layer is not None and slot.layer.kind == "conv" for slot in seen if slot.kind != "input")
    assert [slot.layer.path for slot in seen if slot.kind == "input" and slot.layer] == ["inputs"]


def test_two_of_a_kind_act_at_their_own_places_with_their_own_dials() -> None:
    backbone = "cnn(filters=[2, 2], dense=4, activation=tanh)"
    model = build_model(backbone, parse("dropout(0.25, on=conv) + dropout(0.5, on=dense)"), THREE, (8, 8, 1))
    assert model.hits == {"dropout[conv]": 2, "dropout[dense]": 1}
    assert model.dials == {"dropout[conv].rate": 0.25, "dropout[dense].rate": 0.5}
    x = np.ones((64, 8, 8, 1), "float32")
    model.set_dials({"dropout[conv].rate": 1.0})
    logits = model.logits(x, training=True).numpy()
    np.testing.assert_array_equal(logits, 0.0)  # no bias is trained, so nothing is left behind the convolutions
    model.set_dials({"dropout[conv].rate": 0.0, "dropout[dense].rate": 0.0})
    np.testing.assert_array_equal(model.logits(x, training=True), model.logits(x))
    model.set_dials({"dropout[dense].rate": 0.5})
    assert np.ptp(model.logits(x, training=True), axis=0).max() > 0


def test_weights_of_two_narrowed_rules_are_trained_by_each() -> None:
    """By hand, after one step of SGD on a loss of zero weight: w (1 - 2 strength lr - lr decay)."""
    recipe = "l2(0.1, on=conv) + l2(0.2, on='head') + weight_decay(0.3, on='dense') + weight_decay(0.1, on='conv_0')"
    model = build_model(CNN, parse(recipe), THREE, (8, 8, 1))
    model.compile(keras.optimizers.SGD(0.5))
    before = {weight.path: weight.numpy() for weight in model.trainable_variables}
    x, y = np.zeros((4, 8, 8, 1), "float32"), np.zeros(4, int)
    model.fit(x, y, sample_weight=np.zeros(4), batch_size=4, epochs=1, verbose=0)
    factors = {"conv_0": 0.85, "conv_1": 0.9, "head": 0.8, "dense": 0.85}
    for weight in model.trainable_variables:
        layer, _, name = weight.path.rpartition("/")
        factor = factors[layer] if name == "kernel" else 1.0
        np.testing.assert_allclose(weight.numpy(), factor * before[weight.path], rtol=1e-6, atol=1e-8)


def test_two_averages_replace_the_weights_of_their_own_layers() -> None:
    model = build_model("mlp([4, 4, 4], residual=true)", parse("ema(0.5, on=first) + ema(0.0, on='head')"), THREE, (5,))
    pairs = {weight.path for weight, _ in model.companions("ema")}
    assert pairs == {"dense_0/kernel", "dense_0/bias", "head/kernel", "head/bias"}
    assert set(model._name_companions()) == {"ema.0_0", "ema.0_1", "ema.1_0", "ema.1_1"}
    assert set(build(CNN, "ema(0.5, on=dense)")._name_companions()) == {f"ema_{number}" for number in range(4)}


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        ("dropout(0.5, on=recurrent)", r"on=recurrent names no layer of cnn\(.*\)\. Layers: conv \(conv_0, conv_1\)"),
        ("dropout(0.5, on='conv_9')", "on='conv_9' names no layer .* Did you mean 'conv_1'?"),
        ("dropout(0.5, on=dense|'cnv_0')", "on='cnv_0' names no layer .* Did you mean 'conv_0'?"),
        ("l2(0.5, exclude='haed')", "exclude='haed' names no layer .* Did you mean 'head'?"),
        ("l2(0.5, exclude=attention)", "exclude=attention names no layer"),
        ("dropout(0.5, on='pool_0')", r"has no place to act; it acts at conv \(conv_0, conv_1\), dense \(dense\)"),
        ("dropout(0.5, on='head')", "has no place to act"),
        ("dropout(0.5, exclude=conv|dense)", r"leaves out every layer of cnn\(.*\) at which dropout acts: conv"),
        ("dropout(0.5, on=conv, exclude='conv_*')", "leaves out every layer"),
        ("dropout(0.1, on=conv) + dropout(0.2, on=first)", "both act at conv_0 of cnn"),
        ("dropout(0.1, on=conv) + dropout(0.2, exclude=last)", "both act at conv_0, conv_1 of cnn"),
        ("l2(0.1, on='*') + l2(0.2, on=dense)", "both act at dense, head of cnn"),
        ("weight_decay(0.1, on=dense) + weight_decay(0.2, on=last)", "both act at head of cnn"),
        ("stochastic_depth(0.5, on=conv)", "finds no place to act in cnn"),
    ],
)
def test_names_that_do_not_fit_the_model_are_refused(recipe: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as raised:
        build_model(CNN, parse(recipe), THREE, (8, 8, 1))
    assert recipe.partition("(")[0] in str(raised.value)


def test_what_is_excluded_may_be_any_layer() -> None:
    assert build(CNN, "dropout(0.5, exclude='pool_*'|'conv_0')").hits_by_layer["dropout"] == {"conv_1": 1, "dense": 1}


def test_a_place_has_the_names_of_the_layers_up_to_it() -> None:
    assert build(CNN, "dropout(0.5, on='conv_1_relu')").hits_by_layer["dropout"] == {"conv_1": 1}


def test_a_regularizer_of_two_places_is_narrowed_in_both() -> None:
    from regzoo.core import Penalty, Weight

    @dataclass(frozen=True)
    class BothPlaces(OnActivations, OnWeights):
        def layer(self, slot: Slot) -> keras.Layer | None:
            return keras.layers.Identity() if slot.kind == "activation" else None

        def rule(self, weight: Weight) -> Penalty | None:
            return Penalty(lambda w: keras.ops.sum(w)) if weight.kernel else None

    model = build_model(CNN, BothPlaces(on="conv|'head'") + parse("none"), THREE, (8, 8, 1))
    assert model.hits_by_layer["both_places"] == {"conv_0": 2, "conv_1": 2, "head": 1}


def test_every_layer_of_keras_has_a_kind_or_is_known_to_have_none() -> None:
    """A class that a new Keras adds has to be looked at."""
    weighted_by_name = ("Dense", "Conv", "RNN", "LSTM", "GRU", "Embedding", "Attention", "Bidirectional")
    for name, cls in vars(keras.layers).items():
        if inspect.isclass(cls) and issubclass(cls, keras.Layer):
            kind = get_layer_kind([each.__name__ for each in cls.__mro__])
            assert bool(kind) == any(word in name for word in weighted_by_name), name
