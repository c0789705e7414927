"""Unit norm: stock Keras's constraint, on kernels of any rank."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import UnitNorm


def scaled(w: np.ndarray) -> np.ndarray:
    """Return a kernel after the projection."""
    return np.array(UnitNorm().rule(Weight("dense/kernel", w.shape)).project(w))


@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 2, 5), (4, 2, 3)])
def test_it_equals_kerass_constraint(shape: tuple[int, ...]) -> None:
    w = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    axes = tuple(range(len(shape) - 1))
    np.testing.assert_array_equal(scaled(w), keras.constraints.UnitNorm(axis=axes)(w))
    assert np.sqrt((scaled(w) ** 2).sum(axes)) == pytest.approx(1, abs=1e-6)


def test_by_hand() -> None:
    projected = scaled(np.array([[3.0, 0.0], [4.0, 0.0]], np.float32))
    assert projected[:, 0] == pytest.approx([0.6, 0.8], rel=1e-6)
    assert not np.any(projected[:, 1])


def test_fit_ends_with_units_of_length_1(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "unit_norm", input_shape=(5,), classes=3)
    start = model.get_layer("dense_0").get_weights()[0]
    assert np.linalg.norm(start, axis=0) != pytest.approx(1, abs=0.01)  # the first step does it, not the start
    model.fit(*rows, epochs=1, verbose=0)
    for layer in ("dense_0", "head"):
        assert np.linalg.norm(model.get_layer(layer).get_weights()[0], axis=0) == pytest.approx(1, abs=1e-6)
    assert model.hits == {"unit_norm": 2}
    assert model.dials == {}


def test_it_has_no_strength() -> None:
    assert UnitNorm().strengths() == {}
    assert UnitNorm().neutral() is None
    assert regzoo.parse("unit_norm").regularizers == (UnitNorm(),)
