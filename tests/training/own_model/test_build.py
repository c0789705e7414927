"""The user's own model is checked before it is built: names of layers, as Keras itself takes them."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.core._keras_compat import closing_name_scopes
from regzoo.training.own_model.build import check_outputs
from regzoo.training.own_model.pack import pack
from regzoo.training.task import Task

NAMES = ["my layer", "a:b", "x\\y", "é", "$x", "x,y", "a(b)", " lead", "1x", "_x", "-x", "x.y", "a>b"]


def _at_top(name: str) -> keras.Model:
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name=name), keras.layers.Dense(3, "softmax")])


def _in_a_model(name: str) -> keras.Model:
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2, name=name)])
    return keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(3, "softmax")])


def _as_a_model(name: str) -> keras.Model:
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)], name=name)
    return keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(3, "softmax")])


def _in_a_wrapper(name: str) -> keras.Model:
    steps = keras.layers.TimeDistributed(keras.layers.Dense(2, name=name), name="wrapper")
    layers = [keras.layers.Reshape((5, 1)), steps, keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    return keras.Sequential([keras.Input((5,)), *layers])


def _as_input(name: str) -> keras.Model:
    return keras.Sequential([keras.Input((5,), name=name), keras.layers.Dense(3, "softmax")])


def test_of_inputs_and_layers_with_blanks_the_layer_is_named() -> None:
    inputs = {name: keras.Input((2,), name=name) for name in ("sepal length", "sepal width")}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="the end")(joined))
    with pytest.raises(InputError, match=r"a layer named 'the end', .* \(name='the_end'\)"):
        check_outputs(pack(model, "fresh"), Task("classification", 3), standardized=True)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(joined))
    check_outputs(pack(model, "fresh"), Task("classification", 3), standardized=True)


@pytest.mark.slow
@pytest.mark.parametrize("build", [_at_top, _in_a_model, _as_a_model, _in_a_wrapper, _as_input])
def test_the_names_that_keras_can_fit_are_taken_and_no_others(build: Callable[[str], keras.Model]) -> None:
    """Expected: what Keras's own ``fit`` does."""
    x, y = np.zeros((4, 5), np.float32), np.arange(4) % 3
    for name in NAMES:
        model = build(name)
        model.compile("sgd", "sparse_categorical_crossentropy")
        try:
            with closing_name_scopes():  # Keras leaves them open
                model.fit(x, y, verbose=0)
        except ValueError:
            with pytest.raises(InputError, match="which TensorFlow does not take as a name"):
                check_outputs(pack(build(name), "fresh"), Task("classification", 3), standardized=True)
        else:
            check_outputs(pack(build(name), "fresh"), Task("classification", 3), standardized=True)
