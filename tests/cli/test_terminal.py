"""Text on the terminal: in the encoding of the stream, whatever it is."""

from __future__ import annotations

import io
import sys

import pytest

from regzoo.cli.terminal import print_text


@pytest.mark.parametrize("name", ["ascii", "latin-1", "cp037"])
def test_text_has_the_encoding_of_its_stream(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, name, errors="backslashreplace", newline="\n"))
    print_text("gr\u00f6\u00dfe \u65e5")
    expected = "gr\\xf6\\xdfe \\u65e5\n" if name == "ascii" else "gr\u00f6\u00dfe \\u65e5\n"
    assert printed.getvalue().decode(name) == expected
