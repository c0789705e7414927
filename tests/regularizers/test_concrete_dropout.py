"""Concrete dropout: the relaxed mask, the terms of the paper, and learned rates."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Objective, Slot
from regzoo.regularizers import L2, BatchNorm, ConcreteDropout
from regzoo.regularizers._layers import list_fed_kernels
from regzoo.training.engine.program import Program


def layer(start: float, seed: int = 0, rank: int = 2) -> Any:
    """Return its layer at an activation slot."""
    return ConcreteDropout(0.0, 0.0, start).layer(Slot("activation", 0, 1, rank, seed))


def logits_of(model: Any) -> list[Any]:
    """Return the logits of a model's learned rates, first layer first."""
    return [weight for weight in model.trainable_weights if weight.name == "logit"]


def rates(model: Any) -> list[float]:
    """Return a model's learned rates."""
    return [float(keras.ops.sigmoid(weight)) for weight in logits_of(model)]


def logit(p: float) -> float:
    """Return the logit of a probability."""
    return math.log(p / (1 - p))


def test_the_mask_is_the_papers() -> None:
    p = 0.3
    u = np.array(keras.random.uniform((6, 4), 1e-7, 1 - 1e-7, seed=keras.random.SeedGenerator(5)), np.float64)
    dropped = 1 / (1 + np.exp(-(logit(p) + np.log(u) - np.log(1 - u)) / 0.1))
    mask = layer(p, seed=5)(np.ones((6, 4), np.float32), training=True)
    np.testing.assert_allclose(mask, (1 - dropped) / (1 - p), atol=1e-5)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_mask_rounded_is_a_coin_of_the_rate(p: float) -> None:
    mask = np.array(layer(p)(np.ones((400, 250), np.float32), training=True), np.float64) * (1 - p)
    # m < 1/2 exactly if logit u > -logit p; five standard errors of a share of n draws.
    assert (mask < 0.5).mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / mask.size))
    assert ((mask > 0.01) & (mask < 0.99)).mean() < 0.5  # mostly decided


@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 3, 2, 4), (6, 2, 2, 2, 4)], ids=len)
def test_the_mask_of_channels_is_softer_as_in_the_authors_code(shape: tuple[int, ...]) -> None:
    """Temperature 2/3, where units have 0.1; one number for each channel of an example."""
    p = 0.3
    stream, each = keras.random.SeedGenerator(5), (6, *[1] * (len(shape) - 2), 4)
    u = np.array(keras.random.uniform(each, 1e-7, 1 - 1e-7, seed=stream), np.float64)
    dropped = 1 / (1 + np.exp(-(logit(p) + np.log(u) - np.log(1 - u)) * 3 / 2))
    mask = layer(p, seed=5, rank=len(shape))(np.ones(shape, np.float32), training=True)
    np.testing.assert_allclose(mask, np.broadcast_to((1 - dropped) / (1 - p), shape), atol=1e-5)


def test_images_lose_whole_channels() -> None:
    mask = np.array(layer(0.5, rank=4)(np.ones((10, 3, 4, 20), np.float32), training=True))
    assert (mask == mask[:, :1, :1]).all()
    assert len(np.unique(mask)) > 100


def test_inference_is_the_identity_and_seeds_decide() -> None:
    h = np.ones((9, 9), np.float32)
    assert np.array_equal(layer(0.5)(h), h)
    first, again, other = layer(0.5, 1), layer(0.5, 1), layer(0.5, 2)
    draws = [np.array(each(h, training=True)) for each in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])


def test_the_terms_of_the_paper_are_added_to_the_loss(rows: Any) -> None:
    x, y = rows
    losses = []
    for entropy, prior in ((0.0, 0.0), (0.01, 0.0), (0.0, 0.01)):
        recipe = f"concrete_dropout(entropy={entropy}, prior={prior}, start=0.2)"
        model = regzoo.build("mlp([6, 4])", recipe, input_shape=(5,), classes=3)
        kernels = [model.get_layer(name).get_weights()[0] for name in ("dense_1", "head")]  # what the masks feed
        losses.append(float(model.update(x, y)[0]))
    h = -0.2 * math.log(0.2) - 0.8 * math.log(0.8)
    assert losses[1] - losses[0] == pytest.approx(-0.01 * (6 + 4) * h, rel=1e-4)
    squares = sum((kernel.astype(np.float64) ** 2).sum() for kernel in kernels)
    assert losses[2] - losses[0] == pytest.approx(0.01 * squares / 0.8, rel=1e-4)


@pytest.mark.parametrize(
    ("backbone", "shape", "fed"),
    [
        ("cnn([2, 3], dense=4)", (8, 8, 1), [["conv_1"], ["dense"], ["head"]]),
        (
            "resnet([2, 3], blocks=1)",
            (8, 8, 1),
            [
                ["block_0_0_conv_0"],
                ["block_0_0_conv_1"],
                ["block_1_0_conv_0", "block_1_0_shortcut"],
                ["block_1_0_conv_1"],
                ["head"],
            ],
        ),
    ],
)
def test_each_rate_knows_the_kernels_that_it_feeds(backbone: str, shape: Any, fed: list[list[str]]) -> None:
    from regzoo.regularizers._layers import LearnedRate, list_fed_kernels

    model = regzoo.build(backbone, "concrete_dropout(0.1, 0.1)", input_shape=shape, classes=3)
    found = [layer for layer in model.layers if isinstance(layer, LearnedRate)]
    assert sorted(sorted(k.path.split("/")[-2] for k in list_fed_kernels(layer)) for layer in found) == sorted(fed)


def test_at_a_rate_of_nearly_0_and_1_values_and_gradients_are_finite() -> None:
    for a in (-300.0, -30.0, 30.0, 300.0):
        drop = layer(0.5)
        drop.logit.assign(a)
        h = tf.ones((50, 20))
        with tf.GradientTape() as tape:
            tape.watch(h)
            loss = tf.reduce_sum(drop(h, training=True))
            loss += ConcreteDropout(0.5, 0.5).penalty(20, drop.logit, [h])
        gradients = tape.gradient(loss, [h, drop.logit.value])
        assert np.isfinite(loss)
        assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_the_rate_is_learned_from_its_start_and_the_entropy_keeps_it_up(rows: Any) -> None:
    model = regzoo.build("mlp([8])", "concrete_dropout(0.0, 1e-6)", input_shape=(5,), classes=3)
    program = Program(model, rows, rows, 16)
    learned: dict[float, float] = {}
    for entropy in (0.0, 1.0, 0.0):
        model.reset(0)
        assert rates(model) == pytest.approx([0.1], rel=1e-6)
        program.train(
            strengths={"concrete_dropout.entropy": entropy, "concrete_dropout.prior": 1e-6},
            seed=0,
            learning_rate=0.05,
            epochs=20,
            objective=Objective("nll", "min"),
        )
        assert learned.setdefault(entropy, rates(model)[0]) == rates(model)[0]  # the same again
    assert program.traces == 1
    assert learned[0.0] < 0.1
    # Where the entropy weighs far more than the data, the rate goes to 1/2.
    assert learned[1.0] == pytest.approx(0.5, abs=0.05)


def test_it_works_in_fit_and_survives_saving(rows: Any, tmp_path: Any) -> None:
    model = regzoo.build("mlp([4, 3])", "concrete_dropout(0.01, 1e-6, start=0.3)", input_shape=(5,), classes=3)
    assert model.hits == {"concrete_dropout": 2}
    model.fit(*rows, epochs=2, verbose=0)
    assert all(rate != pytest.approx(0.3, rel=1e-6) for rate in rates(model))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert rates(again) == rates(model)
    np.testing.assert_array_equal(again.predict(rows[0], verbose=0), model.predict(rows[0], verbose=0))


def test_it_takes_part_in_monte_carlo_dropout() -> None:
    from regzoo.core.layers import noise_at_inference

    drop, h = layer(0.5), np.ones((5, 4), np.float32)
    with noise_at_inference():
        assert not np.array_equal(drop(h), h)
    assert not drop.losses


def test_a_start_outside_its_domain_is_refused() -> None:
    with pytest.raises(InputError, match=r"start must lie in \(0, 1\)"):
        ConcreteDropout(0.1, 0.1, start=1.0)
    assert ConcreteDropout(0.1, 0.1).layer(Slot("input", 0, 1, 2, 0)) is None


def test_the_kernels_that_it_feeds_are_known_by_role() -> None:
    inputs = keras.Input((4, 3))
    noisy = layer(0.5, rank=3)
    h = keras.layers.PReLU()(noisy(inputs))  # slopes of rank 2 are looked through
    gru, query = keras.layers.GRU(2), keras.layers.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de")
    keras.Model(inputs, [gru(h), query(h)])
    found = sorted(tuple(kernel.shape) for kernel in list_fed_kernels(noisy))
    assert found == [(3, 2, 3), (3, 6)]  # neither the recurrent kernel nor biases of rank 2


def test_it_warns_of_batch_norm_behind_it() -> None:
    assert "batch_norm" in str(ConcreteDropout().warn_recipe([BatchNorm(0.9)]))
    assert ConcreteDropout().warn_recipe([L2(0.1)]) is None
