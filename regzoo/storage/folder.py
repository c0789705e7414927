"""A comparison's own folder: one process at a time writes to it, and no folder with other contents is used."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regzoo.core import EnvironmentFailure
from regzoo.core.errors import BusyError
from regzoo.storage import placement
from regzoo.storage.ledger import FILE as LEDGER
from regzoo.system import lock
from regzoo.system.atomic import describe_failed_write
from regzoo.system.lock import HeldLock, VanishedError, lock_path
from regzoo.system.move_aside import move_aside
from regzoo.system.temporary_folder import TemporaryFolder

CONFIG = "config.yaml"
"""Name of the resolved config in a comparison's folder."""

_OUTPUTS = "report"  # the lock of this name is the lock of all files that are written next to the ledger
_MODEL = "model"  # an export locks it
_OUTPUTS_TIMEOUT = 60.0  # seconds to wait for ``regzoo report`` during a comparison, and the other way round


@dataclass
class HeldFolder:
    """A comparison's folder that this process has locked.

    Attributes:
        lock: the lock.
    """

    lock: HeldLock
    _ledger: os.stat_result | None = field(default=None, init=False)

    def require_held(self) -> None:
        """Raise if the lock file, the ledger or the folder was deleted, renamed or replaced.

        Raises:
            EnvironmentFailure: with a sentence that says which.
        """
        self.lock.require_held()
        path = self.lock.target / LEDGER
        with contextlib.suppress(FileNotFoundError):
            present = path.stat()
            if self._ledger is None:
                self._ledger = present
            if os.path.samestat(self._ledger, present):
                return
        if self._ledger is not None:
            raise EnvironmentFailure(
                f"{path} was deleted or replaced while this process was writing to it, so this one stops; run the same "
                "command again, which goes on with what the ledger that is there now holds"
            )


@contextlib.contextmanager
def lock_folder(folder: Path, fresh: bool = False) -> Iterator[HeldFolder]:
    """Create ``folder`` if it is missing, and keep other processes from writing to it while the block runs.

    A folder that was created and is still empty afterwards is removed.

    Args:
        folder: the comparison's folder.
        fresh: first move a comparison that is there aside, see `archive_existing`.

    Raises:
        InputError: if it is a file, or holds something other than a comparison.
        BusyError: if another process holds the lock; the message names the process.
        EnvironmentFailure: if the folder cannot be written.
    """
    placement.require_usable(folder)
    with _make_and_lock(folder, fresh) as own:
        placement.require_usable(folder)
        _remove_old_lock(folder)
        held = HeldFolder(own)
        try:
            yield held
        except (EnvironmentFailure, OSError):
            held.require_held()  # says it better than whatever failed because the folder is gone
            raise


@contextlib.contextmanager
def lock_outputs(folder: Path) -> Iterator[HeldLock]:
    """Keep other processes from writing report, leaderboard and config into ``folder`` while the block runs.

    They may be written while another process holds `lock_folder` to make runs.

    Raises:
        EnvironmentFailure: if another process does not finish, or the folder cannot be written.
    """
    with lock_path(folder / _OUTPUTS, timeout=_OUTPUTS_TIMEOUT) as held:
        yield held


def require_unlocked(folder: Path) -> None:
    """Raise if another process writes to ``folder``; `lock_folder` must still be called.

    Raises:
        BusyError: if another process holds the lock; the message names the process.
    """
    lock.require_unlocked(folder, inside=True)
    _require_old_unlocked(folder)


def archive_existing(folder: Path) -> Path | None:
    """Rename the comparison in ``folder`` to the first free of ``folder.1``, ``folder.2``, ...

    Returns:
        The new path; None if ``folder`` holds no comparison.

    Raises:
        InputError: if the folder cannot be renamed, such as the current one.
        BusyError: if another process is writing to it.
    """
    if not placement.holds_comparison(folder):
        return None
    placement.require_movable(folder)
    owner = TemporaryFolder()  # for the lock files in the archive, if this process is killed after the rename
    try:
        while placement.holds_comparison(folder):
            with contextlib.suppress(VanishedError), _lock_whole(folder) as locks:
                if placement.holds_comparison(folder):  # or another process has just begun in its place
                    return move_aside(folder.resolve(), lambda archive: _adopt_all(owner, archive, locks))
    finally:
        owner.remove()
    return None


@contextlib.contextmanager
def _lock_whole(folder: Path) -> Iterator[Sequence[HeldLock]]:
    """Keep every other process from writing into ``folder``."""
    with contextlib.ExitStack() as stack:
        locks = [stack.enter_context(lock_path(folder, inside=True))]
        if (folder / _MODEL).resolve().parent.is_dir():  # or it is a link that leads nowhere
            locks.append(stack.enter_context(lock_path(folder / _MODEL)))
        if (folder / placement.REPETITIONS).resolve().parent.is_dir():
            locks.append(stack.enter_context(lock_path(folder / placement.REPETITIONS)))
        locks.append(stack.enter_context(lock_outputs(folder)))
        _remove_old_lock(folder)
        yield locks


def _adopt_all(owner: TemporaryFolder, archive: Path, locks: Sequence[HeldLock]) -> None:
    for held in locks:
        owner.adopt(archive / held.file.name)


@contextlib.contextmanager
def _make_and_lock(folder: Path, fresh: bool) -> Iterator[HeldLock]:
    """Make ``folder``, unless it is there, and lock it; remove it afterwards if it was made and is empty.

    Other processes may start over in the same folder meanwhile: theirs may vanish, or be finished, before it is locked.
    """
    while True:
        if fresh:
            archive_existing(folder)
        with contextlib.ExitStack() as stack, contextlib.suppress(VanishedError):
            for made in make_folders(folder.resolve()):
                stack.callback(remove_if_empty, made)
            own = stack.enter_context(lock_path(folder, inside=True))
            if not (fresh and placement.holds_comparison(folder)):
                locked = stack.pop_all()
                break
    with locked:
        yield own


def remove_if_empty(folder: Path) -> None:
    """Remove ``folder`` unless it holds something, or is gone."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def make_folders(folder: Path) -> list[Path]:
    """Make ``folder`` and its parents; return those that were made, the innermost last.

    Raises:
        EnvironmentFailure: if one cannot be made.
    """
    made: list[Path] = []
    try:
        for each in reversed([folder, *folder.parents]):
            if not each.is_dir():
                each.mkdir(exist_ok=True)
                made.append(each)
    except OSError as error:
        raise EnvironmentFailure(describe_failed_write(folder, error)) from None
    return made


def _require_old_unlocked(folder: Path) -> None:
    """Raise if a process of an older regzoo writes to ``folder``."""
    try:
        descriptor = os.open(folder / placement.OLD_LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        holder = f"process {process}" if process.isdigit() else "another process"
        raise BusyError(f"{folder} is in use by {holder}; wait for it, or choose another folder") from None
    except OSError:  # a file system without locks
        pass
    finally:
        os.close(descriptor)


def _remove_old_lock(folder: Path) -> None:
    """Remove the lock file that an older regzoo left: one that is empty, or holds the number of a process."""
    _require_old_unlocked(folder)
    file = folder / placement.OLD_LOCK
    with contextlib.suppress(OSError):
        if file.is_file() and not file.is_symlink() and re.fullmatch(rb"([0-9]+\n)?", file.read_bytes()):
            file.unlink()
