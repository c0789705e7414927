"""build_model: where a recipe acts in a model, and where the weights start."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from regzoo.backbones.mlp import Mlp
from regzoo.core import InputError, Recipe, parse
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.task import Task

THREE = Task("classification", 3)


def build(recipe: str = "none", seed: int = 0, backbone: str = "mlp([8, 6])") -> RegularizedModel:
    shape = (8, 8, 1) if backbone.startswith("cnn") else (5,)
    return build_model(backbone, parse(recipe), THREE, shape, seed)


def get_initial_weights(model: RegularizedModel) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.trainable_variables}


def test_hits_counts_the_places_of_each_regularizer() -> None:
    recipe = "dropout(0.5) + batch_norm(0.9) + l2(0.1) + weight_decay(0.1) + gaussian_noise(0.1)"
    # two activations, two preactivations, three kernels; the optimizer and the batch count once
    expected = {"dropout": 2, "batch_norm": 2, "l2": 3, "weight_decay": 1, "gaussian_noise": 1}
    assert build(recipe).hits == expected
    # two convolutions and a dense layer, and the head's kernel
    assert build("dropout(0.5) + l2(0.1)", backbone="cnn(filters=[2, 2], dense=4)").hits == {"dropout": 3, "l2": 4}


def test_inserted_layers_change_no_initial_weight() -> None:
    plain = get_initial_weights(build())
    for recipe in ("dropout(0.5)", "batch_norm(0.9)", "gaussian_noise(0.1) + dropout(0.1) + batch_norm(0.9)"):
        regularized = get_initial_weights(build(recipe))
        assert plain.keys() <= regularized.keys()
        for path, weight in plain.items():
            np.testing.assert_array_equal(regularized[path], weight)


def test_every_kernel_has_its_own_initial_values_that_follow_from_the_seed() -> None:
    one, same, other = (
        get_initial_weights(build(seed=1)),
        get_initial_weights(build(seed=1)),
        get_initial_weights(build(seed=2)),
    )
    kernels = [path for path in one if path.endswith("kernel")]
    assert len(kernels) == 3
    for path in kernels:
        np.testing.assert_array_equal(one[path], same[path])
        assert np.abs(one[path] - other[path]).min() > 0
    square = get_initial_weights(build_model(Mlp((5, 5)), Recipe(), THREE, (5,)))
    assert np.abs(square["dense_0/kernel"] - square["dense_1/kernel"]).min() > 0


def test_the_global_random_state_of_keras_has_no_influence() -> None:
    keras.utils.set_random_seed(1)
    first = build("dropout(0.5)")
    keras.utils.set_random_seed(2)
    keras.random.normal((3,))
    second = build("dropout(0.5)")
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.ones((4, 5), np.float32)
    np.testing.assert_array_equal(first.logits(x, training=True), second.logits(x, training=True))


def test_streams_at_different_slots_differ() -> None:
    model = build_model(Mlp((64, 64)), parse("dropout(0.5)"), THREE, (5,))
    generators = [layer.generator.state.numpy() for layer in model.layers if hasattr(layer, "generator")]
    assert len(generators) == 2
    assert generators[0][0] != generators[1][0]


def test_a_range_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"dropout\.rate \(0\.05\.\.0\.7\) is left to the search: a model needs a number"
    ):
        build("dropout")


def test_a_recipe_without_a_place_to_act_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mlp, "__call__", lambda self, x, slot: keras.layers.Dense(4, name="bare")(x))
    with pytest.raises(InputError, match=r"dropout finds no place to act in mlp\(\[8, 6\]\): it would do nothing"):
        build("dropout(0.5)")
    assert build("l2(0.1)").hits == {"l2": 2}


def test_a_cnn_refuses_rows() -> None:
    with pytest.raises(InputError, match="cnn needs images"):
        build_model("cnn", Recipe(), THREE, (5,))


def test_a_misspelt_backbone_is_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'mlp'"):
        build_model("mpl", Recipe(), THREE, (5,))


def test_its_config_builds_it_again() -> None:
    model = build("dropout(0.25) + l2(linear(0.1, 0.0, epochs=3))", seed=7)
    again = RegularizedModel.from_config(model.get_config())
    assert again.recipe == model.recipe
    assert again.dials == model.dials == {"dropout.rate": 0.25, "l2.strength": pytest.approx(0.1)}
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
