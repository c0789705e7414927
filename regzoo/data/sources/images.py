"""Read a folder of images: a subfolder for each class, or train, validation and test with the classes inside."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_count, format_integer
from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import printable_path, raise_problems, require_memory
from regzoo.data.sources.image_folder import ImageFile, ImageFolder, scan_folder
from regzoo.data.sources.pixels import Header, Size, read_header, read_pixels


def load_images(path: Path, size: Size | None = None) -> Dataset:
    """Read the folder ``path``: each subfolder is a class of its name, and holds PNG, JPEG, BMP or GIF files.

    If the subfolders are ``train`` and ``validation`` or ``test`` (or another name in `PARTS`), the classes are inside
    these, and the images stay in their part. Pixels run from 0 to 255. Images have one channel if all of them are gray,
    else three. Images of equal size are not resized; others are resized to ``size`` or, without it, to the median
    height and the median width, see `read_pixels`. Rows are in natural order of part, class and file: 2.png before
    10.png. Hidden files and files of file managers (Thumbs.db) are ignored.

    Args:
        path: the folder.
        size: height and width of all images.

    Raises:
        InputError: with every file and folder that is wrong (up to ten are shown), or if the images would not fit
            into this machine's memory.
    """
    found = scan_folder(path)
    headers: dict[ImageFile, Header] = {}
    for image in found.images:
        try:
            headers[image] = read_header(image.path)
        except InputError as error:
            found.problems.append(str(error))
    if not headers:
        raise_problems(found.problems, path)
    size, notes = _choose_size(headers.values(), size)
    channels = 1 if all(header.gray for header in headers.values()) else 3
    way_out = "make them smaller with data.size, such as size: [32, 32], or take fewer"
    try:
        require_memory(len(headers), (*size, channels), printable_path(path), way_out)
    except InputError as error:
        raise_problems([*found.problems, str(error)], path)
    x = _read_images(headers, size, channels, found.problems)
    raise_problems(found.problems, path)
    data = from_arrays(x, np.array([image.label for image in headers]), str(path), part=_mark_parts(headers))
    notes += [*_describe_colors(headers.values(), channels), *_describe_left_out(found)]
    return dataclasses.replace(data, notes=tuple(notes))


def _read_images(headers: Mapping[ImageFile, Header], size: Size, channels: int, problems: list[str]) -> Array:
    deep = any(header.deep for header in headers.values())
    x = np.zeros((len(headers), *size, channels), dtype=np.float32 if deep else np.uint8)
    for row, image in enumerate(headers):
        try:
            x[row] = read_pixels(image.path, size, channels)
        except InputError as error:
            problems.append(str(error))
    return x


def _choose_size(headers: Collection[Header], size: Size | None) -> tuple[Size, list[str]]:
    """Return the size of all images, and a sentence if some are resized."""
    sizes = [header.size for header in headers]
    smallest, largest = min(sizes), max(sizes)
    rule = "as data.size says"
    if size is None:
        heights, widths = zip(*sizes, strict=True)
        size, rule = (statistics.median_low(heights), statistics.median_low(widths)), "the median height and width"
    changed = sum(each != size for each in sizes)
    if not changed:
        return size, []
    spread = f"{smallest[0]} x {smallest[1]}" + (f" to {largest[0]} x {largest[1]}" if smallest != largest else "")
    resized = f"{format_integer(changed)} of {format_count(len(sizes), 'image')} ({spread})"
    return size, [f"{resized} were resized to {size[0]} x {size[1]}, {rule}"]


def _describe_colors(headers: Collection[Header], channels: int) -> list[str]:
    gray, transparent = sum(header.gray for header in headers), sum(header.transparent for header in headers)
    images, notes = format_count(len(headers), "image"), []
    if channels > 1 and gray:
        notes.append(f"gray was copied to all three channels, in {format_integer(gray)} of {images}")
    if transparent:
        notes.append(f"transparent pixels were blended with white, in {format_integer(transparent)} of {images}")
    return notes


def _describe_left_out(found: ImageFolder) -> list[str]:
    if not found.left_out:
        return []
    more = f" and {format_integer(len(found.left_out) - 3)} more" if len(found.left_out) > 3 else ""
    return [f"left out, since it is no image and in no class: {', '.join(found.left_out[:3])}{more}"]


def _mark_parts(images: Collection[ImageFile]) -> Array | None:
    """Return the part of each row; with only one held-out part, the rows of ``train`` may go to the other one."""
    parts = np.array([image.part for image in images])
    if not (parts != "").any():  # NumPy 1 takes no text for a truth value
        return None
    if len(set(parts.tolist())) < 3:
        parts[parts == "train"] = ""
    return parts
