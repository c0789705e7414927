"""Files that regzoo writes into a comparison's folder, next to the ledger: only what regzoo wrote there is replaced.

The ledger keeps the digest of every such file. It is kept before the file is written, together with the digest of the
file that is replaced, so a kill at any moment leaves files that are known.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import warnings
from collections.abc import Mapping
from pathlib import Path

from regzoo.core import EnvironmentFailure
from regzoo.core.errors import MovedAsideWarning
from regzoo.storage.folder import CONFIG, lock_outputs
from regzoo.storage.ledger import Ledger
from regzoo.system.atomic import describe_failed_write, write_bytes_atomic, write_text_atomic
from regzoo.system.lock import HeldLock
from regzoo.system.move_aside import move_aside
from regzoo.system.regular_file import read_regular_file
from regzoo.system.temporary_folder import remove_leftovers

_UNREADABLE = "unreadable"


def write_outputs(folder: Path, ledger: Ledger, texts: Mapping[str, str | bytes | None]) -> None:
    """Write files into ``folder``; each appears complete or not at all.

    A file that someone changed or put there is moved aside before, with a `MovedAsideWarning`. What killed processes
    left half written is removed.

    Args:
        folder: of the comparison; it exists.
        ledger: of the comparison.
        texts: the content of each file by its path in the folder; None to remove an earlier one that regzoo wrote.

    Raises:
        EnvironmentFailure: if a file cannot be written or the folder is gone; older files are then left as they were.
    """
    moved: list[tuple[Path, Path]] = []
    try:
        with lock_outputs(folder) as lock:
            allowed = _announce(folder, ledger, texts, lock)
            for name, text in texts.items():
                lock.require_held()
                _write(folder, name, text, allowed[name], moved)
    finally:
        if moved:
            warnings.warn(MovedAsideWarning(_describe(folder, moved)), stacklevel=2)


def _announce(
    folder: Path, ledger: Ledger, texts: Mapping[str, str | bytes | None], lock: HeldLock
) -> dict[str, set[str | None]]:
    """Keep the digests of what is written next; return by path the digests of what may be replaced."""
    known = ledger.get_output_digests()
    allowed = {name: {digest_file(folder / name)} & _list_digests(ledger, known, name) for name in texts}
    digests = {name: [each for each in allowed[name] if each is not None] for name in texts}
    for name, text in texts.items():
        if text is not None and _digest(text) not in digests[name]:
            digests[name].append(_digest(text))
    if any(known.get(name, []) != each for name, each in digests.items()):
        lock.require_held()
        ledger.set_output_digests(known | digests)
    return allowed


def is_output(folder: Path, ledger: Ledger, name: str) -> bool:
    """Return whether the file ``name`` in ``folder`` is as regzoo wrote it."""
    return digest_file(folder / name) in _list_digests(ledger, ledger.get_output_digests(), name)


def read_output(folder: Path, ledger: Ledger, name: str) -> bytes | None:
    """Return the content of the file ``name`` in ``folder``; None if it is missing or not as regzoo wrote it."""
    try:
        content = read_regular_file(folder / name)
    except OSError:
        return None
    return content if _digest(content) in _list_digests(ledger, ledger.get_output_digests(), name) else None


def digest_file(path: Path) -> str | None:
    """Return the digest of a file; None if there is nothing; a word that is no digest if it is no readable file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return _UNREADABLE
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return _UNREADABLE


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode("utf-8") if isinstance(content, str) else content).hexdigest()


def _list_digests(ledger: Ledger, known: Mapping[str, list[str]], name: str) -> set[str | None]:
    """Return the digests of what regzoo may have written as ``name``."""
    comparison = ledger.get_comparison_info() if name == CONFIG else None
    return {*known.get(name, ()), *(() if comparison is None else (_digest(comparison.config),))}


def _write(
    folder: Path,
    name: str,
    text: str | bytes | None,
    allowed: set[str | None],
    moved: list[tuple[Path, Path]],
) -> None:
    """Write one file, or remove it; add to ``moved`` what was moved aside for it: from where to where."""
    path = folder / name
    _remove_leftovers(path)
    present = digest_file(path)
    if text is None:
        if present is not None and present in allowed:
            path.unlink(missing_ok=True)
        return
    if path.parent != folder and not path.parent.is_dir():
        if os.path.lexists(path.parent):
            moved.append((path.parent, move_aside(path.parent)))
        _make_folder(path.parent)
    if present is not None and present not in {*allowed, _digest(text)}:
        moved.append((path, move_aside(path)))
    if isinstance(text, bytes):
        write_bytes_atomic(path, text)
    else:
        write_text_atomic(path, text)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(describe_failed_write(path, error)) from None


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left half written, of this version and of those that put their id into the name."""
    remove_leftovers(path)
    older = re.compile(re.escape(f".{path.name}.") + "[0-9]+")
    with contextlib.suppress(OSError):
        for each in path.parent.iterdir():
            if older.fullmatch(each.name) and each.is_file() and not each.is_symlink():
                each.unlink()


def _describe(folder: Path, moved: list[tuple[Path, Path]]) -> str:
    names = ", ".join(f"{old.relative_to(folder)} is now {new.relative_to(folder)}" for old, new in moved)
    return f"{folder}: not written by regzoo, or changed since, and therefore kept under another name: {names}"
