"""`replace_output`: write a file whose path the user names, and never over a file of the user's."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regzoo.core.errors import EnvironmentFailure, InputError
from regzoo.system.atomic import describe_failed_write, write_bytes_atomic
from regzoo.system.lock import lock_path


@dataclass(frozen=True)
class OutputKind:
    """A kind of file that regzoo writes to a path of the user's choice.

    Attributes:
        title: what it is, such as ``report``.
        recognize: tells from the content whether regzoo wrote a file of this kind.
        alias: name from which temporary files get theirs, if another program would read files called like this one.
    """

    title: str
    recognize: Callable[[bytes], bool]
    alias: str | None = None


def replace_output(path: Path, content: bytes, kind: OutputKind) -> None:
    """Write ``content`` to ``path``; only an older output of the same kind is replaced. Missing folders are made.

    Raises:
        InputError: if there is anything else at ``path``; it is left as it is.
        EnvironmentFailure: if the file cannot be written, or another process is writing it; the old one is unchanged.
    """
    target = _resolve(path)
    require_replaceable(path, kind, content)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(describe_failed_write(path, error)) from None
    named = target.with_name(kind.alias or target.name)
    with lock_path(named, timeout=10.0):
        require_replaceable(path, kind, content)
        write_bytes_atomic(target, content, named)


def require_replaceable(path: Path, kind: OutputKind, content: bytes | None = None) -> None:
    """Raise if there is anything at ``path`` but an older output of the same kind, or exactly ``content``.

    Raises:
        InputError: if there is; the message names it.
        EnvironmentFailure: if it cannot be read.
    """
    target = _resolve(path)
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise InputError(f"{path} cannot be written: {reason}; choose another path") from None
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise InputError(f"{path} is {what}; choose the path of a file for the {kind.title}")
    try:
        present = target.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(f"{path} exists and cannot be read ({error.strerror}); choose another path") from None
    if present != content and not kind.recognize(present):
        raise InputError(
            f"{path} exists and is not a {kind.title} as regzoo writes it, or was changed since: it is left as it is; "
            "remove it, or choose another path"
        )


def _resolve(path: Path) -> Path:
    """Return the path with all links followed, so that a link is kept and its target replaced."""
    if str(path).startswith("~"):
        raise InputError(f"{path} begins with ~, which only a shell replaces by a home folder: write the path out")
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL
        raise InputError(f"{path!s} cannot be written ({error}); choose another path") from None
