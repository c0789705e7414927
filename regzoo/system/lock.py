"""`lock_path`: one writer at a time for each file or folder that regzoo writes, across processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regzoo.core.errors import BusyError, EnvironmentFailure
from regzoo.system.temporary_folder import SIBLING, TemporaryFolder, make_sibling_name, remove_leftovers

PATIENCE = 0.3
"""Seconds that a lock is tried at least: whoever looks whether it is held, or removes its file, holds it briefly."""

_PAUSE = 0.02


class VanishedError(EnvironmentFailure):
    """The folder in which the lock file should lie is missing; another process may have just renamed it."""


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds on ``target``.

    Attributes:
        target: what is locked.
        file: the lock file.
        descriptor: of the open lock file.
        folder: descriptor of the folder in which the lock file lies.
    """

    target: Path
    file: Path
    descriptor: int
    folder: int

    def require_held(self) -> None:
        """Raise if the lock file was deleted or replaced, so that another process may have locked ``target`` too.

        Raises:
            EnvironmentFailure: if this process no longer holds the lock alone, or the folder is no longer there.
        """
        if _is_same(self.descriptor, self.file):
            return
        if not _is_same(self.folder, self.file.parent):
            raise EnvironmentFailure(
                f"the folder {self.file.parent} was removed, renamed or replaced while this process was writing to "
                f"{self.target}, so this one stops and writes nothing more; what was finished is in the folder, "
                "wherever it is now"
            )
        raise EnvironmentFailure(
            f"the lock file {self.file} was deleted while this process was writing to {self.target}, so another "
            "process may be writing to it as well: this one stops. Nothing that was finished is lost; run the same "
            "command again, and leave the lock file alone"
        )

    def release(self) -> None:
        """Remove the lock file, also if its folder was renamed, and end the lock."""
        with contextlib.suppress(OSError):
            present = os.stat(self.file.name, dir_fd=self.folder, follow_symlinks=False)
            if os.path.samestat(os.fstat(self.descriptor), present):  # or it is the lock of another process by now
                os.unlink(self.file.name, dir_fd=self.folder)
        os.close(self.descriptor)
        os.close(self.folder)


def get_lock_file(target: Path, inside: bool = False) -> Path:
    """Return the path of the lock file of ``target``; it exists only while someone writes to ``target``."""
    return target / f"{SIBLING}lock" if inside else target.with_name(make_sibling_name(target, "lock"))


@contextlib.contextmanager
def lock_path(target: Path, *, inside: bool = False, timeout: float = 0.0) -> Iterator[HeldLock]:
    """Keep other processes from writing to ``target``, a file or a folder, while the block runs.

    The lock is a file next to ``target``, whose folder must exist. The lock ends with the process, however the process
    ends; the file is removed at the end, or by the next command if this process is killed. Half-written files next to
    ``target`` that a killed process left are removed first.

    Args:
        target: what to lock; links are followed.
        inside: put the lock file into ``target``, which is a folder then: its parent need not be writable.
        timeout: seconds to wait for another process.

    Raises:
        BusyError: if another process, or another block of this one, holds the lock; the message names the process.
        VanishedError: if the folder in which the lock file lies is missing.
        EnvironmentFailure: if the lock file cannot be made.
    """
    file, owner = get_lock_file(target.resolve(), inside), TemporaryFolder()
    try:
        owner.adopt(file)
        lock = _acquire(target, file, timeout)
        try:
            if not inside:
                remove_leftovers(target.resolve())
            yield lock
        finally:
            lock.release()
    finally:
        owner.remove()


def require_unlocked(target: Path, *, inside: bool = False) -> None:
    """Raise if another process writes to ``target``; `lock_path` must still be called.

    Raises:
        BusyError: if another process holds the lock; the message names the process.
    """
    try:
        descriptor = os.open(get_lock_file(target.resolve(), inside), os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        _flock(target, descriptor, PATIENCE)
    finally:
        os.close(descriptor)


def _acquire(target: Path, file: Path, timeout: float) -> HeldLock:
    """Make and lock ``file``."""
    while True:
        with contextlib.ExitStack() as opened:
            try:
                folder = os.open(file.parent, os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY))
                opened.callback(os.close, folder)
                descriptor = os.open(file.name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666, dir_fd=folder)
                opened.callback(os.close, descriptor)
            except OSError as error:
                kind = VanishedError if isinstance(error, FileNotFoundError) else EnvironmentFailure
                raise kind(f"{target} cannot be written: {error.strerror}; choose another path") from None
            _flock(target, descriptor, max(timeout, PATIENCE))
            if _is_same(descriptor, file):  # or its last holder has just removed it
                with contextlib.suppress(OSError):  # the number is only for messages, and the disk may be full
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                opened.pop_all()
                return HeldLock(target, file, descriptor, folder)


def _flock(target: Path, descriptor: int, timeout: float) -> None:
    """Lock the open file, waiting up to ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise BusyError(_describe_holder(target, descriptor)) from None
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks: go on without
            return
        else:
            return


def _is_same(descriptor: int, path: Path) -> bool:
    """Return whether the open file or folder is still the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _describe_holder(target: Path, descriptor: int) -> str:
    process = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    holder = f"process {process}" if process.isdigit() else "another process"
    return f"{target} is in use by {holder}; wait for it, or choose another path"
