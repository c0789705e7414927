"""What a user's own model takes: names, shapes and dtypes as Keras has them."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.data.inputs import InputSpec
from regzoo.training.attach.inputs import name_inputs, read_input_specs


def _concatenate(*inputs: Any) -> Any:
    return keras.layers.Concatenate()([keras.layers.Flatten()(keras.ops.cast(each, "float32")) for each in inputs])


def test_inputs_have_the_names_shapes_and_dtypes_that_the_model_was_made_with() -> None:
    b = keras.Input((3,), name="b")
    a = keras.Input((None,), dtype="int64", name="a")
    word = keras.Input((), dtype="string", name="word")
    tokens = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(9, 2)(a))
    letters = keras.layers.StringLookup(vocabulary=["x"], output_mode="one_hot")(word)
    model = keras.Model([b, a, word], _concatenate(b, tokens, letters))
    specs = read_input_specs(model)
    assert specs == (InputSpec("b", (3,), "float32"), InputSpec("a", (None,), "int64"), InputSpec("word", (), "string"))
    assert [spec.kind for spec in specs] == ["float", "integer", "text"]
    assert tuple(InputSpec.from_json(json.loads(json.dumps(spec.to_json()))) for spec in specs) == specs
    x = {"word": np.array(["x"], object), "a": np.array([[1, 2]]), "b": np.ones((1, 3))}
    reordered = {name: keras.ops.convert_to_tensor(x[name]) for name in ("a", "b", "word")}
    assert np.array_equal(model(reordered), model([reordered[spec.name] for spec in specs]))


def test_a_dict_of_inputs_names_them_by_its_keys() -> None:
    left, right = keras.Input((1,), name="l"), keras.Input((1,), name="r")
    with pytest.warns(UserWarning, match="must match the names"):
        model = keras.Model({"right": right, "left": left}, _concatenate(left, right))
    assert [spec.name for spec in read_input_specs(model)] == ["right", "left"]


def test_a_single_input_without_a_name_has_the_same_name_in_every_process() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert read_input_specs(model) == (InputSpec("inputs", (4,), "float32"),)


@pytest.mark.parametrize("first", [[], [keras.Input((5,))]], ids=["built by its layer", "keras.Input"])
def test_what_only_an_embedding_reads_takes_whole_numbers(first: list[Any]) -> None:
    """Keras makes the input of floats, and the layer reads whole numbers from it."""
    model = keras.Sequential([*first, keras.layers.Embedding(9, 2, mask_zero=True), keras.layers.LSTM(2)])
    model.build((None, 5))
    assert read_input_specs(model) == (InputSpec("inputs", (5,), "int32"),)
    words = keras.Input((5,), name="words")
    assert read_input_specs(keras.Model(words, model(words)))[0].dtype == "int32"
    assert read_input_specs(keras.Model(words, _concatenate(model(words), words)))[0].dtype == "float32"


def test_several_inputs_without_names_have_the_same_names_in_every_process() -> None:
    a, b, c = keras.Input((1,)), keras.Input((2,), name="input_1"), keras.Input((3,))
    model = name_inputs(keras.Model([a, b, c], _concatenate(a, b, c)))
    assert [spec.name for spec in read_input_specs(model)] == ["input_2", "input_1", "input_3"]
    x = {spec.name: np.full((1, size), size) for size, spec in enumerate(read_input_specs(model), 1)}
    assert np.array_equal(model(x), model(list(x.values())))


def test_a_model_without_known_inputs_is_refused() -> None:
    with pytest.raises(InputError, match="not built"):
        read_input_specs(keras.Sequential([keras.layers.Dense(2)]))
    a, b, c = (keras.Input((1,), name=name) for name in "abc")
    with pytest.raises(InputError, match="nested structure"):
        read_input_specs(keras.Model({"pair": [a, b], "c": c}, _concatenate(a, b, c)))
