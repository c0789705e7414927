"""`read_regular_file`: read a file whose path comes from outside, and wait for no pipe or device."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from regzoo.core.formatting import format_bytes
from regzoo.system.memory import get_available_memory


def read_regular_file(path: Path, most: int | None = None) -> bytes:
    """Return the content of the file ``path``; links are followed.

    Args:
        path: the file.
        most: bytes that it may have; by default those of the available memory.

    Raises:
        OSError: if it cannot be read, is a folder, a pipe or a device, or is larger; ``strerror`` says so in words.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
            raise OSError(errno.EINVAL, f"it is {kind}, and no file", str(path))
        limit = get_available_memory() if most is None else most
        if status.st_size > limit:
            raise OSError(errno.EFBIG, f"it is {format_bytes(status.st_size)} large", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(status.st_size)
    finally:
        os.close(descriptor)
