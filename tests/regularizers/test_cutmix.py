"""CutMix: boxes and columns from one partner, label weights equal to the fractions, frequency, the baseline."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.regularizers import Cutmix

N = 400


def cut(rate: float, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's original example, (batch, ...), and each example's weight in the targets (batch, batch)."""
    x = np.broadcast_to(np.arange(N, dtype=np.float32).reshape(-1, *[1] * len(shape)), (N, *shape))
    x, y = Cutmix(rate).batch(x, np.eye(N, dtype=np.float32), keras.random.SeedGenerator(seed))
    return np.array(x), np.array(y)


@pytest.mark.parametrize("shape", [(8, 6, 3), (11,), (5, 2)], ids=["images", "rows", "sequences"])
def test_targets_are_mixed_by_the_shares_of_the_inputs(shape: tuple[int, ...]) -> None:
    x, y = cut(1.0, shape)
    cells = x.reshape(N, -1).astype(int)
    shares = np.stack([np.bincount(row, minlength=N) / len(row) for row in cells])
    np.testing.assert_allclose(y, shares, atol=1e-6)
    assert ((shares > 0).sum(1) <= 2).all()  # itself and one partner
    foreign = shares - np.diag(np.diag(shares))
    assert ((foreign > 0).sum(0) <= 1).all()  # partners are a permutation
    assert len(np.unique(np.diag(shares))) > 5


def test_in_images_the_part_is_a_box_in_all_channels() -> None:
    x, _ = cut(1.0, (8, 6, 3))
    foreign = x != np.arange(N).reshape(-1, 1, 1, 1)
    assert (foreign == foreign[..., :1]).all()
    box = foreign[..., 0]
    rows, columns = box.any(2), box.any(1)
    assert np.array_equal(box, rows[:, :, None] & columns[:, None, :])
    for side in (rows, columns):
        assert (np.diff(side.astype(int), axis=1, prepend=0) == 1).sum(1).max() == 1


def test_of_rows_half_is_cut_on_average() -> None:
    kept = np.concatenate([np.diag(cut(1.0, (10,), seed)[1]) for seed in range(20)])
    # The share kept is U(0, 1), rounded at random to tenths; now and then (1 in 400) the partner is itself. A number
    # in [0, 1] has a standard deviation of at most 1/2.
    n = kept.size
    assert kept.mean() == pytest.approx(0.5 + 0.5 / N, abs=5 * 0.5 / math.sqrt(n))


def test_of_images_a_box_of_uniform_area_is_cut() -> None:
    side, n = 12, 20 * N
    cut_off = np.concatenate([1.0 - np.diag(cut(1.0, (side, side, 1), seed)[1]) for seed in range(20)])
    expected = integrate_area(side, lambda u: u)  # by u itself, the quantile of U(0, 1)
    # 1 example in 400 is its own partner. Beta(2, 1), with the quantile sqrt(u), would cut far more, Beta(1, 2) less.
    tolerance = 5 * float(cut_off.std()) / math.sqrt(n) + 1 / N
    assert cut_off.mean() == pytest.approx(expected, abs=tolerance)
    assert integrate_area(side, math.sqrt) - expected > 3 * tolerance
    assert integrate_area(side, lambda u: u * u) - expected < -3 * tolerance
    # Less than a quarter is cut if the box is that small, or clipped: more often than not with U(0, 1), for
    # P(area < 1/4) = 1/4 before clipping, with Beta(2, 1) 1/16.
    assert 0.25 < (cut_off < 0.25).mean() < 0.6


def integrate_area(side: int, quantile: Callable[[float], float]) -> float:
    """Return the mean fraction that a clipped box covers of a square, by the midpoint rule over its area's law."""

    def covered(share: float) -> float:
        """Return the mean fraction of a side that an interval of ``share`` covers, rounded at random, clipped."""
        low = math.floor(share * side)
        total = 0.0
        for count, weight in ((low, low + 1 - share * side), (low + 1, share * side - low)):
            for place in range(side):
                start = place - count // 2
                total += weight * (min(side, start + count) - max(0, start)) / side
        return total / side

    points = 2000
    return sum(covered(math.sqrt(quantile((i + 0.5) / points))) ** 2 for i in range(points)) / points


def test_rate_is_how_often_an_example_is_cut() -> None:
    full, some = (np.concatenate([np.diag(cut(rate, (40,), s)[1]) < 1 for s in range(10)]) for rate in (1.0, 0.3))
    # At rate 1 a cut of no column is left out of both counts.
    n = some.size
    share = full.mean()
    assert some.mean() == pytest.approx(0.3 * share, abs=5 * math.sqrt(0.21 / n) + 5 * 0.3 * math.sqrt(0.05 / n))


@pytest.mark.parametrize("shape", [(8, 8, 1), (7,)])
def test_rate_0_changes_no_bit(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(500, *shape)).astype(np.float32), random.normal(size=(500, 3)).astype(np.float32)
    after = Cutmix(0.0).batch(x, y, keras.random.SeedGenerator(0))
    assert np.array_equal(after[0], x)
    assert np.array_equal(after[1], y)


def test_the_seed_decides() -> None:
    assert np.array_equal(cut(1.0, (6,), seed=1)[0], cut(1.0, (6,), seed=1)[0])
    assert not np.array_equal(cut(1.0, (6,), seed=1)[0], cut(1.0, (6,), seed=2)[0])


def test_it_trains_on_images_and_on_numbers(images: Any, numbers: Any) -> None:
    pictures = regzoo.build("cnn([2], dense=3)", "cutmix(1.0)", input_shape=(8, 8, 1), classes=3)
    pictures.fit(*images, verbose=0)
    x, y = numbers
    lines = regzoo.build("mlp([4])", "cutmix(1.0)", input_shape=(5,), outputs=1)
    lines.fit(x, ((y - y.mean()) / y.std()).astype(np.float32), verbose=0)
    assert all(np.isfinite(weight).all() for model in (pictures, lines) for weight in model.get_weights())
