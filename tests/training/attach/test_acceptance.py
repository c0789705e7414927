"""Models that cannot take a recipe are refused with the way out; those that augment their inputs can take one."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.training.attach.acceptance import OWN_TRAINING
from regzoo.training.own_model.build import check_outputs
from regzoo.training.own_model.pack import pack
from regzoo.training.task import Task

LAYERS = keras.layers

AUGMENTATIONS = [
    LAYERS.RandomBrightness(0.2),
    LAYERS.RandomContrast(0.2),
    LAYERS.RandomCrop(8, 8),
    LAYERS.RandomFlip(),
    LAYERS.RandomRotation(0.2),
    LAYERS.RandomTranslation(0.2, 0.2),
    LAYERS.RandomZoom(0.2),
]


@pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=lambda layer: type(layer).__name__)
def test_a_model_that_augments_its_inputs_takes_a_recipe(augmentation: keras.Layer) -> None:
    """Its layers of augmentation train unless they are told not to, so the copy is checked at inference."""
    inputs = keras.Input((8, 8, 3))
    x = LAYERS.Dense(4, "relu")(LAYERS.Flatten()(augmentation(inputs)))
    model = keras.Model(inputs, LAYERS.Dense(2, "softmax")(x))
    attached = regzoo.attach("dropout(0.2)", model)
    images = np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")
    assert np.allclose(attached(images, training=False), model(images, training=False), atol=1e-6)


def make_model(kind: type[keras.Model] = keras.Model, **head: Any) -> keras.Model:
    inputs = keras.Input((4,))
    return kind(inputs, LAYERS.Dense(2, **{"activation": "softmax"} | head)(LAYERS.Dense(3, "relu")(inputs)))


@pytest.mark.parametrize("name", OWN_TRAINING)
def test_a_class_that_trains_in_its_own_way_is_refused(name: str) -> None:
    kind = type("Mine", (keras.Model,), {name: lambda *_, **__: None})
    with pytest.raises(InputError, match=f"Mine overrides {name}, which the copy with a recipe would not run"):
        regzoo.attach("none", make_model(kind))


def test_a_sequential_with_a_call_of_its_own_is_refused() -> None:
    class Twice(keras.Sequential):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return 2 * super().call(inputs, training=training, mask=mask)

    with pytest.raises(InputError, match="Twice is a subclass"):
        regzoo.attach("l2(0.1)", Twice([keras.Input((4,)), LAYERS.Dense(2)]))


def test_a_comparison_refuses_quantized_weights() -> None:
    model = make_model()
    model.layers[-1].quantize("int8")
    with pytest.raises(InputError, match="is quantized"):
        pack(model, "fresh")


def test_a_dict_of_outputs_is_refused_with_the_way_out() -> None:
    inputs = keras.Input((4,))
    with pytest.raises(
        InputError, match=r"a dict with 'a': choose one, keras.Model\(model.inputs, model.output\['a'\]"
    ):
        regzoo.attach("none", keras.Model(inputs, {"a": LAYERS.Dense(2)(inputs)}))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_a_comparison_refuses_outputs_of_another_precision(dtype: str) -> None:
    own = pack(make_model(dtype=dtype), "fresh")
    with pytest.raises(InputError, match=f"returns {dtype}, and a comparison trains in float32"):
        check_outputs(own, Task("classification", 2), standardized=True)


def test_a_comparison_refuses_a_state_that_lasts_from_batch_to_batch() -> None:
    inputs = keras.Input(batch_shape=(2, 3, 1))
    model = keras.Model(inputs, LAYERS.Dense(2, "softmax")(LAYERS.LSTM(2, stateful=True, name="memory")(inputs)))
    with pytest.raises(InputError, match=r"stateful layer \('memory'\)"):
        check_outputs(pack(model, "fresh"), Task("classification", 2), standardized=True)
