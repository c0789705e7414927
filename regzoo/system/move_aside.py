"""`move_aside`: free a name without losing what has it."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from regzoo.core.errors import EnvironmentFailure
from regzoo.system.temporary_folder import TemporaryFolder

_NAME_MAX = 255  # bytes
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)  # file systems without hard links


def move_aside(path: Path, announce: Callable[[Path], None] = lambda _: None) -> Path:
    """Rename a file, folder or link to the first free name, and return it: ``report.1.html``, or ``digits.1``.

    Nothing is ever replaced, whoever makes files there at the same time.

    Args:
        path: what to rename.
        announce: called with each name before it is tried.

    Raises:
        EnvironmentFailure: if it cannot be renamed; it is then where it was.
    """
    return move_to_free_name(path, path, announce)


def move_to_free_name(path: Path, target: Path, announce: Callable[[Path], None] = lambda _: None) -> Path:
    """Rename a file, folder or link to the first free of the names that `move_aside` tries for ``target``.

    Raises:
        EnvironmentFailure: if it cannot be renamed; it is then where it was.
    """
    is_folder = path.is_dir() and not path.is_symlink()
    try:
        for free in list_names(target, is_folder):
            announce(free)
            with contextlib.suppress(FileExistsError):
                _move_folder(path, free) if is_folder else _move_file(path, free)
                return free
    except OSError as error:
        raise EnvironmentFailure(
            f"{path} cannot be renamed ({error.strerror}), and nothing is deleted: rename it yourself, or choose "
            "another path"
        ) from None
    raise AssertionError("names without end have ended")


def list_names(path: Path, is_folder: bool) -> Iterator[Path]:
    """Yield the names that `move_aside` tries, without end; a name that would be too long is shortened.

    >>> names = list_names(Path("a/report.html"), is_folder=False)
    >>> str(next(names)), str(next(names))
    ('a/report.1.html', 'a/report.2.html')
    """
    stem, suffix = (path.name, "") if is_folder else (path.stem, path.suffix)
    for number in itertools.count(1):
        ending = os.fsencode(f".{number}{suffix}")
        start = os.fsencode(stem)[: max(_NAME_MAX - len(ending), 1)]
        yield path.with_name(os.fsdecode(start + ending))


def _move_folder(path: Path, free: Path) -> None:
    """Rename a folder: onto an empty one made for it, because a rename replaces any empty folder."""
    if os.path.lexists(free):
        raise FileExistsError
    owner = TemporaryFolder()
    try:
        owner.adopt(free)  # if this process is killed before the rename, the empty folder goes
        try:
            free.mkdir()
        except FileExistsError:
            owner.disown()
            raise
        try:
            path.rename(free)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # someone has just put files there
                raise FileExistsError from None
            raise
        owner.disown()  # or it would go now if it is empty
    finally:
        owner.remove()


def _move_file(path: Path, free: Path) -> None:
    """Rename anything but a folder: by a second link, because a rename replaces any file."""
    try:
        os.link(path, free, follow_symlinks=False)
    except FileExistsError:
        if not os.path.samestat(path.lstat(), free.lstat()):  # else an earlier call was killed before it was done
            raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(free, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        path.rename(free)
        return
    path.unlink()
