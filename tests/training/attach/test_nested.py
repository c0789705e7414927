"""Models inside a user's model: left as they are, or entered; in both ways ``attach("none", m)`` is ``m``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.core._keras_compat import list_layers
from regzoo.training.attach.attach import attach

L = keras.layers

ROUNDING = 2e-5
"""A few hundred float32 roundings (6e-8) of numbers near 1."""

Y = np.arange(12) % 3


def make_base(name: str = "base") -> keras.Model:
    """Return a network with states and noise of its own; the paths to its sum have different lengths."""
    inputs = keras.Input((5,))
    first = L.Dense(5, "relu", name="first")(inputs)
    h = L.ReLU(name="second")(L.BatchNormalization(name="norm")(L.Dense(5)(first)))
    h = L.Add()([L.Dropout(0.4, name="own_dropout")(h), first])
    return keras.Model(inputs, L.Dense(4, "tanh", name="code")(h), name=name)


def make_sequential(name: str = "base", last: str = "relu") -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(5, "relu", name="first"), L.Dense(3, last)], name=name)


def on_top(make: Callable[[Any], Any], size: int = 5) -> keras.Model:
    inputs = keras.Input((size,))
    return keras.Model(inputs, L.Dense(3, "softmax", name="head")(make(inputs)))


def transfer() -> keras.Model:
    """A frozen base in inference mode, as in Keras's guide to transfer learning."""
    base = make_base()
    base.trainable = False
    return on_top(lambda x: L.Dropout(0.2)(base(x, training=False)))


def frozen() -> keras.Model:
    base = make_base()
    base.trainable = False
    return on_top(base)


def partly_frozen() -> keras.Model:
    """A layer is frozen, and a single weight of another."""
    base = make_base()
    base.get_layer("first").trainable = False
    base.get_layer("code").bias.trainable = False
    return on_top(base)


def two_deep() -> keras.Model:
    middle = keras.Sequential([keras.Input((5,)), make_base("inner"), L.Dense(4, "relu")], name="base")
    return keras.Sequential([keras.Input((5,)), middle, L.Dense(3, "softmax", name="head")])


def called_twice() -> keras.Model:
    base = make_base()
    return on_top(lambda x: L.Concatenate()([base(x), base(-x)]))


def several_inputs() -> keras.Model:
    """The inner model takes a dict and returns a list."""
    left, right = keras.Input((5,), name="left"), keras.Input((4,), name="right")
    h = L.Concatenate()([L.Dense(4, "relu", name="first")(left), right])
    base = keras.Model({"left": left, "right": right}, [h, L.Dense(2, "tanh")(h)], name="base")
    return on_top(lambda x: L.Concatenate()(base({"left": x, "right": x[:, :4]})))


def ends_in_model() -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Rescaling(0.5), make_sequential(last="softmax")])


def shared_across() -> keras.Model:
    """One layer is reached from the model and from the model inside it."""
    layer, inputs = L.Dense(5, "relu", name="first"), keras.Input((5,))
    base = keras.Model(inputs, L.Dense(5)(layer(inputs)), name="base")
    return on_top(lambda x: L.Add()([layer(x), base(x)]))


class Unregistered(keras.Layer):
    """A layer that Keras cannot find by its name."""

    def call(self, x: Any) -> Any:
        return 2.0 * x


def code_inside() -> keras.Model:
    layers = [L.Dense(5, "relu", name="first"), L.Lambda(lambda x: x + 1.0), Unregistered()]
    return on_top(keras.Sequential([keras.Input((5,)), *layers], name="base"))


def masked() -> keras.Model:
    """A mask leaves the inner model."""
    layers = [L.Embedding(7, 4, mask_zero=True, name="first"), L.Dense(4, "relu")]
    base = keras.Sequential([keras.Input((5,), dtype="int32"), *layers], name="base")
    inputs = keras.Input((5,), dtype="int32")
    return keras.Model(inputs, L.Dense(3, "softmax", name="head")(L.LSTM(4)(base(inputs))))


MODELS = [transfer, frozen, partly_frozen, two_deep, called_twice, several_inputs, ends_in_model, shared_across]
MODELS += [code_inside, masked]

QUICK = [(two_deep, True), (frozen, False), (partly_frozen, False), (shared_across, False), (ends_in_model, True)]
"""What runs by default; the rest is slow."""


def choose(makes: list[Any], quick: list[Any]) -> list[Any]:
    """Return each model with both choices."""
    pairs = [(make, expand_nested) for make in makes for expand_nested in (False, True)]
    return [pytest.param(*pair, marks=() if pair in quick else pytest.mark.slow) for pair in pairs]


def x_for(model: keras.Model) -> Any:
    random = np.random.default_rng(0)
    if "int" in str(model.inputs[0].dtype):
        return random.integers(0, 7, (12, 5)).astype(np.int32)
    return random.normal(size=(12, 5)).astype(np.float32)


def compile_as(model: keras.Model) -> None:
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)


def list_inside(model: keras.Model) -> list[keras.Layer]:
    return list_layers(model)[1:]


def frozen_layers(model: keras.Model) -> dict[str, bool]:
    return {layer.name: layer.trainable for layer in list_inside(model) if layer.weights}


def assert_same(one: Any, other: Any) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize(("make", "expand_nested"), choose(MODELS, QUICK))
def test_without_a_recipe_it_is_the_users_model(make: Callable[[], keras.Model], expand_nested: bool) -> None:
    model = make()
    attached, x = attach("none", model, expand_nested=expand_nested), x_for(model)
    assert {layer.name for layer in list_inside(model)} <= {layer.name for layer in list_inside(attached)}
    for _ in range(2):
        assert frozen_layers(attached) == frozen_layers(model)
        compile_as(model)
        compile_as(attached)
        for _ in range(2):
            assert_same([attached.train_on_batch(x, Y)], [model.train_on_batch(x, Y)])
        assert_same(attached.get_weights(), model.get_weights())
        assert_same(attached(x), model(x))
        for each in (model, attached):  # what was frozen is trained from here on
            list_inside(each)[0].trainable = True
            for name in ("base", "first"):
                find(each, name).trainable = True


def find(model: keras.Model, name: str) -> Any:
    return next((layer for layer in list_inside(model) if layer.name == name), model.layers[-1])


@pytest.mark.parametrize(
    ("make", "expand_nested"),
    choose([transfer, partly_frozen, two_deep, several_inputs, ends_in_model], [(partly_frozen, True)]),
)
def test_a_saved_model_is_loaded_as_it_was(make: Any, expand_nested: bool, tmp_path: Path) -> None:
    model = make()
    attached, x = attach("none", model, expand_nested=expand_nested), x_for(model)
    compile_as(attached)
    find(attached, "first").trainable = False  # after attach, so it is not in the user's model
    attached.train_on_batch(x, Y)
    attached.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert_same(loaded.get_weights(), attached.get_weights())
    assert_same(loaded(x), attached(x))
    assert frozen_layers(loaded) == frozen_layers(attached)
    assert_same(loaded.optimizer.variables, attached.optimizer.variables)
    assert_same([loaded.test_on_batch(x, Y)], [attached.test_on_batch(x, Y)])


def test_a_layer_of_two_models_cannot_be_saved_as_one(tmp_path: Path) -> None:
    shared_across().save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="not connected"):  # Keras itself cannot read it
        keras.models.load_model(tmp_path / "m.keras")
    with pytest.raises(InputError, match="cannot be saved: two models share the layer 'first'"):
        attach("none", shared_across()).save(tmp_path / "m.keras")


@pytest.mark.slow
def test_an_entered_model_is_loaded_in_a_new_process(tmp_path: Path) -> None:
    attached = attach("dropout(0.5) + batch_norm(0.9) + l2(0.1)", two_deep(), expand_nested=True)
    attached.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", x_for(attached))
    code = (
        "import sys, keras, numpy, regzoo; m = keras.models.load_model(sys.argv[1] + '/m.keras'); "
        "numpy.save(sys.argv[1] + '/y.npy', m.predict(numpy.load(sys.argv[1] + '/x.npy'), verbose=0)); "
        "assert m.hits == {'dropout': 4, 'batch_norm': 4, 'l2': 5}, m.hits"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert_same(np.load(tmp_path / "y.npy"), attached.predict(x_for(attached), verbose=0))


def test_a_recipe_acts_inside_an_entered_model() -> None:
    model = two_deep()
    attached = attach("dropout(1.0) + l2(0.1)", model, expand_nested=True)
    # Two nonlinearities and the tanh inside `inner`, one in `base`, none after the last layer; five kernels.
    assert attached.hits == {"dropout": 4, "l2": 5}
    middle = attached.get_layer("base")
    assert [layer.name for layer in middle.get_layer("inner").layers if "dropout" in layer.name] == ["own_dropout"]
    x = x_for(model)
    np.testing.assert_array_equal(attached(x), model(x))
    assert not np.any(attached.logits(x, training=True))  # every hidden unit is off, and biases start at 0
    assert [w.path.split("/")[-2:] for w in attached.weights] == [w.path.split("/")[-2:] for w in model.weights]


def test_a_model_that_is_called_twice_has_its_places_once() -> None:
    assert attach("dropout(0.5)", called_twice(), expand_nested=True).hits == {"dropout": 3}


def test_branches_are_found_inside_an_entered_model() -> None:
    assert attach("stochastic_depth(0.5)", on_top(make_base()), expand_nested=True).hits == {"stochastic_depth": 1}


@pytest.mark.slow
def test_the_initial_weights_and_streams_of_an_entered_model_are_restored() -> None:
    attached = attach("dropout(0.5) + batch_norm(0.9)", two_deep(), expand_nested=True)
    compile_as(attached)
    x, start = x_for(attached), attached.get_weights()
    first = attached.logits(x, training=True)
    attached.train_on_batch(x, Y)
    attached.reset(0)
    assert_same(attached.get_weights(), start)
    attached.reset(1)
    other = attached.logits(x, training=True)
    attached.reset(0)
    again = attached.logits(x, training=True)
    assert not np.allclose(other, again)
    attached.reset(0)
    np.testing.assert_array_equal(attached.logits(x, training=True), again)
    assert first.shape == again.shape


def test_a_frozen_base_in_inference_mode_stays_as_it_is() -> None:
    model = transfer()
    for recipe in ("l2(0.1)", "batch_norm(0.9)", "weight_noise(0.5)"):
        try:
            attached = attach(recipe, model, expand_nested=True)
        except InputError as error:
            assert "called with training=False are always left as they are: base" in str(error)  # noqa: PT017
            continue
        compile_as(attached)
        before = attached.get_layer("base").get_weights()
        attached.train_on_batch(x_for(model), Y)
        for one, other in zip(before, attached.get_layer("base").get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_refusal_names_the_way_in() -> None:
    with pytest.raises(
        InputError, match=r"dropout finds no place.*left as they are unless expand_nested=True: base, inner$"
    ):
        attach("dropout(0.5)", keras.Sequential([two_deep(), L.Dense(3, "softmax")]).layers[0])
    with pytest.raises(InputError, match=r"called with training=False are always left as they are: base$"):
        attach("dropout(0.5)", transfer(), expand_nested=True)
    wrapped = L.TimeDistributed(make_sequential(), name="steps")
    inputs = keras.Input((2, 5))
    model = keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(wrapped(inputs))))
    with pytest.raises(InputError, match=r"The inside of these layers is out of reach: steps \(TimeDistributed\)$"):
        attach("dropout(0.5)", model, expand_nested=True)


def test_on_names_layers_inside_an_entered_model() -> None:
    model = two_deep()
    for on, places in {"inner": 3, "base/inner/first": 1}.items():
        recipe = f"dropout(0.5, on='{on}')"
        assert list(attach(recipe, model, expand_nested=True).hits.values()) == [places]
    with pytest.raises(InputError, match="names no layer of the model"):
        attach("dropout(0.5, on='outer')", model, expand_nested=True)
