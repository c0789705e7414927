"""One image file in any format: size, colors and pixels; errors for damaged files."""

from __future__ import annotations

import contextlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from regzoo.core.errors import InputError
from regzoo.data.sources.pixels import FORMATS, read_header, read_pixels

GRAY = np.array([[0, 10, 200], [255, 100, 7]], dtype=np.uint8)
ROTATED_RIGHT = 6  # the EXIF orientation of an image to be rotated by 90 degrees clockwise


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF"])
def test_lossless_formats_give_the_pixels_that_were_saved(form: str, file: Path) -> None:
    Image.fromarray(GRAY).save(file, form)
    header = read_header(file)
    assert (header.size, header.gray, header.deep, header.transparent) == ((2, 3), True, False, False)
    np.testing.assert_array_equal(read_pixels(file, (2, 3), 1)[..., 0], GRAY)


def test_a_jpeg_of_one_color_keeps_it(file: Path) -> None:
    Image.new("RGB", (16, 8), (200, 100, 50)).save(file, "JPEG", quality=100)
    assert read_header(file).size == (8, 16)
    assert np.abs(read_pixels(file, (8, 16), 3).astype(int) - [200, 100, 50]).max() <= 2  # YCbCr is rounded


def test_colors_stay_and_gray_is_repeated_for_three_channels(file: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, size=(2, 3, 3), dtype=np.uint8)
    Image.fromarray(colors).save(file, "PNG")
    assert not read_header(file).gray
    np.testing.assert_array_equal(read_pixels(file, (2, 3), 3), colors)
    Image.fromarray(GRAY).save(file, "PNG")
    np.testing.assert_array_equal(read_pixels(file, (2, 3), 3), np.stack([GRAY] * 3, axis=-1))


def test_a_palette_is_gray_only_if_all_its_colors_are(file: Path) -> None:
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8), mode=None).convert("P")
    image.putpalette([9, 9, 9, 80, 80, 80])
    image.save(file, "PNG")
    assert read_header(file).gray
    assert read_pixels(file, (1, 2), 1).ravel().tolist() == [9, 80]
    image.putpalette([9, 9, 9, 80, 80, 81])
    image.save(file, "PNG")
    assert not read_header(file).gray
    assert read_pixels(file, (1, 2), 3).tolist() == [[[9, 9, 9], [80, 80, 81]]]


def test_sixteen_bits_are_scaled_to_eight(file: Path) -> None:
    deep = np.array([[0, 257, 128, 65535]], dtype=np.uint16)
    Image.fromarray(deep).save(file, "PNG")
    assert read_header(file).deep
    values = read_pixels(file, (1, 4), 1)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values.ravel(), [0.0, 1.0, 128 / 257, 255.0], rtol=1e-6)


@pytest.mark.parametrize(("alpha", "expected"), [(255, 40), (0, 255), (51, 212)])  # 0.2 * 40 + 0.8 * 255 = 212
def test_transparent_pixels_are_blended_with_white(alpha: int, expected: int, file: Path) -> None:
    Image.new("LA", (1, 1), (40, alpha)).save(file, "PNG")
    assert read_header(file).transparent
    assert read_pixels(file, (1, 1), 1).item() == expected


def test_a_gif_gives_its_first_frame_and_its_transparent_color_is_white(file: Path) -> None:
    frames = [Image.new("L", (2, 2), value) for value in (30, 90)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_pixels(file, (2, 2), 1), np.full((2, 2, 1), 30))
    frames[0].save(file, "GIF", transparency=30)
    np.testing.assert_array_equal(read_pixels(file, (2, 2), 1), np.full((2, 2, 1), 255))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_camera_held_sideways_gives_an_upright_image(form: str, file: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = ROTATED_RIGHT
    sideways = np.zeros((8, 16), dtype=np.uint8)
    sideways[:, :8] = 255  # the left half as stored is the top half upright
    Image.fromarray(sideways).save(file, form, exif=exif)
    assert read_header(file).size == (16, 8)
    upright = read_pixels(file, (16, 8), 1)[..., 0]
    assert upright[:8].min() > 250
    assert upright[8:].max() < 5


def test_an_exif_block_that_cannot_be_read_changes_nothing(file: Path) -> None:
    Image.fromarray(GRAY).save(file, "JPEG", exif=b"Exif\x00\x00no TIFF header")
    assert read_header(file).size == (2, 3)
    assert read_pixels(file, (2, 3), 1).shape == (2, 3, 1)


def test_resizing_averages_and_does_not_keep_proportions(file: Path) -> None:
    board = np.indices((8, 8)).sum(axis=0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).save(file, "PNG")
    smaller = read_pixels(file, (2, 4), 1)
    assert smaller.shape == (2, 4, 1)
    assert np.abs(smaller.astype(int) - 127.5).max() < 20  # a checkerboard is gray from afar, not black or white


def bomb(path: Path) -> None:
    """Write a PNG of a few bytes that claims to have 400 million pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_other_files_are_rejected(file: Path) -> None:
    for content in (b"hello", b"<html></html>", b"\x89PNG\r\n\x1a\n"):
        file.write_bytes(content)
        with pytest.raises(InputError, match=r"image: is no PNG, JPEG, BMP or GIF image; replace or remove it$"):
            read_header(file)


def test_another_format_is_not_read(file: Path) -> None:
    Image.fromarray(GRAY).save(file, "TIFF")
    assert "TIFF" not in FORMATS
    with pytest.raises(InputError, match="is no PNG, JPEG, BMP or GIF image"):
        read_header(file)


def test_an_empty_file_is_reported(file: Path) -> None:
    file.write_bytes(b"")
    with pytest.raises(InputError, match="image: the file is empty; replace or remove it"):
        read_header(file)


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_image_is_reported(form: str, file: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, size=(40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(file, form)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    assert read_header(file).size == (40, 40)
    with pytest.raises(InputError, match=r"image: cannot be read: .*; replace or remove it"):
        read_pixels(file, (40, 40), 1)


def test_a_decompression_bomb_is_not_decoded(file: Path) -> None:
    bomb(file)
    with pytest.raises(InputError, match=r"claims to have more than 89,478,485 pixels, which is not decoded; make"):
        read_header(file)


def test_any_damage_is_an_input_error(file: Path) -> None:
    """Bytes are changed and cut off at random; every error of Pillow must become an InputError."""
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 256, size=(12, 9, 3), dtype=np.uint8))
    read = 0
    for form in FORMATS:
        picture.save(file, form)
        content = np.frombuffer(file.read_bytes(), dtype=np.uint8)
        for _ in range(100):
            damaged = content[: random.integers(1, len(content) + 1)].copy()
            damaged[random.integers(0, len(damaged), size=3)] = random.integers(0, 256, size=3)
            file.write_bytes(damaged.tobytes())
            with contextlib.suppress(InputError):
                assert read_pixels(file, (12, 9), 3).shape == (12, 9, 3)
                read += 1
    assert 0 < read < 300
