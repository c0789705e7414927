"""Every draw of a batch regularizer comes from its own stream, and at its neutral strength no draw changes anything."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import OnBatch, regularizers
from regzoo.core.cells import Cells
from regzoo.testing import fix_strengths

BATCH = [name for name, kind in sorted(regularizers().items()) if issubclass(kind, OnBatch)]
DRAWING = ("uniform", "normal", "truncated_normal", "randint", "shuffle", "gamma", "beta", "binomial", "categorical")

CELLS = Cells.from_sizes([(1, 0), (0, 2), (0, 2)])
"""A number and two categories."""

Y = np.eye(3, dtype=np.float32)[np.arange(6) % 3]


def draw_inputs(name: str) -> np.ndarray:
    """Return six images, or six rows for what images have no place for."""
    rows = "rows" in regularizers()[name].requires
    return np.random.default_rng(0).normal(size=(6, 5) if rows else (6, 8, 8, 1)).astype(np.float32)


@pytest.mark.parametrize("name", BATCH)
def test_it_draws_from_the_given_stream_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, seeds = keras.random.SeedGenerator(1), []
    for function in DRAWING:
        draw = getattr(keras.random, function)

        def spy(*args: Any, draw: Any = draw, seed: Any = None, **kwargs: Any) -> Any:
            seeds.append(seed)
            return draw(*args, seed=seed, **kwargs)

        monkeypatch.setattr(keras.random, function, spy)
    regularizer: Any = fix_strengths(regularizers()[name]())
    regularizer.batch(draw_inputs(name), Y, given)
    if "cells" in inspect.signature(regularizer.batch).parameters:
        regularizer.batch(np.eye(5, dtype=np.float32)[[0, 1, 2, 3, 4, 2]], Y, given, cells=CELLS)
    assert all(seed is given for seed in seeds)
    assert seeds or name in ("label_smoothing",)


@pytest.mark.parametrize("name", BATCH)
def test_at_its_neutral_strength_the_smallest_draw_changes_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uniform draw is 0 once in 2^23, and a mask that asks whether it is at most the rate would then act."""

    def draw_smallest(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        return keras.ops.full(shape, minval, dtype or "float32")

    monkeypatch.setattr(keras.random, "uniform", draw_smallest)
    neutral: Any = fix_strengths(regularizers()[name]()).neutral()
    x = draw_inputs(name)
    changed, targets = neutral.batch(x, Y, keras.random.SeedGenerator(1))
    assert np.array_equal(changed, x)
    assert np.array_equal(targets, Y)
    if "cells" in inspect.signature(neutral.batch).parameters:
        x = np.eye(5, dtype=np.float32)[[0, 1, 2, 3, 4, 2]]
        assert np.array_equal(neutral.batch(x, Y, keras.random.SeedGenerator(1), cells=CELLS)[0], x)


@pytest.mark.parametrize("name", ["cutmix", "mixup_or_cutmix"])
def test_at_rate_0_the_smallest_draw_of_the_rate_changes_no_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is drawn after it."""
    drawn = iter([0.0])
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: keras.ops.full(shape, next(drawn, 0.7)))
    x = draw_inputs(name)
    regularizer: Any = regularizers()[name]()
    changed, targets = regularizer.neutral().batch(x, Y, keras.random.SeedGenerator(1))
    assert np.array_equal(changed, x)
    assert np.array_equal(targets, Y)
