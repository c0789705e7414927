"""Standard streams that are closed, full, or read no longer: what the command line does then.

A stream that is closed when the process starts is replaced by the null device: otherwise the next file that is opened,
such as a ledger, gets its number, and messages of TensorFlow are written into that file. Whoever stops reading stdout
(``| head``) has read enough, so the rest is dropped and the command goes on. A message that stderr cannot take is
dropped, since there is nowhere to say so. Any other error of stdout is raised, once; a command that writes files drops
it too (`make_stdout_optional`), and a warning says so. Characters that an encoding lacks are written out.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import sys
import warnings
from typing import Any, TextIO

from regzoo.core.escaping import escape_control_characters

_WRITE_OUT = "regzoo.write_out"
"""Name of the error handler of our streams."""

_PLAIN = {"\N{PLUS-MINUS SIGN}": "+/-", "\N{HORIZONTAL ELLIPSIS}": "..."}
"""Characters of our own tables, and what stands for them where an encoding lacks them."""

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
    """Make stdout and stderr of this process take any text, and lose what nobody can read; see the module.

    A terminal that does not say its type gets plain text.
    """
    open_missing_descriptors()
    os.environ.setdefault("TERM", "dumb")
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


def make_stdout_optional() -> None:
    """Drop from now on what stdout cannot take, because the product of the command is in files."""
    if (raw := _get_descriptor()) is not None:
        raw.ignored = OSError


def get_lost_output() -> OSError | None:
    """Return the error after which the rest of stdout was dropped, None if it took all; a closed pipe is none."""
    raw = _get_descriptor()
    return None if raw is None or isinstance(raw.error, BrokenPipeError) else raw.error


def _get_descriptor() -> _Descriptor | None:
    """Return what writes to stdout; None if `prepare_streams` has not been called, as in a test."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Descriptor) else None


def _write_out(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what is written in place of characters that an encoding lacks, and where to go on."""
    if isinstance(error, UnicodeEncodeError) and error.object[error.start] in _PLAIN:
        return _PLAIN[error.object[error.start]], error.start + 1
    if isinstance(error, UnicodeEncodeError):  # up to the next character that has a form of its own
        ends = (i for i in range(error.start, error.end) if error.object[i] in _PLAIN)
        error.end = next(ends, error.end)
    return codecs.backslashreplace_errors(error)


def _open_stream(descriptor: int, replaced: TextIO | None, ignored: type[OSError]) -> io.TextIOWrapper:
    """Return a text stream to ``descriptor`` that writes characters out which its encoding does not have."""
    codecs.register_error(_WRITE_OUT, _write_out)
    encoding = getattr(replaced, "encoding", None) or "utf-8"
    raw = _Descriptor(descriptor, ignored)
    by_line = descriptor == 2 or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors=_WRITE_OUT, line_buffering=by_line)


class _Descriptor(io.FileIO):
    """A descriptor that drops what cannot be written after an error; errors of other kinds than ``ignored`` are raised.

    They are raised once: Python flushes the streams again when it exits, which would change the exit code. A pipe that
    does not block is waited for.

    Attributes:
        ignored: the class of errors that are not raised.
        error: the first error, None so far.
    """

    def __init__(self, descriptor: int, ignored: type[OSError]) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.ignored = ignored
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if self.error is not None:
            return size
        try:
            while (written := super().write(data)) is None:
                select.select([], [self.fileno()], [])
            return written
        except OSError as error:
            self.error = error
            if isinstance(error, self.ignored):
                return size
            raise
