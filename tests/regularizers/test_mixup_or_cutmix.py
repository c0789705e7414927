"""The switch between mixup and CutMix: targets are mixed as the inputs, frequencies, both ends, row weights."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import regzoo
from regzoo.core import InputError
from regzoo.core.cells import Cells
from regzoo.regularizers import MixupOrCutmix

N = 400


def mix(regularizer: MixupOrCutmix, shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each example in each cell (batch, cells, batch), and in the targets (batch, batch)."""
    one = np.eye(N, dtype=np.float32)
    x = np.broadcast_to(one.reshape(N, *[1] * (len(shape) - 1), N), (N, *shape[:-1], N))  # examples as channels
    x, y = regularizer.batch(np.ascontiguousarray(x), one, keras.random.SeedGenerator(seed))
    return np.array(x).reshape(N, -1, N), np.array(y)


def mix_rows(regularizer: MixupOrCutmix, columns: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of their own numbers after the augmentation, and the weight of each example in the targets."""
    x = np.broadcast_to(np.arange(N, dtype=np.float32)[:, None], (N, columns))
    x, y = regularizer.batch(np.ascontiguousarray(x), np.eye(N, dtype=np.float32), keras.random.SeedGenerator(seed))
    return np.array(x), np.array(y)


def test_in_images_targets_are_mixed_by_the_shares_of_the_inputs() -> None:
    cells, y = mix(MixupOrCutmix(1.0), (6, 5, 1))
    np.testing.assert_allclose(cells.mean(1), y, atol=1e-5)
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-5)
    assert ((y > 0).sum(1) <= 2).all()
    assert ((y - np.diag(np.diag(y)) > 0).sum(0) <= 1).all()  # partners are a permutation
    own = cells[np.arange(N), :, np.arange(N)]  # (batch, cells): the example's share of its cells
    blended = ((own > 0) & (own < 1)).any(1)
    boxed = (own == 0).any(1)
    assert not (blended & boxed).any()  # one of the two, never both
    assert blended.any()
    assert boxed.any()
    assert np.ptp(own[blended], axis=1).max() == 0  # mixup: the same share in every cell
    for inside in (own[boxed] == 0).reshape(-1, 6, 5):  # cutmix: one box
        rows, columns = inside.any(1), inside.any(0)
        assert np.array_equal(inside, rows[:, None] & columns[None, :])


def test_rate_and_switch_are_how_often() -> None:
    mixed = [mix_rows(MixupOrCutmix(0.6, switch=0.3), 40, seed) for seed in range(20)]
    found = [np.diag(y) for _, y in mixed]
    cut = [((x != x[:, :1]).any(1) | (x != np.arange(N)[:, None]).all(1) & (x == x.round()).all(1)) for x, _ in mixed]
    n = 20 * N
    changed = (np.concatenate(found) < 1).mean()
    # A cut of no column (U(0, 1) of 40 columns, rounded at random: 1/80) and a partner that is itself (1/400) count as
    # unchanged, and so does a mixture whose share rounds to 1: alpha 0.8 makes hardly any.
    lost = 0.6 * (0.3 / 80 + 1 / N)
    assert changed == pytest.approx(0.6 - lost, abs=5 * math.sqrt(0.24 / n) + 1e-3)
    # Cut wholly (1/80 of them) or not at all is not seen as a cut, or seen as a swapped row.
    assert np.concatenate(cut).mean() == pytest.approx(
        0.18, abs=5 * math.sqrt(0.18 * 0.82 / n) + 0.18 * (1 / 80 + 3 / N)
    )


def test_switch_0_is_mixup_and_switch_1_is_cutmix() -> None:
    x, y = mix_rows(MixupOrCutmix(1.0, switch=1.0))
    assert np.array_equal(x, x.round())  # cells are copied
    shares = np.stack([(row == np.arange(N)[:, None]).mean(1) for row in x])
    np.testing.assert_allclose(shares, y, atol=1e-5)
    weights = np.concatenate([np.diag(mix_rows(MixupOrCutmix(1.0, 0.5, 0.0), 3, seed)[1]) for seed in range(10)])
    law = stats.beta(0.5, 0.5)
    own = weights[weights < 1]  # its own partner now and then
    distance = stats.kstest(own, lambda s: law.cdf(s) - law.cdf(1 - s)).statistic
    # Kolmogorov: P(D > d) <= 2 exp(-2 n d^2) = 5.7e-7, and 1/400 of the draws left out.
    assert distance < math.sqrt(math.log(2 / 5.7e-7) / (2 * own.size)) + 1 / N


@pytest.mark.parametrize("shape", [(8, 8, 1), (7,), (5, 2)])
def test_rate_0_changes_no_bit(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(500, *shape)).astype(np.float32), random.normal(size=(500, 3)).astype(np.float32)
    after = MixupOrCutmix(0.0).batch(x, y, keras.random.SeedGenerator(0))
    assert np.array_equal(after[0], x)
    assert np.array_equal(after[1], y)


def test_the_seed_decides() -> None:
    regularizer = MixupOrCutmix(1.0)
    assert np.array_equal(mix_rows(regularizer, seed=1)[0], mix_rows(regularizer, seed=1)[0])
    assert not np.array_equal(mix_rows(regularizer, seed=1)[0], mix_rows(regularizer, seed=2)[0])


def test_clashes() -> None:
    assert regzoo.parse("mixup_or_cutmix").clashes() == []
    assert regzoo.parse("trivial_augment + mixup_or_cutmix + random_erasing").clashes() == []
    for other in ("mixup", "cutmix", "cutout", "adversarial"):
        for recipe in (f"mixup_or_cutmix + {other}", f"{other} + mixup_or_cutmix"):
            (sentence,) = regzoo.parse(recipe).clashes()
            assert "alter the same inputs" in sentence
    for recipe in ("label_smoothing + mixup_or_cutmix", "mixup_or_cutmix + label_smoothing"):
        (sentence,) = regzoo.parse(recipe).clashes()
        assert "soften the labels twice" in sentence


def test_it_has_nothing_to_mix_where_the_inputs_are_the_targets() -> None:
    with pytest.raises(InputError, match="mixup_or_cutmix needs targets"):
        regzoo.build("autoencoder([4])", "mixup_or_cutmix(1.0)", input_shape=(8, 8, 1), task="reconstruction")


def test_a_row_of_weight_0_teaches_nothing(rows: Any) -> None:
    """A label of such a row may be anything: the mixed targets leave it out."""
    x, y = rows
    weight = (np.arange(len(x)) % 3 > 0).astype(np.float32)
    trained = []
    for labels in (y, np.where(weight > 0, y, (y + 1) % 3)):
        model = regzoo.build("mlp([4])", "mixup_or_cutmix(1.0)", input_shape=(5,), classes=3, seed=1)
        model.fit(x, labels, sample_weight=weight, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    assert all(map(np.array_equal, *trained))


def test_it_trains_on_images_and_on_numbers(images: Any, numbers: Any) -> None:
    pictures = regzoo.build("cnn([2], dense=3)", "mixup_or_cutmix(1.0)", input_shape=(8, 8, 1), classes=3)
    pictures.fit(*images, verbose=0)
    x, y = numbers
    lines = regzoo.build("mlp([4])", "mixup_or_cutmix(1.0)", input_shape=(5,), outputs=1)
    lines.fit(x, ((y - y.mean()) / y.std()).astype(np.float32), verbose=0)
    assert all(np.isfinite(weight).all() for model in (pictures, lines) for weight in model.get_weights())


def test_a_category_stays_one_and_counts_as_one_cell() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(size=(N, 1)), np.eye(3)[random.integers(0, 3, N)]], 1).astype(np.float32)
    one, cells = np.eye(N, dtype=np.float32), Cells.from_sizes([(1, 0), (0, 3)])
    after, y = (np.array(v) for v in MixupOrCutmix(1.0).batch(x, one, keras.random.SeedGenerator(0), cells))
    assert np.array_equal(np.sort(after[:, 1:], 1), np.tile([0, 0, 1], (N, 1)))
    assert not np.array_equal(after[:, 1:], x[:, 1:])
    copied = np.isin(after[:, 0], x[:, 0])
    # A cut takes none, one or both of two cells; and a mixture hardly ever gives the number of another row.
    assert {*np.diag(y)[copied].round(6)} <= {0.0, 0.5, 1.0}
    assert 0.35 < copied.mean() < 0.65
    untouched = MixupOrCutmix(0.0).batch(x, one, keras.random.SeedGenerator(0), cells)
    assert np.array_equal(untouched[0], x)
    assert np.array_equal(untouched[1], one)


def test_at_switch_0_the_smallest_draw_is_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then everything is averaged; a cut of share 0 would leave the batch as it is."""
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: keras.ops.zeros(shape))
    x, y = np.random.default_rng(0).normal(size=(8, 4, 4, 1)).astype(np.float32), np.eye(8, dtype=np.float32)
    mixed, _ = MixupOrCutmix(1.0, switch=0.0).batch(x, y, keras.random.SeedGenerator(1))
    assert (np.array(mixed) != x).any(axis=(1, 2, 3)).sum() >= 4  # some are their own partner
