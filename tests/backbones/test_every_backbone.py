"""Laws of every backbone: unique layer names, and initial weights that depend on nothing else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.cli.zoo_cards import describe_component
from regzoo.core import AfterTraining, InputError, backbones, parse, regularizers
from regzoo.core._keras_compat import get_input, get_operation
from regzoo.core.component import get_specs
from regzoo.testing import fix_strengths, shrink_backbone

KINDS = [kind for kind in regularizers().values() if not issubclass(kind, AfterTraining)]
RECIPES = [str(parse(kind.requires_recipe or "none") + fix_strengths(kind())) for kind in KINDS]
TOGETHER = "dropout(0.5) + l2(0.001) + batch_norm(0.9) + gaussian_noise(0.1) + weight_decay(0.01)"


def built(backbone: str, recipe: str = "none", seed: int = 0) -> Any:
    """Return a tiny model on 8 x 8 images."""
    return regzoo.build(shrink_backbone(backbone), recipe, input_shape=(8, 8, 1), classes=3, seed=seed)


@functools.cache
def list_layers(backbone: str) -> frozenset[str]:
    """Return the names of its layers without a recipe."""
    return frozenset(layer.name for layer in built(backbone).layers)


@functools.cache
def initial_without_recipe(backbone: str) -> dict[str, np.ndarray]:
    """Return its weights at seed 3; that they are always the same is tested below."""
    return initial(built(backbone, seed=3))


def initial(model: Any) -> dict[str, np.ndarray]:
    """Return its weights by layer and name, without those of inserted layers."""
    plain = list_layers(model.get_config()["backbone"].split("(")[0])
    return {f"{layer.name}/{w.name}": w.numpy() for layer in model.layers if layer.name in plain for w in layer.weights}


@pytest.fixture(params=sorted(backbones()))
def backbone(request: pytest.FixtureRequest) -> str:
    """Return each backbone of the folder, by name."""
    return request.param


def test_layers_with_weights_have_names_of_their_own(backbone: str) -> None:
    first, second = built(backbone), built(backbone)
    names = [layer.name for layer in first.layers if layer.weights]
    assert len(set(names)) == len(names)
    # Keras numbers unnamed layers over the whole process, so the names of a second model would differ.
    assert names == [layer.name for layer in second.layers if layer.weights]


@pytest.mark.parametrize("recipe", [*RECIPES, TOGETHER])
def test_no_recipe_shifts_initial_weights(backbone: str, recipe: str) -> None:
    try:
        with_recipe = initial(built(backbone, recipe, seed=3))
    except InputError:
        return  # no slot of its kind here: the contract suite checks the message
    plain = initial_without_recipe(backbone)
    assert plain.keys() == with_recipe.keys()
    assert [name for name in plain if not np.array_equal(plain[name], with_recipe[name])] == []


def test_its_card_names_the_slots_that_it_announces(backbone: str, announced: Callable[..., Any]) -> None:
    spelled = "mlp([7, 7], residual=true)" if backbone == "mlp" else shrink_backbone(backbone)
    kinds = {kind for kind, _ in announced(spelled, (8, 8, 1))} - {"features"}
    assert set(describe_component(backbone)["slots"]) == kinds


def test_another_seed_gives_other_weights(backbone: str) -> None:
    first, again, other = (initial(built(backbone, seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    kernels = [name for name in first if name.endswith("kernel")]
    assert kernels
    assert not any(np.array_equal(first[name], other[name]) for name in kernels)


def test_no_two_layers_start_equal(backbone: str) -> None:
    kernels = [value.ravel() for name, value in initial(built(backbone)).items() if name.endswith("kernel")]
    # Draws from one stream, scaled to each layer's size, would keep their ratios.
    ratios = {round(float(kernel[0] / kernel[1]), 4) for kernel in kernels}
    assert len(ratios) == len(kernels)


@pytest.mark.parametrize("activation", ["selu", "relu"])
def test_what_feeds_a_selu_starts_as_selu_must(backbone: str, activation: str) -> None:
    """Variance 1 / inputs (Klambauer et al. 2017), Keras's lecun_normal; no other nonlinearity has that from us."""
    if "activation" not in get_specs(backbones()[backbone]):
        return
    small = shrink_backbone(backbone)
    model = regzoo.build(f"{small[:-1]}, activation={activation})", input_shape=(8, 8, 1), classes=3)
    feeding = [get_operation(get_input(layer.output)) for layer in model.layers if is_nonlinearity(layer, activation)]
    found = [layer.kernel_initializer for layer in feeding if hasattr(layer, "kernel_initializer")]
    assert found
    for each in found:
        lecun = keras.initializers.LecunNormal()
        same = [getattr(each, name, None) == getattr(lecun, name) for name in ("scale", "mode", "distribution")]
        assert all(same) == (activation == "selu"), each


def is_nonlinearity(layer: keras.Layer, activation: str) -> bool:
    """Return True if ``layer`` applies the Keras function ``activation``."""
    return isinstance(layer, keras.layers.Activation) and layer.activation.__name__ == activation
