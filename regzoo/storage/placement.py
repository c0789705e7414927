"""Where a comparison's folder may lie, and when it may be renamed: checked before anything is trained."""

from __future__ import annotations

import os
import re
from pathlib import Path

from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.ledger import FILE as LEDGER
from regzoo.storage.ledger import is_ledger
from regzoo.storage.sqlite.header import read_ledger_header
from regzoo.system.temporary_folder import SIBLING

REPETITIONS = "claims"
"""Folder, inside a comparison's, of the comparisons that repeat it with another ``search.seed``."""

_REPETITION = re.compile(r"seed_[0-9]+")

OLD_LOCK = ".lock"
"""The lock file of older versions, which left it in the folder."""


def holds_comparison(folder: Path) -> bool:
    """Return whether ``folder`` has the ledger of a comparison, finished or not."""
    return is_ledger(folder / LEDGER)


def find_repeated(folder: Path) -> Path | None:
    """Return the folder of the comparison that the one in ``folder`` repeats, by its place; None if it is none."""
    place = folder.parent
    if place.name != REPETITIONS or not _REPETITION.fullmatch(folder.name) or not holds_comparison(place.parent):
        return None
    return place.parent


def choose_repetition_folder(folder: Path, seed: int) -> Path:
    """Return the folder of the repetition with the ``search.seed`` ``seed`` of the comparison in ``folder``."""
    return folder / REPETITIONS / f"seed_{seed}"


def require_own_repetitions(folder: Path) -> None:
    """Raise if the comparison's ``folder`` has something else in the place of its repetitions.

    Raises:
        InputError: if it has; the message names it.
    """
    place = folder / REPETITIONS
    if not os.path.lexists(place):
        return
    names = sorted(each.name for each in place.iterdir()) if place.is_dir() else []
    foreign = [each for each in names if not (_REPETITION.fullmatch(each) or each.startswith(".") or SIBLING in each)]
    if foreign or not place.is_dir():
        what = f"holds {foreign[0]!r}, which is no repetition of the comparison" if foreign else "is no folder"
        raise InputError(f"{place} {what}: regzoo keeps its repetitions there; move it away or rename it")


def require_placeable(folder: Path, fresh: bool) -> None:
    """Raise if ``folder`` cannot become, or does not hold, a comparison that can be written to; write nothing.

    Args:
        folder: may be missing.
        fresh: an existing comparison is to be moved aside.

    Raises:
        InputError: if it is a file, holds something else, lies in another comparison, or cannot be renamed.
        EnvironmentFailure: if it cannot be written.
    """
    require_usable(folder)
    if fresh and holds_comparison(folder):
        require_movable(folder)
    existing = next(each for each in (folder.resolve(), *folder.resolve().parents) if each.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise EnvironmentFailure(
            f"{folder} cannot be written: {existing} is read-only; choose another folder with --out"
        )


def require_usable(folder: Path) -> None:
    """Raise if ``folder`` is something other than a comparison's folder, an empty one, or one that can be made.

    Raises:
        InputError: if it is; the message names what is in the way.
    """
    target = _resolve(folder)
    _require_utf8(target, folder)
    if target.exists() and not target.is_dir():
        raise InputError(f"{folder} is a file; choose another folder with --out")
    parent = next((each for each in target.parents if each.exists() and not each.is_dir()), None)
    if parent is not None:
        raise InputError(f"{folder} cannot be made, because {parent} is a file; choose another folder with --out")
    repeated = find_repeated(target)
    outer = next((each for each in target.parents if each != repeated and holds_comparison(each)), None)
    if outer is not None:
        raise InputError(
            f"{folder} lies in the folder of another comparison, {outer}; choose another folder with --out"
        )
    if os.path.lexists(target / LEDGER):
        read_ledger_header(target / LEDGER)  # raises if it is another program's, or damaged
        return
    foreign = _find_foreign_file(target)
    if foreign is not None:
        raise InputError(
            f"{folder} holds {foreign!r} and no comparison ({LEDGER} is missing): nothing is written there; "
            "choose another folder with --out"
        )


def require_movable(folder: Path) -> None:
    """Raise if ``folder`` cannot be moved aside: if it holds the current folder, or is a mount point.

    Raises:
        InputError: if it cannot.
        EnvironmentFailure: if the folder that it is in is read-only.
    """
    target, current = folder.resolve(), Path.cwd()
    reason = None
    if target in (current, *current.parents):
        reason = "it is the current folder" if target == current else f"the current folder {current} is in it"
    elif target in _list_home():
        reason = "your home folder is in it"
    elif os.path.ismount(target):
        reason = "it is a mount point"
    if reason is not None:
        raise InputError(
            f"--fresh renames the folder {folder}, which is not possible because {reason}: choose another folder with "
            "--out, or run the command elsewhere"
        )
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise EnvironmentFailure(
            f"--fresh renames the folder {folder}, and {target.parent} is read-only: choose another folder with --out"
        )


def _list_home() -> list[Path]:
    """Return the home folder and those that it is in; nothing if the user has none."""
    try:
        home = Path.home().resolve()
    except RuntimeError:
        return []
    return [home, *home.parents]


def _resolve(folder: Path) -> Path:
    if str(folder).startswith("~"):
        raise InputError(f"{folder} begins with ~, which only a shell replaces by a home folder: write the path out")
    try:
        target = folder.resolve()
        target.exists()  # also raises for a name that is too long
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(folder)!r} cannot be a folder ({reason}): choose another folder with --out") from None
    return target


def _require_utf8(target: Path, folder: Path) -> None:
    try:
        str(target).encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            f"{str(folder)!r}: the path {str(target)!r} is not UTF-8, and TensorFlow writes no model there: choose "
            "another folder with --out"
        ) from None


def _find_foreign_file(folder: Path) -> str | None:
    """Return the name of a file that makes ``folder`` unusable; None if it is empty, missing, or was only begun."""
    if not folder.is_dir():
        return None
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise EnvironmentFailure(
            f"{folder} cannot be read ({error.strerror}); choose another folder with --out"
        ) from None
    return next((name for name in names if name != OLD_LOCK and SIBLING not in name), None)
