"""Noise on activations: its moments, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import Slot
from regzoo.regularizers import ActivationNoise


def layer(stddev: float, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return ActivationNoise(stddev).layer(Slot("activation", 0, 1, 2, seed))


@pytest.mark.parametrize("stddev", [0.1, 2.0])
def test_it_has_mean_0_and_its_standard_deviation(stddev: float) -> None:
    drawn = np.array(layer(stddev)(np.full((500, 400), 3.0, np.float32), training=True), np.float64) - 3
    # Standard errors over n normal draws: sd / sqrt n of the mean, sd / sqrt(2 n) of the standard deviation. Sums
    # with 3 are rounded to float32: 1.2e-7 each, far less on average.
    assert drawn.mean() == pytest.approx(0, abs=5 * stddev / math.sqrt(drawn.size))
    assert drawn.std() == pytest.approx(stddev, abs=5 * stddev / math.sqrt(2 * drawn.size))


def test_it_acts_after_every_activation_only() -> None:
    model = regzoo.build("cnn([2], dense=3)", "activation_noise(0.1)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"activation_noise": 2}
    assert ActivationNoise(0.1).layer(Slot("preactivation", 0, 1, 2, 0)) is None
