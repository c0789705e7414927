"""Text from outside: what is obeyed anywhere is escaped, what is read stays as it is."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Any

import pytest

from regzoo.core.escaping import (
    escape_control_characters,
    escape_formula,
    escape_json,
    escape_markdown,
    format_code_span,
    shorten_lines,
)

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
OBEYED = [c for c in EVERY if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and c not in "\n\t"]


def test_every_character_that_is_obeyed_is_written_out_and_every_other_is_kept() -> None:
    escaped = escape_control_characters("".join(OBEYED))
    assert escaped.isascii()
    assert escaped.isprintable()
    kept = "".join(sorted(set(EVERY) - set(OBEYED)))
    assert escape_control_characters(kept) == kept
    assert escape_control_characters(escaped) == escaped


def test_json_stays_json() -> None:
    some = [*OBEYED[:200], *OBEYED[200::5000]]
    text = json.dumps({c: c for c in some}, ensure_ascii=False)
    assert json.loads(escape_json(text)) == json.loads(text)
    assert set(escape_json(text)) & set(some) == set()
    assert escape_json('{"ä": [1]}\n') == '{"ä": [1]}\n'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((f"{before}{sign}1", f"'{before}{sign}1") for before in ("", " ", "\t") for sign in "=+-@＝＋－＠"),  # noqa: RUF001
        ("\ta", "'\ta"),
        ("\ra", "'\\ra"),
        ("a=1", "a=1"),
        ("a\x1b[0m", "a\\x1b[0m"),
        (-1.5, -1.5),
        (True, True),
    ],
)
def test_formulas_are_text(value: Any, written: Any) -> None:
    assert escape_formula(value) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("dropout(0.1|0.5)", r"dropout(0.1\|0.5)"),
        ("- item", r"\- item"),
        ("12) item", r"12\) item"),
        ("= x", r"\= x"),
        ("1.5 and -2", "1.5 and -2"),
        ("[a](https://b.c)", r"\[a\](https\://b.c)"),
        ("www.b.c, a@b.c", r"www\.b.c, a\@b.c"),
        ("$x$ &amp; <!-- ", r"\$x\$ \&amp; \<!--"),
        ("two\nlines\u2028three", r"two lines\\u2028three"),
    ],
)
def test_markdown_shows_the_characters(text: str, written: str) -> None:
    assert escape_markdown(text) == written


def test_code_cannot_be_left() -> None:
    assert format_code_span("a``b\n# c") == "``` a``b # c ```"


def test_only_long_lines_are_shortened() -> None:
    text = "short\n" + "a" * 5000 + "the end"
    shown = shorten_lines(text, 100).split("\n")
    assert shown[0] == "short"
    assert len(shown[1]) <= 103
    assert shown[1].endswith("the end")
