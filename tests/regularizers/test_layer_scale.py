"""LayerScale: a trained scale for each channel, its start, and where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot, parse
from regzoo.core.weights import describe_weights
from regzoo.regularizers import LayerScale

MLP = "mlp([6, 6, 6], residual=true)"
BACKBONES = {
    "transformer(width=4, depth=1, heads=2, hidden=6)": ((5,), [4, 4]),
    MLP: ((5,), [6, 6]),
    "resnet([2, 3], blocks=1)": ((8, 8, 1), [2, 3]),
}


def scales(model: keras.Model) -> list[np.ndarray]:
    """Return the scales, by depth."""
    return [weight.numpy() for weight in model.trainable_weights if "channel_scale" in weight.path]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_each_branch_has_a_scale_for_each_channel_that_is_trained(backbone: str) -> None:
    shape, channels = BACKBONES[backbone]
    model = regzoo.build(backbone, "layer_scale(0.01)", input_shape=shape, classes=3)
    assert model.hits == {"layer_scale": len(channels)}
    for scale, count in zip(scales(model), channels, strict=True):
        np.testing.assert_array_equal(scale, np.full(count, 0.01, np.float32))
    random = np.random.default_rng(0)
    for _ in range(2):  # Adam's first step is as large for every channel
        model.update(random.normal(size=(24, *shape)).astype(np.float32), random.integers(0, 3, 24))
    for scale in scales(model):
        assert np.ptp(scale) > 0  # each channel learns its own
        assert np.abs(scale - 0.01).min() > 0


def test_the_branch_is_scaled_and_the_shortcut_is_not(rows: Any) -> None:
    model = regzoo.build(MLP, "layer_scale(0.1)", input_shape=(5,), classes=3)
    random, gammas = np.random.default_rng(0), []
    for weight in model.trainable_weights:
        if "channel_scale" in weight.path:
            gammas.append(random.normal(size=6).astype(np.float32))
            weight.assign(gammas[-1])
    pairs = [model.get_layer(name).get_weights() for name in ("dense_0", "dense_1", "dense_2", "head")]
    h = np.maximum(rows[0] @ pairs[0][0] + pairs[0][1], 0)
    for (kernel, bias), gamma in zip(pairs[1:3], gammas, strict=True):
        h = h + gamma * np.maximum(h @ kernel + bias, 0)
    wanted = h @ pairs[3][0] + pairs[3][1]
    for training in (False, True):  # sums of at most 6 numbers near 1, four times over
        np.testing.assert_allclose(model.logits(rows[0], training=training), wanted, atol=1e-5)


def test_one_step_follows_the_gradient_of_the_scale() -> None:
    """By hand: at h = x + gamma b, dL/dgamma is the sum over examples of dL/dh b, and SGD subtracts it times 0.5."""
    layer = LayerScale(0.25).layer(Slot("branch", 0, 1, 2, 0))
    branch = keras.ops.convert_to_tensor([[2.0, -1.0], [4.0, 3.0]])
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(branch) * [[1.0, 1.0], [0.5, 2.0]])
    np.testing.assert_array_equal(tape.gradient(loss, layer.gamma.value), [4.0, 5.0])


def test_it_starts_at_the_dial_of_the_run() -> None:
    """A program is made once for all starts: turning the dial and resetting draws the scales anew."""
    model = regzoo.build(MLP, "layer_scale(0.1)", input_shape=(5,), classes=3)
    model.set_dials({"layer_scale.init": 0.001})
    np.testing.assert_array_equal(scales(model)[0], np.full(6, 0.1, np.float32))  # training goes on from where it was
    model.reset(0)
    np.testing.assert_array_equal(scales(model)[0], np.full(6, 0.001, np.float32))


def test_it_is_a_scale_that_penalties_leave_alone() -> None:
    model = regzoo.build(MLP, "layer_scale(0.1) + l2(0.1) + weight_decay(0.1)", input_shape=(5,), classes=3)
    roles = [weight.role for variable, weight in describe_weights(model) if "channel_scale" in variable.path]
    assert roles == ["scale", "scale"]
    assert model.hits["l2"] == 4  # three dense kernels and the head's


def test_it_is_saved_and_loaded_with_the_other_weights(tmp_path: Path, rows: Any) -> None:
    model = regzoo.build(MLP, "layer_scale(0.1)", input_shape=(5,), classes=3)
    model.fit(*rows, verbose=0)
    model.save(tmp_path / "scaled.keras")
    loaded = keras.models.load_model(tmp_path / "scaled.keras")
    for one, other in zip(scales(loaded), scales(model), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loaded.predict(rows[0], verbose=0), model.predict(rows[0], verbose=0))


def test_no_start_is_neutral() -> None:
    assert LayerScale(1.0).neutral() is None
    with pytest.raises(InputError, match=r"layer_scale: init cannot be scheduled"):
        parse("layer_scale(linear(0.1, 0.0, epochs=3))")


def test_it_commutes_with_what_drops_the_branch(rows: Any) -> None:
    texts = ("residual_dropout(0.5)", "stochastic_depth(0.5)")
    for text in texts:
        orders = (f"layer_scale(0.1) + {text}", f"{text} + layer_scale(0.1)")
        models = [regzoo.build(MLP, order, input_shape=(5,), classes=3) for order in orders]
        first, second = (model.logits(rows[0], training=True) for model in models)
        np.testing.assert_allclose(first, second, atol=1e-6)  # two roundings of a product below 1


def test_without_branches_there_is_no_place() -> None:
    assert LayerScale(0.1).layer(Slot("activation", 0, 1, 2, 0)) is None
    with pytest.raises(InputError, match="layer_scale finds no place to act in cnn"):
        regzoo.build("cnn([2], dense=3)", "layer_scale(0.1)", input_shape=(8, 8, 1), classes=3)
