"""Alpha dropout: mean and variance that it keeps, its two levels, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Slot
from regzoo.core.parsing import read_backbone
from regzoo.regularizers import AlphaDropout


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return AlphaDropout(rate).layer(Slot("activation", 0, 1, 2, seed))


def some(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.6])
def test_mean_0_and_variance_1_are_kept(rate: float) -> None:
    # Not only for normal inputs: SELU's own outputs, standardized, are skewed.
    h = np.array(keras.activations.selu(some(500, 400)), np.float64)
    h = (h - h.mean()) / h.std()
    out = np.array(layer(rate)(h.astype(np.float32), training=True), np.float64)
    # Given inputs of mean 0 and variance 1, both are exact over masks. Five standard errors of a mean and of a sample
    # variance over n draws, by the outputs' own moments; the mean's error squared is far below either.
    n, fourth = out.size, ((out - out.mean()) ** 4).mean()
    assert out.mean() == pytest.approx(0, abs=5 * out.std() / math.sqrt(n))
    assert out.var() == pytest.approx(1, abs=5 * math.sqrt((fourth - out.var() ** 2) / n))


def test_what_is_dropped_sits_at_selus_limit() -> None:
    rate = 0.5
    limit = float(keras.activations.selu(np.float32(-100.0)))
    a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    out = np.array(layer(rate)(np.full((50, 20), 0.3, np.float32), training=True))
    levels = [a * limit * (1 - rate), a * (0.3 - limit * rate)]
    assert np.unique(out) == pytest.approx(levels, rel=1e-6)


def test_it_acts_after_every_activation() -> None:
    model = regzoo.build("mlp([4, 4], activation=selu)", "alpha_dropout(0.1)", input_shape=(5,), classes=3)
    assert model.hits == {"alpha_dropout": 2}
    assert AlphaDropout(0.5).layer(Slot("input", 0, 1, 2, 0)) is None


@pytest.mark.parametrize(
    ("backbone", "doubtful"), [("mlp", True), ("transformer", True), ("mlp([8], activation=selu)", False)]
)
def test_another_nonlinearity_than_selu_is_called_doubtful(backbone: str, doubtful: bool) -> None:
    clashes = regzoo.parse("alpha_dropout(0.1)").clashes(read_backbone(backbone))
    assert clashes == (
        ["alpha_dropout keeps the mean and variance of selu alone: give the backbone activation=selu, or use dropout"]
        if doubtful
        else []
    )
