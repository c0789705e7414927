"""Scan a folder of images: its classes, its parts, and everything in it that is out of place."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from regzoo.data.sources.files import list_folder, printable_path
from regzoo.data.sources.pixels import SUFFIXES

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "val", "valid"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders, in upper or lower case, that hold the classes of one part; and the name of that part."""

_IGNORED = ("thumbs.db", "desktop.ini", "__macosx")  # written by file managers; hidden files are ignored too
_BAD_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")  # of Unicode: control characters, surrogates, line separators


@dataclass(frozen=True)
class ImageFile:
    """An image file with its label and its part; the part is empty where the split may choose."""

    path: Path
    label: str
    part: str


@dataclass
class ImageFolder:
    """A scanned folder.

    Attributes:
        root: path of the folder.
        images: its images, in natural order of part, class and file.
        problems: what is wrong with it, a sentence each.
        left_out: files that are not images and lie in no class.
    """

    root: Path
    images: list[ImageFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def scan_folder(path: Path) -> ImageFolder:
    """Find the images in ``path``, whose subfolders are classes, or parts with the classes inside."""
    found = ImageFolder(path)
    tops = _list_visible(path, found)
    folders = [entry for entry in tops if entry.is_dir()]
    has_parts = any(_read_part(top) == "train" and any(e.is_dir() for e in _list_visible(top)) for top in folders)
    if has_parts:
        folders = [folder for folder in folders if _check_part(folder, found)]
    inside = {folder: _list_visible(folder, found) for folder in folders} if has_parts else {}
    entries = [entry for listed in inside.values() for entry in listed]
    classes = [entry for entry in entries if entry.is_dir()] if has_parts else folders
    for stray in [*tops, *entries]:
        if not stray.is_dir():
            _report_stray(stray, found)
    for folder in classes:
        _add_class(folder, _read_part(folder.parent) if has_parts else "", found)
    _check_labels(found, classes, has_parts)
    return found


def _read_part(folder: Path) -> str:
    return PARTS.get(folder.name.lower(), "")


def _check_part(folder: Path, found: ImageFolder) -> bool:
    """Return True if ``folder`` is a part; else add a problem."""
    part = _read_part(folder)
    if not part:
        found.problems.append(
            f"{printable_path(folder)}: lies next to train, where only validation (or val) and test may lie"
        )
    return bool(part)


def _list_visible(folder: Path, found: ImageFolder | None = None) -> list[Path]:
    """Return the visible entries of ``folder``, in natural order; a link that leads out of the root is a problem."""
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
    return sorted(visible, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[str | int], str]:
    pieces = re.split(r"([0-9]+)", path.name)  # text and numbers alternate, so text is never compared with a number
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)], path.name


def _report_stray(entry: Path, found: ImageFolder) -> None:
    if entry.suffix.lower() in SUFFIXES:
        found.problems.append(
            f"{printable_path(entry)}: lies next to the folders of the classes; move it into one of them"
        )
    else:
        found.left_out.append(printable_path(entry.relative_to(found.root)))


def _add_class(folder: Path, part: str, found: ImageFolder) -> None:
    """Add the images of one class; each must lie directly in its folder."""
    if any(unicodedata.category(character) in _BAD_CATEGORIES for character in folder.name):
        reason = "its name is a label, and holds a control character or what is no text"
        found.problems.append(f"{printable_path(folder)}: {reason}; rename it")
    inside = _list_visible(folder, found)
    for entry in inside:
        if entry.is_dir():
            found.problems.append(
                f"{printable_path(entry)}: is a folder in the folder of a class; move its images one up"
            )
        else:
            found.images.append(ImageFile(entry, folder.name, part))
    if not inside:
        found.problems.append(f"{printable_path(folder)}: holds no images; add some or remove the folder")


def _check_labels(found: ImageFolder, classes: Collection[Path], has_parts: bool) -> None:
    """Add a problem if there are fewer than two classes, or if a part has a class that train lacks."""
    names = {folder.name for folder in classes if not has_parts or _read_part(folder.parent) == "train"}
    if len(names) < 2:
        received = "one" if names else "none"
        needed = f"needs a folder for each class, at least two, with its images inside, received {received}"
        found.problems.append(f"{printable_path(found.root)}: {needed}")
    for folder in classes:
        if folder.name not in names:
            reason = f"train has no class {folder.name!r}, so nothing can learn it; add images there or remove it"
            found.problems.append(f"{printable_path(folder)}: {reason}")
