"""The dtype policy: models are built in Keras's own, and a file loads in the one in which it was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

import regzoo
from regzoo.core import EnvironmentFailure
from regzoo.execution.keras_settings import require_keras_settings

L = keras.layers
RECIPE = "dropout(0.2) + l2(0.001)"
POLICIES = ["mixed_bfloat16", "mixed_float16", "float64"]


def build() -> keras.Model:
    return regzoo.build("mlp([4])", RECIPE, (5,), classes=3)


def attach() -> keras.Model:
    model = keras.Sequential([keras.Input((5,)), L.Dense(4, "relu"), L.Dense(3, "softmax")])
    return regzoo.attach(RECIPE, model)


def list_policies(model: keras.Model) -> list[str]:
    """Return the policies of the layers that compute."""
    return [layer.dtype_policy.name for layer in model.layers if not isinstance(layer, L.InputLayer)]


@pytest.mark.parametrize(
    "policy", [POLICIES[0], *(pytest.param(p, marks=pytest.mark.slow) for p in POLICIES[1:])], indirect=True
)
def test_build_and_hypermodel_follow_the_policy(policy: str) -> None:
    hypermodel = regzoo.hypermodel("mlp([4])", "dropout + l2", (5,), classes=3)
    for model in (build(), hypermodel.build(keras_tuner.HyperParameters())):
        assert set(list_policies(model)) == {policy}
        weights = model.get_weights()
        loss = model.train_on_batch(np.ones((8, 5)), np.arange(8) % 3)[0]
        assert np.isfinite(loss)
        assert any((now != then).any() for now, then in zip(model.get_weights(), weights, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("make", [build, attach])
@pytest.mark.parametrize("saved", ["float32", "mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"], indirect=True)
def test_a_file_loads_in_its_own_precision(policy: str, saved: str, make: Any, tmp_path: Path) -> None:
    keras.config.set_dtype_policy(saved)
    model = make()
    model.save(tmp_path / "m.keras")
    keras.config.set_dtype_policy(policy)
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert list_policies(loaded) == list_policies(model)
    assert keras.config.dtype_policy().name == policy
    x = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"], indirect=True)
def test_a_comparison_refuses_another_precision_by_name(policy: str) -> None:
    """With and without workers, which would know nothing of the policy."""
    rows = np.random.default_rng(0).normal(size=(30, 5)), np.arange(30) % 3
    for workers in (0, 1):
        with pytest.raises(EnvironmentFailure, match=r"keras\.config\.(dtype_policy|floatx)\(\) is '(mixed|float64)"):
            regzoo.compare(*rows, backbone="mlp([4])", recipes=["none"], workers=workers)


def test_any_precision_is_still_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(EnvironmentFailure, match="KERAS_BACKEND is 'jax'"):
        require_keras_settings(any_precision=True)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    before = keras.config.epsilon()
    keras.config.set_epsilon(1e-3)
    try:
        with pytest.raises(EnvironmentFailure, match=r"keras\.config\.epsilon\(\) is 0\.001"):
            require_keras_settings(any_precision=True)
    finally:
        keras.config.set_epsilon(before)
