"""`lock_path`: one writer at a time for each file or folder that regzoo writes, across processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regzoo.core.errors import BusyError, EnvironmentFailure
from regzoo.system.temporary_folder import SIBLING, TemporaryFolder


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds on ``target``.

    Attributes:
        target: what is locked.
        file: the lock file.
        descriptor: of the open lock file.
    """

    target: Path
    file: Path
    descriptor: int

    def require_held(self) -> None:
        """Raise if the lock file was deleted or replaced, so that another process may have locked ``target`` too.

        Raises:
            EnvironmentFailure: if this process no longer holds the lock alone.
        """
        if not _is_same_file(self.descriptor, self.file):
            raise EnvironmentFailure(
                f"the lock file {self.file} was deleted while this process was writing to {self.target}, so another "
                "process may be writing to it as well: this one stops. Nothing that was finished is lost; run the same "
                "command again, and leave the lock file alone"
            )


def get_lock_file(target: Path) -> Path:
    """Return the path of the lock file of ``target``; it exists only while someone writes to ``target``."""
    return target.with_name(f".{target.name[:100]}{SIBLING}lock")


@contextlib.contextmanager
def lock_path(target: Path) -> Iterator[HeldLock]:
    """Keep other processes from writing to ``target``, a file or a folder, while the block runs.

    The lock is a file next to ``target``, whose folder must exist. The lock ends with the process, however the process
    ends; the file is removed at the end, or by the next command if this process is killed.

    Raises:
        BusyError: if another process, or another block of this one, holds the lock; the message names the process.
        EnvironmentFailure: if the lock file cannot be made.
    """
    file, owner = get_lock_file(target.resolve()), TemporaryFolder()
    try:
        owner.adopt(file)
        lock = HeldLock(target, file, _acquire(target, file))
        try:
            yield lock
        finally:
            if _is_same_file(lock.descriptor, file):  # or it is the lock of another process by now
                file.unlink(missing_ok=True)
            os.close(lock.descriptor)
    finally:
        owner.remove()


def require_unlocked(target: Path) -> None:
    """Raise if another process writes to ``target``; `lock_path` must still be called.

    Raises:
        BusyError: if another process holds the lock; the message names the process.
    """
    try:
        descriptor = os.open(get_lock_file(target.resolve()), os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BusyError(_describe_holder(target, descriptor)) from None
    finally:
        os.close(descriptor)


def _acquire(target: Path, file: Path) -> int:
    """Return the descriptor of the locked file."""
    while True:
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise EnvironmentFailure(f"{target} cannot be written: {error.strerror}; choose another path") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = _describe_holder(target, descriptor)
            os.close(descriptor)
            raise BusyError(message) from None
        except OSError:  # a file system without locks: go on without
            pass
        if _is_same_file(descriptor, file):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor
        os.close(descriptor)  # its last holder has just removed it


def _is_same_file(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.lstat())
    except OSError:
        return False


def _describe_holder(target: Path, descriptor: int) -> str:
    process = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    holder = f"process {process}" if process.isdigit() else "another process"
    return f"{target} is in use by {holder}; wait for it, or choose another path"
