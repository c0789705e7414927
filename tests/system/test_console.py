"""A console of progress: no stream can break it, and a terminal without a type gets no control characters."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pytest
from rich.text import Text

from regzoo.comparison.progress import LiveProgress
from regzoo.system.console import PlainConsole, make_stderr_console


class Full(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text: str) -> int:
        """Fail as a full disk does."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """Fail as a terminal does that is gone."""
        raise OSError(5, "Input/output error")


def make_closed() -> io.StringIO:
    """Return a stream that is closed."""
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Full(), make_closed(), None], ids=["full", "closed", "none"])
def test_progress_goes_on_if_stderr_takes_nothing(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with LiveProgress(make_stderr_console()) as progress:
        progress.show_phase("writing")
        progress.print_line("done")


def test_an_encoding_gets_the_rest_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    make_stderr_console().print(Text("5 \u00b1 1"))
    assert raw.getvalue() == b"5 \\xb1 1\n"


@pytest.mark.parametrize(("term", "plain"), [("dumb", True), (None, True), ("xterm", False)])
def test_a_dumb_terminal_gets_lines(term: str | None, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setitem(os.environ, "TERM", term)
    stream = io.StringIO()
    with LiveProgress(PlainConsole(file=stream, force_terminal=True)) as progress:
        progress.show_phase("writing")
    assert ("\x1b" not in stream.getvalue()) == plain
    assert "writing\n" in stream.getvalue()
