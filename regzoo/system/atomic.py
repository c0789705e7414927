"""Files that appear complete or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

from regzoo.core.errors import EnvironmentFailure
from regzoo.system.temporary_folder import temporary_sibling

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a disk that is full, and of a file that may not grow further."""


def write_text_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path``; if that fails, the old file is left as it was.

    Raises:
        EnvironmentFailure: if it cannot be written; the message names ``path``.
    """
    write_bytes_atomic(path, text.encode("utf-8"))


def write_bytes_atomic(path: Path, content: bytes, named: Path | None = None) -> None:
    """Write ``content`` to ``path``; if that fails, the old file is left as it was.

    Args:
        path: the file.
        content: what to write.
        named: a path in the same folder from which the temporary file gets its name, by default ``path``.

    Raises:
        EnvironmentFailure: if it cannot be written; the message names ``path``.
    """
    try:
        with temporary_sibling(named or path) as temporary:
            temporary.write_bytes(content)
            temporary.replace(path)
    except OSError as error:
        raise EnvironmentFailure(describe_failed_write(path, error)) from None


def describe_failed_write(path: Path, error: OSError) -> str:
    """Return the sentence for a file that could not be written, with the way out."""
    if error.errno in FULL:
        way_out = "is the disk full? Nothing that was finished is lost: make room and run the same command again"
    else:
        way_out = "what was there before is unchanged; make the folder writable, or choose another path"
    return f"{path} cannot be written ({error.strerror or error}): {way_out}"
