"""Standard streams that are closed, full, or read no longer: what the command line does then.

A stream that is closed when the process starts is replaced by the null device: otherwise the next file that is opened,
such as a ledger, gets its number, and messages of TensorFlow are written into that file. Whoever stops reading stdout
(``| head``) has read enough, so the rest is dropped and the command goes on. A message that stderr cannot take is
dropped, since there is nowhere to say so. Any other error of stdout is raised, once.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from typing import Any, TextIO

from regzoo.core.escaping import escape_control_characters

_FORMAT_WARNING = warnings.formatwarning


def open_missing_descriptors() -> None:
    """Open the null device as those of stdin, stdout and stderr that are closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)


def prepare_streams() -> None:
    """Make stdout and stderr of this process take any text, and lose what nobody can read; see the module."""
    open_missing_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.flush()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    sys.stdout = _open_stream(1, sys.stdout, BrokenPipeError)
    sys.stderr = _open_stream(2, sys.stderr, OSError)
    warnings.formatwarning = _format_warning  # type: ignore[assignment]  # its parameters have names


def _format_warning(*arguments: Any) -> str:
    """Return a warning as Python prints it, but without control characters: it may quote a text from outside."""
    return escape_control_characters(_FORMAT_WARNING(*arguments))


def _open_stream(descriptor: int, replaced: TextIO | None, ignored: type[OSError]) -> io.TextIOWrapper:
    """Return a text stream to ``descriptor`` that writes characters out which its encoding does not have."""
    encoding = getattr(replaced, "encoding", None) or "utf-8"
    raw = _Descriptor(descriptor, ignored)
    by_line = descriptor == 2 or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=by_line)


class _Descriptor(io.FileIO):
    """A descriptor that drops what cannot be written after an error; errors of other kinds than ``ignored`` are raised.

    They are raised once: Python flushes the streams again when it exits, which would change the exit code.
    """

    def __init__(self, descriptor: int, ignored: type[OSError]) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._ignored = ignored
        self._failed = False

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self._failed:
            return size
        try:
            return super().write(data)
        except OSError as error:
            self._failed = True
            if isinstance(error, self._ignored):
                return size
            raise
