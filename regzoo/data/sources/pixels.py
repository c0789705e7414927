"""Read the header and the pixels of one image file. The only module that imports Pillow."""

from __future__ import annotations

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.sources.files import printable_path, require_bytes
from regzoo.system.memory import get_available_memory

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")

LARGE = 4_000_000
"""Pixels of an image for which it is worth asking how much memory there is."""

BYTES_PER_PIXEL = 12
"""Peak memory of decoding: colors and transparency, the same on white, and without transparency."""

Size = tuple[int, int]
"""Height and width, in pixels."""

_DEEP = 257  # 65,535 / 255: sixteen bits to the scale of eight
_SIDEWAYS = (5, 6, 7, 8)  # the EXIF orientations that exchange height and width
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """Properties of an image that are known before its pixels are read.

    Attributes:
        size: height and width of the upright image.
        gray: whether it has no colors: grayscale, black and white, or a palette of grays.
        deep: whether it has 16 bits a pixel.
        transparent: whether some pixels may be transparent.
    """

    size: Size
    gray: bool
    deep: bool
    transparent: bool


def read_header(path: Path) -> Header:
    """Read the header of the image at ``path``.

    Raises:
        InputError: if it is empty, not a PNG, JPEG, BMP or GIF, damaged, or too large to be decoded safely or in the
            memory that is available.
    """
    with _open_image(path) as image:
        width, height = image.size
        size = (width, height) if _read_orientation(image) in _SIDEWAYS else (height, width)
        _require_memory(path, width * height)
        deep = image.mode.startswith("I")
        return Header(size, deep or _is_gray(image), deep, image.has_transparency_data and not deep)


def read_pixels(path: Path, size: Size, channels: int) -> Array:
    """Return the image at ``path``, upright, as (*size, channels) from 0 to 255.

    The type is uint8; for 16-bit grayscale it is float32 with fractions (Pillow keeps the upper eight bits of 16-bit
    colors). An image of another size is resized without keeping its proportions, by averaging (bilinear with
    antialiasing). Transparent pixels are blended with white; of a GIF or an animated PNG the first frame is read.

    Raises:
        InputError: as `read_header` does, and if the file is truncated.
    """
    with _open_image(path) as image:
        upright = image if _read_orientation(image) == 1 else ImageOps.exif_transpose(image)
        deep = upright.mode.startswith("I")
        plain = (
            upright.convert("F") if deep else _blend_with_white(upright).convert("L" if _is_gray(upright) else "RGB")
        )
        if plain.size != size[::-1]:
            plain = plain.resize(size[::-1], Image.Resampling.BILINEAR)
        values = np.asarray(plain).reshape(*size, -1) / np.float32(_DEEP) if deep else np.asarray(plain)
        return np.broadcast_to(values.reshape(*size, -1), (*size, channels))


@contextlib.contextmanager
def _open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image; raise whatever is wrong with it as an InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged EXIF blocks, which do not affect the pixels
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except UnidentifiedImageError:
        what = "the file is empty" if path.stat().st_size == 0 else "is no PNG, JPEG, BMP or GIF image"
        raise InputError(f"{printable_path(path)}: {what}; replace or remove it") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        what = f"claims to have more than {Image.MAX_IMAGE_PIXELS:,} pixels, which is not decoded"
        raise InputError(f"{printable_path(path)}: {what}; make it smaller or remove it") from None
    except _DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{printable_path(path)}: cannot be read: {reason}; replace or remove it") from None


def _require_memory(path: Path, pixels: int) -> None:
    """Raise InputError if a large image cannot be decoded in the memory that is available."""
    if pixels > LARGE:
        needed = pixels * BYTES_PER_PIXEL
        way_out = "make it smaller or remove it"
        require_bytes(needed, get_available_memory(), printable_path(path), "its pixels take", way_out)


def _read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; 1 (upright) if there is none or it cannot be read."""
    if "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (TypeError, *_DAMAGE):
        return 1


def _is_gray(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode in ("1", "L", "LA", "La")
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _blend_with_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    colored = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", colored.size, "white"), colored)
