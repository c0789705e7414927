"""Dropout of residual branches: the shortcut stays whole, and each number draws for itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot, parse
from regzoo.regularizers import ResidualDropout

BACKBONES = {
    "transformer(width=4, depth=1, heads=2, hidden=6)": ((5,), 2),
    "mlp([6, 6, 6], residual=true)": ((5,), 2),
    "resnet([2, 3], blocks=1)": ((8, 8, 1), 2),
}


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at a branch with this seed."""
    return ResidualDropout(rate).layer(Slot("branch", 1, 2, 3, seed))


def test_each_number_draws_for_itself_and_has_mean_1() -> None:
    n, rate = 60_000, 0.3
    mask = np.array(layer(rate)(np.ones((n // 12, 4, 3), np.float32), training=True), np.float64)
    assert np.unique(mask) == pytest.approx([0, 1 / (1 - rate)], rel=1e-6)
    # Five standard errors of a share; whatever its place in the network, the rate is the same.
    assert (mask == 0).mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / n))
    assert all(0 < np.count_nonzero(mask, axis).min() < mask.shape[axis] for axis in (0,))
    assert len(np.unique(mask[:, :, 0] == mask[:, :, 1])) == 2  # channels differ, so do tokens
    assert len(np.unique(mask[:, 0] == mask[:, 1])) == 2
    np.testing.assert_array_equal(layer(rate)(np.ones((2, 4, 3), np.float32)), np.ones((2, 4, 3)))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_it_acts_at_every_branch_and_trains(backbone: str) -> None:
    shape, branches = BACKBONES[backbone]
    model = regzoo.build(backbone, "residual_dropout(0.2)", input_shape=shape, classes=3)
    assert model.hits == {"residual_dropout": branches}
    random = np.random.default_rng(0)
    x = random.normal(size=(24, *shape)).astype(np.float32)
    model.update(x, random.integers(0, 3, 24))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_at_rate_1_only_the_shortcuts_are_left(rows: Any) -> None:
    model = regzoo.build("mlp([6, 6, 6], residual=true)", "residual_dropout(1.0)", input_shape=(5,), classes=3)
    kernel, bias = model.get_layer("dense_0").get_weights()
    head, offset = model.get_layer("head").get_weights()
    wanted = np.maximum(rows[0] @ kernel + bias, 0) @ head + offset
    np.testing.assert_allclose(model.logits(rows[0], training=True), wanted, atol=5e-6)  # sums of 6 numbers near 1
    assert np.abs(model.logits(rows[0]) - wanted).max() > 1e-3


def test_it_shifts_the_variance_that_batch_norm_relies_on() -> None:
    for text in ("residual_dropout(0.1) + batch_norm(0.9)", "batch_norm(0.9) + residual_dropout(0.1)"):
        assert "residual_dropout shifts the variance" in parse(text).clashes()[0]


def test_without_branches_there_is_no_place() -> None:
    assert ResidualDropout(0.1).layer(Slot("activation", 0, 1, 3, 0)) is None
    with pytest.raises(InputError, match="residual_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4, 4])", "residual_dropout(0.1)", input_shape=(5,), classes=3)
