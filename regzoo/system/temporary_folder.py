"""Temporary folders that are removed even if the process that made them is killed.

TensorFlow writes every function that it converts to a graph to a file in the temporary folder, and deletes the files
only at a clean exit. Workers are killed, so these files need a folder of their own that someone else removes.

What must lie next to its target, such as a file that is renamed once it is complete, cannot be in that folder. The
folder then holds a list of such paths, and whoever removes it removes them as well: see `temporary_sibling`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

from regzoo.system.signals import delay_interrupts

PREFIX = "regzoo-tmp-"

SIBLING = ".regzoo-"
"""In the name of each path that `temporary_sibling` yields."""

_SIBLINGS = "siblings"  # file in a temporary folder: paths elsewhere that are removed with it
_LONGEST = 100  # bytes of a name that are kept in the name of a sibling; a name may have 255
_REDIRECTION_LOCK = threading.Lock()
_REDIRECTIONS: list[str] = []  # the default of `tempfile`, then the folders of the open blocks


class TemporaryFolder:
    """A new folder that is removed by `remove`, with this object, or at exit, whichever comes first.

    The process holds a lock on the folder, which ends with the process, however it ends. So if the process is killed,
    the next `TemporaryFolder` of this user finds the folder without a lock and removes it.
    """

    def __init__(self) -> None:
        with delay_interrupts():  # an interrupt must not leave what is half made
            remove_abandoned()
            self.path, lock = _make_locked_folder()
            self.remove = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def adopt(self, path: Path) -> None:
        """Remove ``path``, a file or a folder anywhere, with this folder.

        Anything whose name does not contain `SIBLING` stays, except an empty folder.
        """
        with (self.path / _SIBLINGS).open("ab") as file:
            file.write(os.fsencode(path.absolute()) + b"\0")

    def disown(self) -> None:
        """Leave everything that was adopted where it is."""
        (self.path / _SIBLINGS).unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_sibling(target: Path) -> Iterator[Path]:
    """Yield a new path next to ``target``, for a file or a folder that is renamed to ``target`` once it is complete.

    Whatever is at the path after the block is removed; if this process is killed, the next command removes it.
    """
    folder = TemporaryFolder()
    path = target.with_name(make_sibling_name(target, secrets.token_hex(4)))
    try:
        folder.adopt(path)
        yield path
    finally:
        folder.remove()


def make_sibling_name(target: Path, ending: str) -> str:
    """Return the name of a temporary file next to ``target``, which differs for any two targets.

    >>> make_sibling_name(Path("reports/report.html"), "1a2b3c4d")
    '.report.html.regzoo-1a2b3c4d'
    """
    name = os.fsencode(target.name)
    if len(name) > _LONGEST:
        whole = name[:_LONGEST].decode("utf-8", "ignore").encode()  # without the rest of a character that is cut
        name = whole + b"-" + hashlib.sha256(name).hexdigest()[:8].encode()
    return f".{os.fsdecode(name)}{SIBLING}{ending}"


def remove_leftovers(target: Path) -> None:
    """Remove what `temporary_sibling` of ``target`` yielded to killed processes; nobody may be writing to ``target``.

    `remove_abandoned` does it as well, as long as the temporary folders are there, which are lost in a restart.
    """
    leftover = re.compile(re.escape(make_sibling_name(target, "")) + "[0-9a-f]{8}")
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if leftover.fullmatch(path.name):
                _remove_sibling(path)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new temporary folder, which is removed after the block, or by the next command after a kill."""
    folder = TemporaryFolder()
    try:
        yield folder.path
    finally:
        folder.remove()


@contextlib.contextmanager
def private_tempdir() -> Iterator[None]:
    """Make `tempfile` use a folder of its own while the block runs; then remove what is in it."""
    with temporary_folder() as folder, _redirect(str(folder)):
        yield


def remove_abandoned() -> None:
    """Remove the folders of this user's processes that were killed."""
    for path in Path(_get_parent()).glob(f"{PREFIX}*"):
        lock = _lock(path)
        if lock is not None:
            _remove(path, lock, os.getpid())


@contextlib.contextmanager
def _redirect(folder: str) -> Iterator[None]:
    """Make ``folder`` the default of `tempfile`. Blocks of several threads may overlap; the newest open one counts."""
    with _REDIRECTION_LOCK:
        if not _REDIRECTIONS:
            _REDIRECTIONS.append(_get_parent())
        _REDIRECTIONS.append(folder)
        tempfile.tempdir = folder
    try:
        yield
    finally:
        with _REDIRECTION_LOCK:
            _REDIRECTIONS.remove(folder)
            tempfile.tempdir = _REDIRECTIONS[-1]
            if len(_REDIRECTIONS) == 1:
                _REDIRECTIONS.clear()


def _get_parent() -> str:
    """Return the default folder of `tempfile` outside of every block."""
    return _REDIRECTIONS[0] if _REDIRECTIONS else tempfile.gettempdir()


def _make_locked_folder() -> tuple[Path, int | None]:
    """Make a folder and lock it; return it with the descriptor that holds the lock.

    Where the file system has no locks, there is no descriptor, and the folder is never taken for abandoned.
    """
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_get_parent()))
        with contextlib.suppress(FileNotFoundError):  # another process has taken it for abandoned before it was locked
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return path, descriptor
            except (BlockingIOError, FileNotFoundError):
                pass
            except OSError:
                os.close(descriptor)
                return path, None
            os.close(descriptor)


def _lock(folder: Path) -> int | None:
    """Lock ``folder`` and return the descriptor that holds the lock.

    Returns None if another process holds it, the folder belongs to another user, or it is gone.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_uid == os.getuid():
            return descriptor
    os.close(descriptor)
    return None


def _remove(path: Path, lock: int | None, owner: int) -> None:
    if os.getpid() == owner:  # a fork of the owner leaves it alone
        for sibling in _read_siblings(path):
            _remove_sibling(sibling)
        shutil.rmtree(path, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _read_siblings(folder: Path) -> list[Path]:
    """Return the paths that ``folder`` has adopted."""
    try:
        names = (folder / _SIBLINGS).read_bytes().split(b"\0")[:-1]  # the last one may be half written
    except OSError:
        return []
    return [Path(os.fsdecode(name)) for name in names]


def _remove_sibling(path: Path) -> None:
    """Remove an empty folder, or whatever has a name of ours, except a file that another process has locked."""
    if SIBLING not in path.name:
        with contextlib.suppress(OSError):
            path.rmdir()
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
        finally:
            os.close(descriptor)
