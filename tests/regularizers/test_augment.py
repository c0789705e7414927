"""Shared parts of batch augmentations: clashes, partners, and the size and place of masks."""

from __future__ import annotations

import itertools
import math

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core.cells import Cells
from regzoo.regularizers import _augment


def hidden(x: np.ndarray, share: object, seed: int = 0) -> np.ndarray:
    """Return the mask for a batch, as float64."""
    return np.array(_augment.draw_mask(x, share, keras.random.SeedGenerator(seed)), np.float64)


def stretch_mean(length: int, share: float) -> float:
    """Return the mean fraction of ``length`` that an interval covers: centers are uniform, ends are clipped."""
    low = math.floor(share * length)
    covered = 0.0
    for count, weight in ((low, 1 - (share * length - low)), (low + 1, share * length - low)):
        for place in range(length):
            start = place - count // 2
            covered += weight * (min(length, start + count) - max(0, start)) / length
    return covered / length


@pytest.mark.parametrize(
    "pair", list(itertools.permutations(["mixup", "cutmix", "cutout", "adversarial"], 2)), ids=" ".join
)
def test_two_augmentations_clash_in_either_order(pair: tuple[str, str]) -> None:
    assert regzoo.parse(" + ".join(pair)).clashes() == [
        f"{pair[0]} and {pair[1]} alter the same inputs one after the other: one augmentation a recipe (Kadra 2021)"
    ]


@pytest.mark.parametrize("other", ["mixup", "cutmix"])
def test_smoothing_clashes_with_mixed_labels_in_either_order(other: str) -> None:
    for first, second in itertools.permutations(["label_smoothing", other]):
        (sentence,) = regzoo.parse(f"{first} + {second}").clashes()
        assert sentence.startswith(f"{first} and {second} soften the labels twice")


def test_three_that_clash_say_so_together() -> None:
    first, second = regzoo.parse("label_smoothing + mixup + dropout + cutmix").clashes()
    assert first.startswith("label_smoothing and mixup soften")
    assert second.startswith("label_smoothing and cutmix soften")
    assert "; mixup and cutmix alter" in second


@pytest.mark.parametrize(
    "recipe",
    ["label_smoothing + cutout", "adversarial + label_smoothing", "mixup + dropout + l2", "cutout + random_flip"],
)
def test_others_go_together(recipe: str) -> None:
    assert regzoo.parse(recipe).clashes() == []


def test_partners_are_a_permutation_that_the_seed_decides() -> None:
    first, again, other = (
        np.array(_augment.draw_partners(np.zeros((9, 2)), keras.random.SeedGenerator(seed))) for seed in (1, 1, 2)
    )
    assert sorted(first) == list(range(9))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_share_0_hides_nothing_and_share_1_every_column() -> None:
    assert not hidden(np.zeros((500, 8, 8, 1), np.float32), 0.0).any()
    assert not hidden(np.zeros((500, 7), np.float32), 0.0).any()
    assert hidden(np.zeros((500, 7), np.float32), 1.0).all()


@pytest.mark.parametrize(("share", "counts"), [(0.4, [2]), (0.25, [1, 2]), (0.05, [0, 1])])
def test_a_share_of_the_columns_is_hidden(share: float, counts: list[int]) -> None:
    n = 20_000
    mask = hidden(np.zeros((n, 5), np.float32), share)
    assert mask.shape == (n, 5)
    assert np.unique(mask.sum(1)).tolist() == counts
    # Each column is hidden with probability `share`: five standard errors of a proportion.
    assert mask.mean(0) == pytest.approx(np.full(5, share), abs=5 * math.sqrt(share * (1 - share) / n))


def test_every_example_has_its_own_share_and_columns() -> None:
    share = np.repeat(np.array([[0.2], [0.6]], np.float32), 1000, axis=0)
    mask = hidden(np.zeros((2000, 5), np.float32), share)
    assert np.array_equal(mask.sum(1), np.repeat([1, 3], 1000))
    assert len(np.unique(mask[:1000], axis=0)) == 5


def test_of_sequences_steps_are_hidden() -> None:
    mask = hidden(np.zeros((50, 4, 3), np.float32), 0.5)
    assert mask.shape == (50, 4, 1)
    assert (mask.sum(1) == 2).all()


@pytest.mark.parametrize("share", [0.05, 0.25, 0.6])
def test_in_images_it_is_a_box_around_a_random_pixel(share: float) -> None:
    n, height, width = 20_000, 6, 8
    mask = hidden(np.zeros((n, height, width, 3), np.float32), share)
    assert mask.shape == (n, height, width, 1)
    mask = mask[..., 0]
    rows, columns = mask.max(2), mask.max(1)
    assert np.array_equal(mask, rows[:, :, None] * columns[:, None, :])
    for side in (rows, columns):  # one stretch: at most one change from 0 to 1, the start included
        assert (np.diff(side, axis=1, prepend=0) == 1).sum(1).max() <= 1
        assert side.any(0).all()
    for side, length in ((rows, height), (columns, width)):
        expected = stretch_mean(length, math.sqrt(share))
        spread = side.mean(1).std()
        assert side.mean() == pytest.approx(expected, abs=5 * spread / math.sqrt(n))


def test_a_category_of_weight_0_is_the_partners_at_the_smallest_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **_: keras.ops.zeros(shape))
    words = np.eye(2, dtype=np.float32)
    cells = Cells.from_sizes([(0, 2)])
    found = _augment.average(words, np.array([1, 0]), np.zeros(2, np.float32), keras.random.SeedGenerator(0), cells)
    assert np.array_equal(found, words[::-1])


def test_categories_are_drawn_from_the_given_stream() -> None:
    words = np.eye(2, dtype=np.float32)[np.arange(64) % 2]
    partner, half = np.arange(64)[::-1].copy(), np.full(64, 0.5, np.float32)
    draws = [
        np.array(_augment.average(words, partner, half, keras.random.SeedGenerator(seed), Cells.from_sizes([(0, 2)])))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
