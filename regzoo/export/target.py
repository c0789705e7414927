"""The folder that an export is written to: checked before anything is trained, locked, and replaced at the very end.

A folder counts as regzoo's own only if its contents prove it, see `regzoo.export.manifest`. Nothing else is touched.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import MovedAsideWarning
from regzoo.export.manifest import find_foreign_file
from regzoo.storage.ledger import FILE as LEDGER
from regzoo.storage.sqlite.header import is_ledger
from regzoo.system.lock import lock_path
from regzoo.system.move_aside import move_aside, move_to_free_name
from regzoo.system.signals import delay_interrupts
from regzoo.system.temporary_folder import temporary_sibling


@dataclass
class Target:
    """Where a model is written.

    Attributes:
        temporary: an unused path to write it to.
        path: where it is, once the block of `open_target` has ended.
    """

    temporary: Path
    path: Path


def check_target(to: Path, comparison: Path) -> Path:
    """Return the folder that ``to`` leads to, where a model of the comparison in ``comparison`` may be written.

    Raises:
        InputError: if ``to`` cannot be a model's folder, or is there and is not exactly an older export; the message
            names the first file that is not.
    """
    name = str(to)
    if "\0" in name or not _is_utf8(name):
        raise InputError(f"{name!r} takes a path without NUL and in UTF-8: TensorFlow writes no other; choose another")
    if name.startswith("~"):
        raise InputError(f"{to} begins with ~, which only a shell replaces by a home folder: write the path out")
    try:
        if to.is_symlink() and not to.exists():
            raise InputError(f"{to} is a link that leads nowhere: remove it, or choose another path")
        folder = to.resolve()
        there = os.path.lexists(folder)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        reason = error.strerror if isinstance(error, OSError) else "it is a loop of links"
        raise EnvironmentFailure(f"{to} cannot be written: {reason}; choose another path") from None
    _reject_place(to, folder, comparison.resolve())
    if there:
        foreign = find_foreign_file(folder) if folder.is_dir() else "it is a file"
        if foreign:
            raise InputError(
                f"{to} exists and is no unchanged model exported by regzoo: nothing was overwritten; "
                f"choose another path ({foreign})"
            )
    return folder


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reject_place(to: Path, folder: Path, comparison: Path) -> None:
    """Raise InputError if a model's folder may not be at ``folder``."""
    if Path.cwd().is_relative_to(folder):
        raise InputError(f"{str(to)!r} holds the current folder, so it is no folder for a model: choose a new one")
    if comparison.is_relative_to(folder):
        raise InputError(f"{to} holds the comparison itself, so it is no folder for a model: choose a new one")
    if folder.is_relative_to(comparison) or any(is_ledger(parent / LEDGER) for parent in folder.parents):
        raise InputError(f"{to} lies in a comparison's own folder, which regzoo keeps: choose a path outside of it")


@contextlib.contextmanager
def open_target(to: Path, comparison: Path) -> Iterator[Target]:
    """Yield an unused path for a model that becomes ``to`` when the block ends without an error.

    An older export that is at ``to`` is moved aside then, to the first free of ``to.1``, ``to.2``, ... Whatever else
    has appeared at ``to`` meanwhile is kept, and the model gets one of these names, since it may have taken long. Both
    are reported in a `MovedAsideWarning`. Nobody else may export to ``to`` meanwhile. Folders above ``to`` are made,
    and removed if the block fails.

    Raises:
        InputError: as `check_target`, before the block runs.
        BusyError: if another process is exporting to ``to``.
        EnvironmentFailure: if ``to`` cannot be written.
    """
    folder = check_target(to, comparison)
    with _make_parents(folder), lock_path(folder) as lock:
        check_target(to, comparison)  # nobody else exports to it from now on
        with temporary_sibling(folder) as temporary:
            _require_writable(temporary, to)
            target = Target(temporary, to)
            yield target
            lock.require_held()
            sentence = _place(target, folder, comparison)
    if sentence is not None:
        warnings.warn(MovedAsideWarning(sentence), stacklevel=3)


def _place(target: Target, folder: Path, comparison: Path) -> str | None:
    """Give the model its name; return a sentence if something was moved aside, or it got another name."""
    try:
        check_target(target.path, comparison)
    except InputError as error:
        free = move_to_free_name(target.temporary, folder)
        target.path = free
        return f"{error}: it appeared while the model was made; the model is {free}"
    aside = _swap(target.temporary, folder)
    return None if aside is None else f"{target.path}: the older export there is now {aside}"


@contextlib.contextmanager
def open_own_model(folder: Path, is_own: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield an unused path for a model that becomes ``folder``, inside a comparison's own, when the block ends.

    An unchanged older model of this comparison is replaced, because it can be made again. Anything else at ``folder``
    is moved aside with a `MovedAsideWarning`, so that a comparison does not end in a refusal.

    Args:
        folder: the model's.
        is_own: tells whether the unchanged model in a folder is one of this comparison.

    Raises:
        BusyError: if another process is writing to ``folder``.
        EnvironmentFailure: if ``folder`` cannot be written.
    """
    with lock_path(folder) as lock, temporary_sibling(folder) as temporary:
        _require_writable(temporary, folder)
        yield temporary
        foreign = _find_foreign_model(folder, is_own)
        lock.require_held()
        if foreign is None and folder.exists():
            with temporary_sibling(folder) as old:
                _swap(temporary, folder, old)
            return
        aside = _swap(temporary, folder)
    if aside is not None:
        sentence = f"{folder} was not as this comparison wrote it ({foreign}): what was there is now {aside}"
        warnings.warn(MovedAsideWarning(sentence), stacklevel=3)


def _find_foreign_model(folder: Path, is_own: Callable[[Path], bool]) -> str | None:
    """Return what shows that ``folder``, if it is there, is no unchanged own model; None if it may be replaced."""
    if not os.path.lexists(folder):
        return None
    if folder.is_symlink() or not folder.is_dir():
        return "it is a link" if folder.is_symlink() else "it is a file"
    if not any(folder.iterdir()):
        return None
    foreign = find_foreign_file(folder, with_format_1=False)
    return foreign or (None if is_own(folder) else "it is another model")


def _require_writable(temporary: Path, target: Path) -> None:
    """Make the empty folder that is written to before it is renamed."""
    try:
        temporary.mkdir()
    except OSError as error:
        raise EnvironmentFailure(f"{target} cannot be written: {error.strerror}; choose another path") from None


@contextlib.contextmanager
def _make_parents(folder: Path) -> Iterator[None]:
    """Make the folders above ``folder``; remove those that were made here if the block fails."""
    missing = [parent for parent in folder.parents if not parent.exists()]
    made: list[Path] = []
    try:
        try:
            for parent in reversed(missing):
                parent.mkdir(exist_ok=True)
                made.insert(0, parent)
        except OSError as error:
            raise EnvironmentFailure(f"{folder} cannot be written: {error.strerror}; choose another path") from None
        yield
    except BaseException:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _swap(temporary: Path, folder: Path, old: Path | None = None) -> Path | None:
    """Rename ``temporary`` to ``folder``, and what was there to ``old``, by default as `move_aside` does.

    Returns:
        The name that what was there has now; None if nothing was.
    """
    with delay_interrupts():  # an interrupt between the two would leave neither at its name
        if not os.path.lexists(folder):
            temporary.rename(folder)
            return None
        aside = move_aside(folder) if old is None else folder.rename(old)
        try:
            temporary.rename(folder)
        except BaseException:
            aside.rename(folder)
            raise
    return aside
