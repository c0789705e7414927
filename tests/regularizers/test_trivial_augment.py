"""TrivialAugment: each operation by hand, which are drawn and how strongly, channels, the ends of the domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import TrivialAugment, trivial_augment
from regzoo.regularizers.trivial_augment import OPERATIONS

N = 12_000


def apply(name: str, x: Any, amount: float, sign: float = 1.0) -> np.ndarray:
    """Return one image (height, width, channels) after one operation."""
    x = np.asarray(x, np.float32)[None]
    chosen = {each: np.array([each == name]) for each in OPERATIONS}
    strength, signs = np.array([amount], np.float32), np.array([sign], np.float32)
    after = trivial_augment.change_values(x, strength, signs, chosen)
    return np.array(trivial_augment.move(after, signs * strength, chosen))[0]


def augment(strength: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the images of a batch after the augmentation; check that the targets stay."""
    after, y = TrivialAugment(strength).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(after)


GRID = np.arange(1.0, 26.0).reshape(5, 5, 1)
PICTURE = np.random.default_rng(0).normal(size=(6, 7, 3)).astype(np.float32)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_strength_0_changes_no_bit(name: str, sign: float) -> None:
    for shape in ((6, 7, 3), (8, 8, 1), (1, 2, 2)):
        x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        assert np.array_equal(apply(name, x, 0.0, sign), x)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "identity"])
def test_strength_1_changes_the_image_and_identity_never_does(name: str) -> None:
    assert not np.array_equal(apply(name, PICTURE, 1.0), PICTURE)
    assert np.array_equal(apply("identity", PICTURE, 1.0), PICTURE)


def test_translations_copy_whole_rows_and_columns_and_leave_0_behind() -> None:
    right = apply("translate_x", GRID, 0.4, -1.0)[..., 0]  # 0.4 of 5 pixels
    assert np.array_equal(right, np.hstack([np.zeros((5, 2)), GRID[:, :3, 0]]))
    up = apply("translate_y", GRID, 0.2, 1.0)[..., 0]
    assert np.array_equal(up, np.vstack([GRID[1:, :, 0], np.zeros((1, 5))]))
    assert not apply("translate_x", GRID, 1.0).any()  # a whole side
    wide = np.arange(1.0, 21.0).reshape(2, 10, 1)
    assert np.array_equal(apply("translate_x", wide, 0.1)[:, :9], wide[:, 1:])  # of the width
    assert np.array_equal(apply("translate_y", wide, 0.5)[:1], wide[1:])  # of the height


def test_shears_move_rows_or_columns_in_proportion_to_their_offset_from_the_center() -> None:
    amount = 1 / 0.99  # one pixel for a pixel
    across = apply("shear_x", GRID, amount)[..., 0]
    # Row i, at the offset i - 2, is copied from columns j + i - 2.
    expected = np.array([[GRID[i, j + i - 2, 0] if 0 <= j + i - 2 < 5 else 0 for j in range(5)] for i in range(5)])
    assert np.array_equal(across, expected)
    assert np.array_equal(apply("shear_x", GRID, amount, -1.0)[..., 0], expected_shear(-1))
    assert np.array_equal(apply("shear_y", GRID.swapaxes(0, 1), amount)[..., 0], expected.T)


def expected_shear(sign: int) -> np.ndarray:
    """Return GRID with row i copied from columns j + sign (i - 2)."""
    places = [[j + sign * (i - 2) for j in range(5)] for i in range(5)]
    return np.array([[GRID[i, c, 0] if 0 <= c < 5 else 0 for c in row] for i, row in enumerate(places)])


def test_rotations_are_those_of_numpy_at_a_quarter_turn() -> None:
    quarter = 90 / 135
    for side in (5, 6, 201):
        x = np.random.default_rng(1).normal(size=(side, side, 2)).astype(np.float32)
        assert np.array_equal(apply("rotate", x, quarter), np.rot90(x, -1))
        assert np.array_equal(apply("rotate", x, quarter, -1.0), np.rot90(x))
    corners = apply("rotate", np.ones((9, 9, 1)), 45 / 135)
    assert corners[4].all()  # the middle row reaches from the center to less than the border
    assert not corners[[0, 0, -1, -1], [0, -1, 0, -1]].any()  # corners lie sqrt(2) as far out as the sides


def test_brightness_shifts_and_contrast_and_color_stretch_about_means() -> None:
    np.testing.assert_allclose(apply("brightness", PICTURE, 0.5), PICTURE + 0.495, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(apply("brightness", PICTURE, 0.5, -1.0), PICTURE - 0.495, rtol=1e-6, atol=1e-6)
    mean, gray = PICTURE.mean(), PICTURE.mean(2, keepdims=True)
    for sign in (1.0, -1.0):
        # PIL's blend of the image with a flat or gray one, at 1 + 0.99 s.
        factor = 1 + 0.99 * 0.8 * sign
        contrast, color = (d + factor * (PICTURE - d) for d in (mean, gray))
        np.testing.assert_allclose(apply("contrast", PICTURE, 0.8, sign), contrast, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(apply("color", PICTURE, 0.8, sign), color, rtol=1e-5, atol=1e-6)


def test_sharpness_is_that_of_pillow() -> None:
    from PIL import Image, ImageEnhance

    raw = np.random.default_rng(2).integers(60, 190, size=(7, 8)).astype(np.uint8)
    for sign in (1.0, -1.0):
        expected = np.asarray(ImageEnhance.Sharpness(Image.fromarray(raw)).enhance(1 + sign * 0.99 * 0.5))
        # Pillow rounds its smoothed image and the result to whole numbers: at most 1.5 apart.
        found = apply("sharpness", raw[..., None], 0.5, sign)[..., 0]
        np.testing.assert_allclose(np.clip(found, 0, 255), expected, atol=1.5)
        assert np.array_equal(found[0], raw[0])  # the border stays


@pytest.mark.parametrize("shape", [(2, 5, 1), (5, 2, 1), (1, 5, 1), (5, 1, 1), (1, 1, 1)])
def test_images_that_are_all_border_are_not_sharpened(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert np.array_equal(apply("sharpness", x, 1.0), x)


@pytest.mark.parametrize(("side", "inside"), [((3, 3), 1), ((3, 4), 2)])
def test_the_smallest_image_with_an_inside_is_sharpened_there(side: tuple[int, int], inside: int) -> None:
    x = np.random.default_rng(0).normal(size=(*side, 1)).astype(np.float32)
    after = apply("sharpness", x, 1.0)
    assert (after != x).sum() == inside
    smooth = (x[:3, :3].sum() + 4 * x[1, 1, 0]) / 13
    assert after[1, 1, 0] == pytest.approx(x[1, 1, 0] + 0.99 * (x[1, 1, 0] - smooth), rel=1e-5)


def test_posterize_keeps_the_high_bits_of_the_own_range() -> None:
    raw = np.arange(256.0).reshape(16, 16, 1)
    scaled = (raw - 100) / 255 * 3  # any scale: the range has 255 steps
    for amount, bits in ((1.0, 2), (0.5, 5), (1 / 6, 7)):
        levels = 2**bits
        step = np.minimum(np.floor(levels * np.arange(256) / 255 + 1e-9), levels - 1).reshape(16, 16, 1)
        expected = scaled.min() + (scaled.max() - scaled.min()) * step / levels
        found = apply("posterize", scaled, amount)
        assert (np.abs(found - expected) < 1e-5).mean() > 0.95  # float32 may round a value at an edge down
        assert len(np.unique(found)) == levels
    assert np.array_equal(apply("posterize", scaled, 0.08), scaled.astype(np.float32))  # 0.48 bits: none
    assert np.array_equal(apply("posterize", np.ones((3, 3, 1)), 1.0), np.ones((3, 3, 1)))


def test_solarize_inverts_what_is_above_the_threshold_within_each_channel() -> None:
    x = np.stack([GRID[..., 0], 100 - 2 * GRID[..., 0]], -1)  # 1 to 25, and 50 to 98
    after = apply("solarize", x, 0.25)
    assert np.array_equal(after[..., 0], np.where(x[..., 0] > 19, 26 - x[..., 0], x[..., 0]))
    assert np.array_equal(after[..., 1], np.where(x[..., 1] > 86, 148 - x[..., 1], x[..., 1]))


def classify(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return which images were not moved or recolored but shifted in brightness, (batch,)."""
    change = after - before
    return np.asarray((np.ptp(change, axis=(1, 2, 3)) < 1e-4) & (np.abs(change).max((1, 2, 3)) > 1e-3))


@pytest.mark.parametrize(("channels", "count"), [(1, 11), (2, 12), (3, 12)])
def test_every_operation_is_drawn_equally_often_at_a_uniform_strength(channels: int, count: int) -> None:
    before = np.broadcast_to(np.random.default_rng(3).normal(size=(9, 9, channels)), (N, 9, 9, channels))
    before = before.astype(np.float32)
    after = augment(0.6, before)
    bright = classify(before, after)
    assert bright.mean() == pytest.approx(1 / count, abs=5 * math.sqrt(1 / count / N))
    shift = (after - before)[bright].mean((1, 2, 3)) / (0.99 * 0.6)
    n = shift.size
    # U(-1, 1): mean 0, variance 1/3, and |u| is U(0, 1) with variance 1/12. Shifts below 1e-3 were not counted.
    assert np.abs(shift).max() <= 1 + 1e-4
    assert shift.mean() == pytest.approx(0, abs=5 / math.sqrt(3 * n))
    assert np.abs(shift).mean() == pytest.approx(0.5, abs=5 / math.sqrt(12 * n) + 2e-3)
    unchanged = (after == before).all((1, 2, 3)).mean()
    assert unchanged >= 1 / count - 5 * math.sqrt(1 / count / N)  # identity, and operations that round to nothing


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_one_operation_is_drawn_for_an_image_and_each_as_often(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    move = trivial_augment.move

    def watch(x: Any, amount: Any, chosen: dict[str, Any]) -> Any:
        seen.append(chosen)
        return move(x, amount, chosen)

    monkeypatch.setattr(trivial_augment, "move", watch)
    augment(1.0, np.zeros((N, 4, 4, channels), np.float32))
    drawn = np.stack([np.array(seen[0][name]) for name in OPERATIONS])
    assert (drawn.sum(0) == 1).all()
    count = 12 if channels > 1 else 11  # a gray image has no color
    assert not drawn[count:].any()
    deviation = math.sqrt(1 / count * (1 - 1 / count) / N)
    assert drawn[:count].mean(1) == pytest.approx(np.full(count, 1 / count), abs=5 * deviation)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_strength_0_is_the_batch_itself_and_the_seed_decides(channels: int) -> None:
    x = np.random.default_rng(0).normal(size=(200, 8, 6, channels)).astype(np.float32)
    assert np.array_equal(augment(0.0, x), x)
    assert np.array_equal(augment(1.0, x, seed=1), augment(1.0, x, seed=1))
    assert not np.array_equal(augment(1.0, x, seed=1), augment(1.0, x, seed=2))
    assert np.isfinite(augment(1.0, x)).all()


def test_it_needs_images_and_targets() -> None:
    with pytest.raises(InputError, match=r"trivial_augment needs images, received inputs of shape \(5,\)"):
        regzoo.build("mlp([4])", "trivial_augment(1.0)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match="trivial_augment needs targets"):
        regzoo.build("autoencoder([4])", "trivial_augment(1.0)", input_shape=(8, 8, 1), task="reconstruction")


def test_it_trains_and_repeats_with_its_seed(images: Any) -> None:
    trained = []
    for seed in (1, 1):
        model = regzoo.build("cnn([2], dense=3)", "trivial_augment(1.0)", input_shape=(8, 8, 1), classes=3, seed=seed)
        model.fit(*images, epochs=1, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    assert all(map(np.array_equal, *trained))
    assert all(np.isfinite(weight).all() for weight in trained[0])
