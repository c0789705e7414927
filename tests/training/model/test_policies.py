"""Every regularizer trains in mixed precision and in float64 as in float32."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from regzoo.core import AfterTraining, InputError, backbones, parse, regularizers
from regzoo.testing.harness import fix_strengths, get_input_shape, shrink_backbone
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.task import Task

pytestmark = pytest.mark.slow

PARTNERS = {"mc_dropout": "dropout(0.1) + ", "r_drop": "dropout(0.1) + "}
NAMES = [name for name, kind in regularizers().items() if not issubclass(kind, AfterTraining) or name in PARTNERS]


def build(name: str) -> RegularizedModel:
    """Return a model of the first backbone that has a place for the regularizer."""
    recipe = parse(PARTNERS.get(name, "") + str(fix_strengths(regularizers()[name]())))
    for backbone in ("mlp", *backbones()):
        shape = get_input_shape(backbone)
        try:
            model = build_model(shrink_backbone(backbone), recipe, Task("classification", 3), shape)
        except InputError:
            continue
        model.compile(keras.optimizers.SGD(0.05))
        return model
    raise AssertionError(f"no backbone has a place for {recipe}")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64", "float64 alone"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name: str, policy: str) -> None:
    model, random = build(name), np.random.default_rng(0)
    x, y = random.normal(size=(32, *model.input_shape[1:])), random.integers(0, 3, 32)
    floatx = keras.config.floatx()
    before = [np.array(weight, np.float64) for weight in model.get_weights()]
    history = model.fit(x, y, epochs=2, batch_size=16, validation_data=(x, y), verbose=0).history
    assert np.isfinite(history["loss"] + history["val_loss"]).all()
    assert any((now != then).any() for now, then in zip(model.get_weights(), before, strict=True))
    predicted = model.finished().predict(x, verbose=0)
    assert np.isfinite(np.asarray(predicted, np.float64)).all()
    assert {str(weight.dtype) for weight in model.weights} == {"float64" if "float64" in policy else "float32"}
    assert keras.config.floatx() == floatx


@pytest.mark.parametrize("policy", ["float32 in float64"], indirect=True)
@pytest.mark.parametrize("name", ["batch_norm", "dropout", "ema", "focal", "jacobian", "mixup", "sam"])
def test_it_trains_where_floatx_is_another(name: str, policy: str) -> None:
    model = build(name)
    x, y = np.random.default_rng(0).normal(size=(32, *model.input_shape[1:])), np.arange(32) % 3
    assert np.isfinite(model.fit(x, y, epochs=1, verbose=0).history["loss"]).all()
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}
