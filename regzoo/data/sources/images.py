"""A folder of images: a sub-folder for each class, or train, validation and test with the classes inside."""

from __future__ import annotations

import dataclasses
import os
import re
import statistics
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import list_folder, printable_path, raise_problems, require_memory
from regzoo.data.sources.pixels import SUFFIXES, Header, Size, read_header, read_pixels

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Folders, in any case of letters, that hold a part each, with the classes' folders inside; and that part's name."""

_IGNORED = ("thumbs.db", "desktop.ini", "__macosx")  # besides hidden files: what file managers leave behind
_UNFIT = ("Cc", "Cs", "Zl", "Zp")  # Unicode categories: control characters, no text, line separators


@dataclass(frozen=True)
class _Image:
    path: Path
    label: str
    part: str


@dataclass
class _Found:
    """The images of a folder, what is wrong with it, and what was left out."""

    root: Path
    images: list[_Image] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def load_images(path: Path, size: Size | None = None) -> Dataset:
    """Read the folder ``path``: each sub-folder is a class of its name, and holds PNG, JPEG, BMP or GIF files.

    If the sub-folders are ``train`` and ``validation`` or ``test``, or as `PARTS` has them, the classes are inside
    these, and the images stay in their part. Pixels run from 0 to 255. Images have one channel if all of them are grey,
    else three. Images of equal size stay as they are; others are resized to ``size`` or, without it, to the median
    height and the median width. `read_pixels` says how. Rows are in natural order of part, class and file:
    2.png before 10.png. Hidden files and what file managers leave behind (Thumbs.db) are no images.

    Args:
        path: the folder.
        size: height and width that all images get.

    Raises:
        InputError: with every file and folder that is wrong (up to ten are shown), or if the images would not fit
            into this machine's memory.
    """
    found = _find(path)
    headers: dict[_Image, Header] = {}
    for image in found.images:
        try:
            headers[image] = read_header(image.path)
        except InputError as error:
            found.problems.append(str(error))
    if not headers:
        raise_problems(found.problems, path)
    size, notes = _size(headers.values(), size)
    channels = 1 if all(head.grey for head in headers.values()) else 3
    way_out = "make them smaller with data.size, such as size: [32, 32], or take fewer"
    try:
        require_memory(len(headers), (*size, channels), printable_path(path), way_out)
    except InputError as error:
        raise_problems([*found.problems, str(error)], path)
    x = _decode(headers, size, channels, found.problems)
    raise_problems(found.problems, path)
    data = from_arrays(x, np.array([image.label for image in headers]), str(path), part=_part(headers))
    notes += [*_colours(headers.values(), channels), *_left_out(found)]
    return dataclasses.replace(data, notes=tuple(notes))


def _decode(headers: Mapping[_Image, Header], size: Size, channels: int, problems: list[str]) -> Array:
    deep = any(head.deep for head in headers.values())
    x = np.zeros((len(headers), *size, channels), dtype=np.float32 if deep else np.uint8)
    for row, image in enumerate(headers):
        try:
            x[row] = read_pixels(image.path, size, channels)
        except InputError as error:
            problems.append(str(error))
    return x


def _find(path: Path) -> _Found:
    found = _Found(path)
    tops = _visible(path, found)
    folders = [entry for entry in tops if entry.is_dir()]
    parted = any(_part_of(top) == "train" and any(entry.is_dir() for entry in _visible(top)) for top in folders)
    if parted:
        folders = [folder for folder in folders if _is_part(folder, found)]
    inside = {folder: _visible(folder, found) for folder in folders} if parted else {}
    classes = [entry for listed in inside.values() for entry in listed if entry.is_dir()] if parted else folders
    for stray in [*tops, *(entry for listed in inside.values() for entry in listed)]:
        if not stray.is_dir():
            _stray(stray, found)
    for folder in classes:
        _class(folder, _part_of(folder.parent) if parted else "", found)
    _labels(found, classes, parted)
    return found


def _part_of(folder: Path) -> str:
    return PARTS.get(folder.name.lower(), "")


def _is_part(folder: Path, found: _Found) -> bool:
    part = _part_of(folder)
    if not part:
        found.problems.append(
            f"{printable_path(folder)}: lies beside train, where only validation (or val) and test may lie"
        )
    return bool(part)


def _visible(folder: Path, found: _Found | None = None) -> list[Path]:
    """What ``folder`` shows, in natural order; what leads out of the root is a problem and left out."""
    root = os.path.realpath(found.root) if found else ""
    visible = []
    for entry in list_folder(folder):
        if entry.name.startswith(".") or entry.name.lower() in _IGNORED:
            continue
        if found and entry.is_symlink() and not Path(os.path.realpath(entry)).is_relative_to(root):
            found.problems.append(
                f"{printable_path(entry)}: is a link that leads out of the folder; copy what it points at"
            )
        elif found and not entry.is_dir() and not entry.is_file():
            found.problems.append(f"{printable_path(entry)}: is neither a file nor a folder; remove it")
        else:
            visible.append(entry)
    return sorted(visible, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    pieces = re.split(r"([0-9]+)", path.name)  # text and numbers in turn, so that like is compared with like
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], path.name


def _stray(entry: Path, found: _Found) -> None:
    if entry.suffix.lower() in SUFFIXES:
        found.problems.append(
            f"{printable_path(entry)}: lies beside the folders of the classes; move it into one of them"
        )
    else:
        found.left_out.append(printable_path(entry.relative_to(found.root)))


def _class(folder: Path, part: str, found: _Found) -> None:
    """Add the images of one class; each must lie directly in its folder."""
    if any(unicodedata.category(character) in _UNFIT for character in folder.name):
        what = "its name is a label, and holds a control character or what is no text"
        found.problems.append(f"{printable_path(folder)}: {what}; rename it")
    inside = _visible(folder, found)
    for entry in inside:
        if entry.is_dir():
            found.problems.append(
                f"{printable_path(entry)}: is a folder in the folder of a class; move its images one up"
            )
        else:
            found.images.append(_Image(entry, folder.name, part))
    if not inside:
        found.problems.append(f"{printable_path(folder)}: holds no images; add some or remove the folder")


def _labels(found: _Found, classes: Collection[Path], parted: bool) -> None:
    names = {folder.name for folder in classes if not parted or _part_of(folder.parent) == "train"}
    if len(names) < 2:
        received = f"received {'one' if names else 'none'}"
        what = f"needs a folder for each class, at least two, with its images inside, {received}"
        found.problems.append(f"{printable_path(found.root)}: {what}")
    for folder in classes:
        if folder.name not in names:
            what = f"train has no class {folder.name!r}, so nothing can learn it; add images there or remove it"
            found.problems.append(f"{printable_path(folder)}: {what}")


def _size(headers: Collection[Header], size: Size | None) -> tuple[Size, list[str]]:
    """The size that all images get, and what is to be said about it."""
    sizes = [head.size for head in headers]
    smallest, largest = min(sizes), max(sizes)
    rule = "as data.size says"
    if size is None:
        heights, widths = zip(*sizes, strict=True)
        size, rule = (statistics.median_low(heights), statistics.median_low(widths)), "the median height and width"
    changed = sum(one != size for one in sizes)
    if not changed:
        return size, []
    spread = f"{smallest[0]} x {smallest[1]}" + (f" to {largest[0]} x {largest[1]}" if smallest != largest else "")
    resized = f"{changed:,} of {len(sizes):,} images ({spread}) were resized to {size[0]} x {size[1]}, {rule}"
    return size, [resized]


def _colours(headers: Collection[Header], channels: int) -> list[str]:
    grey, clear = sum(head.grey for head in headers), sum(head.transparent for head in headers)
    notes = []
    if channels > 1 and grey:
        notes.append(f"grey was taken for red, green and blue alike, in {grey:,} of {len(headers):,} images")
    if clear:
        notes.append(f"transparent pixels were laid on white, in {clear:,} of {len(headers):,} images")
    return notes


def _left_out(found: _Found) -> list[str]:
    if not found.left_out:
        return []
    more = f" and {len(found.left_out) - 3:,} more" if len(found.left_out) > 3 else ""
    return [f"left out, since it is no image and in no class: {', '.join(found.left_out[:3])}{more}"]


def _part(images: Collection[_Image]) -> Array | None:
    """The part of each row; with only one held-out part, rows of ``train`` may go to the other, so they have none."""
    parts = np.array([image.part for image in images])
    if not parts.any():
        return None
    if len(set(parts.tolist())) < 3:
        parts[parts == "train"] = ""
    return parts
