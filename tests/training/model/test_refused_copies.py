"""Copies and files that would lose a recipe are refused; those that keep it are named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError

L = keras.layers

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


def make_own() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((5,)), L.Dense(4, "relu", name="first"), L.Dense(3, "softmax")])


def attached(recipe: str) -> Any:
    return regzoo.attach(recipe, make_own())


def built(recipe: str) -> Any:
    return regzoo.build("mlp([4])", recipe, (5,), classes=3)


def clone_twice(model: keras.Model) -> keras.Model:
    """Clone a model that holds ``model``, with the layers of models inside it."""
    inputs = keras.Input((5,))
    return keras.models.clone_model(keras.Model(inputs, model(inputs)), recursive=True, clone_function=lambda x: x)


CLONES: dict[str, Callable[[keras.Model], Any]] = {
    "plain": keras.models.clone_model,
    "own function": lambda model: keras.models.clone_model(model, clone_function=lambda layer: layer),
    "own inputs": lambda model: keras.models.clone_model(model, input_tensors=keras.Input((5,))),
    "recursive": clone_twice,
    "scikit-learn": lambda model: keras.wrappers.SKLearnRegressor(model).fit(X, X[:, 0]),
}


@pytest.mark.parametrize("clone", CLONES.values(), ids=CLONES)
def test_cloning_is_refused_where_it_would_lose_a_recipe(clone: Callable[[keras.Model], Any]) -> None:
    for model in (attached("l2(0.1)"), built("mixup(0.2)")):
        model.compile("sgd", "mse")
        with pytest.raises(InputError, match=r"would lose the recipe (l2\(0\.1\)|mixup\(0\.2\)): .*from_config"):
            clone(model)


def test_the_copies_that_the_refusal_names_keep_the_recipe() -> None:
    for model in (attached("l2(0.1)"), built("dropout(0.2)")):
        expected = model.predict(X, verbose=0)
        assert type(model).from_config(model.get_config()).hits == model.hits
        whole = copy.deepcopy(model)
        assert whole.hits == model.hits
        np.testing.assert_array_equal(whole.predict(X, verbose=0), expected)
        np.testing.assert_array_equal(model.predict(X, verbose=0), expected)


def test_without_a_recipe_a_clone_is_the_model() -> None:
    model = attached("none")
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("ending", [".h5", ".hdf5"])
def test_no_way_leads_to_the_old_format(ending: str, tmp_path: Path) -> None:
    for save in (keras.saving.save_model, lambda model, path: model.save(path)):
        with pytest.raises(InputError, match="old HDF5 format cannot hold a model with a recipe"):
            save(attached("l2(0.1)"), str(tmp_path / f"m{ending}"))
    keras.saving.save_model(attached("l2(0.1)"), tmp_path / "m.keras")  # and this one is not in the way
    make_own().save(tmp_path / f"own{ending}")


def _set_policy(model: keras.Model) -> None:
    model.get_layer("first").dtype_policy = "mixed_bfloat16"


CHANGES: dict[str, Callable[[keras.Model], Any]] = {
    "quantized": lambda model: model.quantize("int8", filters="first"),
    "LoRA": lambda model: model.get_layer("first").enable_lora(2),
    "policy": _set_policy,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_layer_that_changed_its_kind_is_refused_when_saved(change: Callable[[Any], Any], tmp_path: Path) -> None:
    model = attached("none")
    change(model)
    with pytest.raises(InputError, match=r"cannot be saved.*the layer 'first' was changed after the recipe"):
        model.save(tmp_path / "m.keras")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_layer_that_was_changed_before_is_copied_and_saved(change: Callable[[Any], Any], tmp_path: Path) -> None:
    own = make_own()
    change(own)
    expected = own.predict(X, verbose=0)
    model = regzoo.attach("dropout(0.2)", own)
    model.save(tmp_path / "m.keras")
    for each in (model, keras.models.load_model(tmp_path / "m.keras")):
        np.testing.assert_allclose(each.predict(X, verbose=0), expected, atol=2e-2)  # rounding of 8 bits
