"""Every way in which a file of an exported model is damaged, for tests that try them all on copies of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Damage = Callable[[Path], None]
"""Damages the file at a path."""


def flip(start: int, length: int) -> Damage:
    """Return a function that inverts the bits of a region; ``start`` is in thousandths of the file."""

    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        first = min(len(content) - 1, start * len(content) // 1000)
        for index in range(first, min(len(content), first + length)):
            content[index] ^= 0x11  # text stays ASCII, so that not only its encoding is wrong
        path.write_bytes(bytes(content))

    return damage


def truncate(share: float) -> Damage:
    """Return a function that keeps this share of a file, and never all of it."""

    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: min(len(content) - 1, int(share * len(content)))])

    return damage


def _replace(make: Damage) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b" ")


DAMAGES: dict[str, Damage] = {
    **{f"flip at {start}": flip(start, 1 + start % 32) for start in range(0, 1000, 37)},
    **{f"truncate to {share}": truncate(share) for share in (0.0, 0.1, 0.5, 0.9, 1.0)},
    "append": _append,
    "remove": Path.unlink,
    "folder": _replace(Path.mkdir),
    "pipe": _replace(os.mkfifo),
    "link nowhere": _replace(lambda path: path.symlink_to("nowhere")),
    "link to itself": _replace(lambda path: path.symlink_to(path.name)),
    "link to a device": _replace(lambda path: path.symlink_to("/dev/zero")),
    "link to its folder": _replace(lambda path: path.symlink_to(".")),
}
"""What happens to a file that exists, by name."""


DamagedCopy = tuple[Path, str, str]
"""A copy of a folder, the file in it that is damaged, and how."""


@pytest.fixture
def damaged_copies(tmp_path: Path) -> Callable[..., Iterator[DamagedCopy]]:
    """Return a function that yields a copy of a folder again and again, each time with another damage to one file.

    It is below ``copy`` in the test's own folder, so that nothing is next to it.
    """

    def make_copies(folder: Path, kinds: str = "", files: str = "*") -> Iterator[DamagedCopy]:
        copy = shutil.copytree(folder, tmp_path / "copy" / folder.name)
        for path in sorted(path for path in copy.rglob(files) if path.is_file()):
            content = path.read_bytes()
            for kind, damage in DAMAGES.items():
                if kind.startswith(kinds):
                    damage(path)
                    yield copy, str(path.relative_to(copy)), kind
                    _remove(path)
                    path.write_bytes(content)

    return make_copies


@pytest.fixture
def digest_tree() -> Callable[[Path], dict[str, str]]:
    """Return a function that says what is at each path in a folder: the kind, and the content or the link's target."""
    return lambda folder: dict(_describe(folder, folder))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _describe(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.iterdir()):
        mode = path.lstat().st_mode
        name, kind = str(path.relative_to(root)), stat.filemode(mode)
        if stat.S_ISLNK(mode):
            yield name, f"{kind} {path.readlink()}"
        elif stat.S_ISREG(mode):
            yield name, f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            yield name, kind
            if stat.S_ISDIR(mode):
                yield from _describe(path, root)
