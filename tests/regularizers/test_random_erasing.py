"""Random erasing: the paper's boxes, where they lie, what fills them, how often, refused inputs and values."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import RandomErasing

N = 8000


def erase(regularizer: RandomErasing, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the images of a batch after the augmentation; check that the targets stay."""
    x, y = regularizer.batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


def draw_boxes(height: int, width: int, area: float, aspect: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row and column, and rows and columns, of boxes in images of ones: (N, 2) each."""
    after = erase(RandomErasing(1.0, area, aspect, "mean"), np.ones((N, height, width, 2), np.float32), seed)
    box = after == 0
    assert (box[..., 0] == box[..., 1]).all()
    box = box[..., 0]
    sides = [box.any(2), box.any(1)]
    assert np.array_equal(box, sides[0][:, :, None] & sides[1][:, None, :])
    size = np.stack([side.sum(1) for side in sides], 1)
    first = np.stack([side.argmax(1) for side in sides], 1)
    for i, side in enumerate(sides):  # one interval
        last = side.shape[1] - 1 - side[:, ::-1].argmax(1)
        assert np.array_equal(last - first[:, i] + 1, size[:, i])
    return first, size


def draw_sizes_as_the_paper(height: int, width: int, area: float, aspect: float) -> np.ndarray:
    """Return rows and columns of boxes (N, 2) by the paper's Algorithm 1, one box after the other."""
    random = np.random.default_rng(1)
    sizes: list[tuple[int, int]] = []
    while len(sizes) < N:
        pixels, ratio = random.uniform(0.02, area) * height * width, random.uniform(aspect, 1 / aspect)
        rows, columns = (max(1, round(math.sqrt(value))) for value in (pixels * ratio, pixels / ratio))
        if rows <= height and columns <= width:
            sizes.append((rows, columns))
    return np.array(sizes)


def describe(sizes: np.ndarray) -> list[np.ndarray]:
    """Return rows, columns, pixels and whether the box is upright, (N,) each."""
    rows, columns = sizes.T.astype(float)
    return [rows, columns, rows * columns, (rows > columns).astype(float)]


@pytest.mark.parametrize(
    ("height", "width", "area", "aspect"), [(16, 16, 0.4, 0.3), (12, 20, 0.9, 0.5), (8, 8, 0.3, 1.0), (3, 3, 0.2, 0.3)]
)
def test_boxes_are_those_of_the_paper(height: int, width: int, area: float, aspect: float) -> None:
    _, found = draw_boxes(height, width, area, aspect)
    expected = draw_sizes_as_the_paper(height, width, area, aspect)
    for a, b in zip(describe(found), describe(expected), strict=True):
        # Five standard errors of the difference of two means of N; 1e-9 if all are equal.
        assert a.mean() == pytest.approx(b.mean(), abs=5 * math.sqrt((a.var() + b.var()) / N) + 1e-9)
    assert found.min() >= 1


def test_every_place_within_the_image_is_as_likely() -> None:
    first, size = draw_boxes(16, 12, 0.2, 0.5)
    for axis, length in ((0, 16), (1, 12)):
        free = length - size[:, axis]
        assert (first[:, axis] <= free).all()
        share = (first[:, axis] / free)[free > 0]
        assert share.mean() == pytest.approx(0.5, abs=5 * share.std() / math.sqrt(share.size))
        for edge in (0, free):  # the first and the last place: 1 of free + 1
            expected = 1 / (free + 1)
            deviation = math.sqrt((expected * (1 - expected)).sum()) / N
            assert (first[:, axis] == edge).mean() == pytest.approx(expected.mean(), abs=5 * deviation)
    assert abs(np.corrcoef(first[:, 0] / (16 - size[:, 0]), first[:, 1] / (12 - size[:, 1]))[0, 1]) < 5 / math.sqrt(N)


def test_each_image_is_erased_by_itself_with_probability_rate() -> None:
    after = erase(RandomErasing(0.3, fill="mean"), np.ones((N, 8, 8, 1), np.float32))
    erased = (after == 0).any((1, 2, 3))
    assert erased.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.3 * 0.7 / N))


def test_noise_has_mean_0_and_standard_deviation_1_in_every_pixel_and_channel() -> None:
    x = np.full((2000, 8, 8, 2), 9.0, np.float32)  # no normal number is that large
    after = erase(RandomErasing(1.0), x)
    noise = after[after != 9]
    # A mean of n numbers has the standard error 1 / sqrt(n); their mean square has sqrt(2 / n).
    assert noise.mean() == pytest.approx(0, abs=5 / math.sqrt(noise.size))
    assert (noise**2).mean() == pytest.approx(1, abs=5 * math.sqrt(2 / noise.size))
    assert len(np.unique(noise)) > 0.99 * noise.size  # not one number for a box; float32 draws coincide at times
    assert np.array_equal(after, np.where(after == 9, x, after))


def test_a_box_that_never_fits_erases_nothing() -> None:
    x = np.ones((300, 1, 400, 1), np.float32)
    # 8 to 40 pixels, with r >= 0.3 more than 1.5 of them high: rounded, 2 rows or more of 1.
    assert np.array_equal(erase(RandomErasing(1.0, 0.1), x), x)


def test_rate_0_changes_no_bit_and_the_seed_decides() -> None:
    x = np.random.default_rng(0).normal(size=(300, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(erase(RandomErasing(0.0), x), x)
    assert np.array_equal(erase(RandomErasing(0.5), x, seed=1), erase(RandomErasing(0.5), x, seed=1))
    assert not np.array_equal(erase(RandomErasing(0.5), x, seed=1), erase(RandomErasing(0.5), x, seed=2))


def test_what_it_refuses() -> None:
    with pytest.raises(InputError, match=r"random_erasing needs images, received inputs of shape \(5,\)"):
        regzoo.build("mlp([4])", "random_erasing(0.5)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match=r"area must lie in \[0.02, 1\], received 0.01"):
        RandomErasing(0.5, 0.01)
    with pytest.raises(InputError, match=r"aspect must lie in \(0, 1\], received 2.0"):
        RandomErasing(0.5, aspect=2.0)
    with pytest.raises(InputError, match=r"fill has no option 'nois'. Did you mean .*noise"):
        RandomErasing(0.5, fill="nois")


def test_it_goes_with_mixing_and_not_with_cutout() -> None:
    assert regzoo.parse("random_erasing + mixup").clashes() == []
    assert regzoo.parse("mixup_or_cutmix + random_flip + random_erasing").clashes() == []
    for recipe in ("random_erasing + cutout", "cutout + random_erasing"):
        (sentence,) = regzoo.parse(recipe).clashes()
        assert sentence.startswith(f"{recipe.replace(' + ', ' and ')} alter the same inputs")


def test_it_trains_on_images(images: Any) -> None:
    model = regzoo.build("cnn([2], dense=3)", "random_erasing(1.0, fill=mean)", input_shape=(8, 8, 1), classes=3)
    model.fit(*images, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
