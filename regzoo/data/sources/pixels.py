"""One image file: what it says of itself, and its pixels. The only file that imports Pillow."""

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
from regzoo.data.sources.files import printable_path

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")

Size = tuple[int, int]
"""Height and width, in pixels."""

_DEEP = 257  # 65,535 / 255: sixteen bits to the scale of eight
_SIDEWAYS = (5, 6, 7, 8)  # the EXIF orientations that exchange height and width
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """What an image says of itself before its pixels are read.

    Attributes:
        size: height and width of the upright image.
        grey: whether it has no colours: greyscale, black and white, or a palette of greys.
        deep: whether it has 16 bits a pixel.
        transparent: whether some pixels may be transparent.
    """

    size: Size
    grey: bool
    deep: bool
    transparent: bool


def read_header(path: Path) -> Header:
    """Read the header of the image at ``path``.

    Raises:
        InputError: if it is empty, no PNG, JPEG, BMP or GIF, damaged, or too large to be decoded safely.
    """
    with _opened(path) as image:
        width, height = image.size
        size = (width, height) if _orientation(image) in _SIDEWAYS else (height, width)
        deep = image.mode.startswith("I")
        return Header(size, deep or _grey(image), deep, image.has_transparency_data and not deep)


def read_pixels(path: Path, size: Size, channels: int) -> Array:
    """Return the image at ``path``, upright, as (*size, channels) from 0 to 255.

    uint8; of 16-bit greyscale float32 with fractions (of 16-bit colours Pillow keeps the upper eight bits). An
    image of another size is resized, without keeping its proportions, by averaging (bilinear with antialiasing).
    Transparent pixels are laid on white; of a GIF or an animated PNG the first frame counts.

    Raises:
        InputError: as `read_header` does, and if the file is truncated.
    """
    with _opened(path) as image:
        upright = image if _orientation(image) == 1 else ImageOps.exif_transpose(image)
        deep = upright.mode.startswith("I")
        plain = upright.convert("F") if deep else _opaque(upright).convert("L" if _grey(upright) else "RGB")
        if plain.size != size[::-1]:
            plain = plain.resize(size[::-1], Image.Resampling.BILINEAR)
        values = np.asarray(plain).reshape(*size, -1) / np.float32(_DEEP) if deep else np.asarray(plain)
        return np.broadcast_to(values.reshape(*size, -1), (*size, channels))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image; whatever is wrong with it is an InputError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF blocks, which leave the pixels as they are
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                yield image
    except UnidentifiedImageError:
        what = "the file is empty" if path.stat().st_size == 0 else "is no PNG, JPEG, BMP or GIF image"
        raise InputError(f"{printable_path(path)}: {what}; replace or remove it") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        what = f"says that it has more than {Image.MAX_IMAGE_PIXELS:,} pixels, which is not decoded"
        raise InputError(f"{printable_path(path)}: {what}; make it smaller or remove it") from None
    except _DAMAGE as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{printable_path(path)}: cannot be read: {said}; replace or remove it") from None


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 (upright) where there is none that can be read."""
    if "exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (TypeError, *_DAMAGE):
        return 1


def _grey(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA"):
        return image.mode in ("1", "L", "LA", "La")
    palette = np.array(image.getpalette("RGB")).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured)
