"""Classes and functions of the user's in an own model: found by module, whatever Keras leaves out of configs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import pytest

from regzoo.core import InputError
from regzoo.core.regularizer import Recipe
from regzoo.training.own_model.build import build_own_model
from regzoo.training.own_model.canonical import list_custom_classes, list_custom_functions
from regzoo.training.own_model.custom_classes import import_custom_classes, load_source
from regzoo.training.own_model.custom_functions import UNKNOWN, locate_functions
from regzoo.training.own_model.own_model import SCRIPT
from regzoo.training.own_model.pack import load, pack
from regzoo.training.task import Task


def swoosh(x: Any) -> Any:
    return x * keras.ops.sigmoid(x)


def draw(shape: Any, dtype: Any = None) -> Any:
    return keras.ops.ones(shape, dtype or "float32")


@keras.saving.register_keras_serializable("functions")
def registered(x: Any) -> Any:
    return keras.ops.tanh(x)


class Inner(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return 2 * x

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def build(**dense: Any) -> keras.Model:
    inputs = keras.Input((4, 2))
    x = keras.layers.TimeDistributed(Inner())(keras.layers.Dense(3, **dense)(inputs))
    return keras.Model(inputs, keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(x)))


@pytest.mark.parametrize(
    "dense",
    [
        {"activation": swoosh},
        {"activation": registered},
        {"kernel_initializer": draw},
        {"kernel_regularizer": swoosh},
        {"kernel_constraint": swoosh},
    ],
)
def test_an_unregistered_function_and_a_layer_in_a_wrapper_are_found_and_copied(dense: dict[str, Any]) -> None:
    own = pack(build(**dense), "fresh")
    assert {(__name__, "Inner"), *((__name__, each.__name__) for each in dense.values())} == set(own.classes)
    load(own)
    build_own_model(own, Recipe(), Task("classification", 2), 3)


def test_functions_of_keras_are_not_looked_for() -> None:
    model = build(activation="relu", kernel_initializer="he_normal", kernel_constraint="non_neg")
    config = keras.saving.serialize_keras_object(model)
    assert list_custom_functions(config) == []
    assert list_custom_classes(config) == [(__name__, "Inner")]


def test_a_class_of_the_script_is_found_though_keras_writes_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inner, "__module__", SCRIPT)
    assert list_custom_classes(keras.saving.serialize_keras_object(build())) == [(SCRIPT, "Inner")]


def test_a_function_that_only_its_name_is_known_of_is_searched_where_the_classes_are() -> None:
    assert locate_functions(["nowhere"], build()) == [(UNKNOWN, "nowhere")]
    found = import_custom_classes([(__name__, "Inner"), (UNKNOWN, "swoosh")])
    assert found["swoosh"] is swoosh
    with pytest.raises(InputError, match="needs custom classes that cannot be imported here: lost "):
        import_custom_classes([(UNKNOWN, "lost")])


def test_what_a_source_prints_stays_off_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    load_source("print('noise of the own file')", "models.py")
    assert capfd.readouterr().out == ""


def test_a_source_that_imports_its_neighbor_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("UNITS = 3")
    assert "beside_it" not in sys.modules
    with pytest.raises(InputError, match=r"No module named 'beside_it' \(line 1\); a comparison keeps this one file"):
        load_source("import beside_it", str(tmp_path / "models.py"))
    with pytest.raises(InputError, match=r"No module named 'not_beside_it' \(line 1\)$"):
        load_source("import not_beside_it", str(tmp_path / "models.py"))
