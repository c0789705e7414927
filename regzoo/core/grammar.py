"""Grammar of recipes, backbones and ranges: a tokenizer and a recursive-descent parser. Nothing is evaluated.

recipe := call ('+' call)*
call   := word ['(' [argument (',' argument)*] ')']
argument := [word '='] value | ('on' | 'exclude') '=' place ('|' place)*
place := word | quoted text
value  := number | number '..' number | number ('|' number)+ | call | '[' value, ... ']'
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from regzoo.core.errors import InputError
from regzoo.core.escaping import shorten_lines
from regzoo.core.ranges import Choice, Float, Int
from regzoo.core.selection import (
    SELECTIONS,
    WORDS,
    LayerSelection,
    describe_choices,
    reject_pattern,
    reject_unknown_word,
)

LONGEST_TEXT = 10_000
"""Characters of the longest recipe, backbone or value that is read."""

DEEPEST = 20
"""Brackets that may be open at a time; the parser calls itself for each."""

LONGEST_INTEGER = 40
"""Characters of the longest integer; Python itself reads no more than 4,300."""

_SHOWN = 200

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)\b)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<mark>\.\.|[-+(),=|\[\]])"
    r"|(?P<quoted>'[^']*'|\"[^\"]*\"))"
)


@dataclass(frozen=True)
class Call:
    """``word(arguments)`` as written; the word is not looked up yet.

    Attributes:
        word: name of a regularizer, a backbone, a schedule or an option.
        column: position of the word in the text, from 1.
        positional: arguments without a name.
        keyword: arguments by name.
    """

    word: str
    column: int = 1
    positional: tuple[Any, ...] = ()
    keyword: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def read_sum(text: str) -> list[Call]:
    """Parse a recipe: calls joined by ``+``.

    Raises:
        InputError: with the column of the error.
    """
    parser = _Parser(text)
    calls = [parser.read_call()]
    while parser.take("+"):
        calls.append(parser.read_call())
    parser.expect_end()
    return calls


def read_call(text: str) -> Call:
    """Parse one call, such as ``mlp(widths=[64, 64])``.

    Raises:
        InputError: with the column of the error.
    """
    parser = _Parser(text)
    call = parser.read_call()
    parser.expect_end()
    return call


def read_value(text: str) -> Any:
    """Parse one value, such as ``0.0003..0.01``.

    Raises:
        InputError: with the column of the error.
    """
    parser = _Parser(text)
    value = parser.read_value()
    parser.expect_end()
    return value


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokenize(text))
        self.position = 0
        self.depth = 0

    def peek(self) -> _Token:
        return self.tokens[self.position]

    def next(self) -> _Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def take(self, mark: str) -> bool:
        if self.peek().kind == "mark" and self.peek().text == mark:
            self.position += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise self.make_error(f"expected {mark!r}")

    def expect_end(self) -> None:
        if self.peek().kind != "end":
            raise self.make_error("expected the end")

    def make_error(self, expectation: str, hint: str = "") -> InputError:
        token = self.peek()
        found = f"found {_quote(token.text)}" if token.text else "found nothing more"
        where = f"at column {token.column}, {found}"
        return InputError(f"cannot read {_quote(self.text)}: {expectation} {where}{f'.{hint}' if hint else ''}")

    def read_call(self) -> Call:
        if self.peek().kind != "word":
            raise self.make_error("expected a name")
        word = self.next()
        positional: list[Any] = []
        keyword: dict[str, Any] = {}
        if self.take("("):
            while not self.take(")"):
                self.read_argument(positional, keyword)
                if not self.take(","):
                    self.expect(")")
                    break
        return Call(word.text, word.column, tuple(positional), keyword)

    def read_argument(self, positional: list[Any], keyword: dict[str, Any]) -> None:
        named = self.peek().kind == "word" and self.tokens[self.position + 1].text == "="
        if not named:
            if keyword:
                raise self.make_error("expected name=value after a named argument")
            positional.append(self.read_value())
            return
        name = self.peek().text
        if name in keyword:
            raise self.make_error(f"expected {name!r} only once")
        self.position += 2
        keyword[name] = self.read_selection() if name in SELECTIONS else self.read_value()

    def read_selection(self) -> LayerSelection:
        """Read the layers of ``on=`` or ``exclude=``: here ``|`` joins places, elsewhere the options of a choice."""
        places = [self.read_place()]
        while self.take("|"):
            places.append(self.read_place())
        words, patterns = ([place.text for place in places if place.kind == kind] for kind in ("word", "quoted"))
        return LayerSelection.make(words, [text[1:-1] for text in patterns])

    def read_place(self) -> _Token:
        token = self.peek()
        if token.kind == "word" and token.text not in WORDS:
            raise self.make_error(f"expected {describe_choices()}", reject_unknown_word(token.text))
        if token.kind not in ("word", "quoted"):
            raise self.make_error(f"expected {describe_choices()}")
        if token.kind == "quoted" and (reason := reject_pattern(token.text[1:-1])):
            raise self.make_error(f"expected {reason}")
        return self.next()

    def read_value(self) -> Any:
        if self.depth == DEEPEST:
            raise self.make_error(f"expected at most {DEEPEST} brackets inside one another")
        self.depth += 1
        value = self.read_list_call_or_number()
        self.depth -= 1
        return value

    def read_list_call_or_number(self) -> Any:
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.read_value())
                if not self.take(","):
                    self.expect("]")
                    break
            return items
        if self.peek().kind == "word":
            return self.read_call()
        column = self.peek().column
        first = self.read_number()
        if self.take(".."):
            last = self.read_number()
            whole = isinstance(first, int) and isinstance(last, int)
            return self.make_range(column, Int if whole else Float, first, last)
        options = [first]
        while self.take("|"):
            options.append(self.read_number())
        return self.make_range(column, Choice, tuple(options)) if len(options) > 1 else first

    def make_range(self, column: int, kind: type, *arguments: Any) -> Any:
        try:
            return kind(*arguments)
        except ValueError as error:
            raise InputError(f"cannot read {_quote(self.text)}: at column {column}, {error}") from None

    def read_number(self) -> float:
        token = self.peek()
        if token.kind != "number":
            raise self.make_error("expected a number")
        whole = re.fullmatch(r"[+-]?\d+", token.text)
        if whole and len(token.text) > LONGEST_INTEGER:
            raise self.make_error(f"expected a number of at most {LONGEST_INTEGER} digits")
        value = int(token.text) if whole else float(token.text)
        if not whole and math.isinf(value) and "inf" not in token.text:
            raise self.make_error("expected a number that float64 holds, up to 1.8e308")
        self.position += 1
        return value


def _quote(text: str) -> str:
    """Return ``text`` in quotes, shortened."""
    return repr(shorten_lines(text, _SHOWN))


def _tokenize(text: str) -> list[_Token]:
    if len(text) > LONGEST_TEXT:
        raise InputError(f"cannot read {_quote(text)}: {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
    found = []
    position = 0
    stop = len(text.rstrip())
    while position < stop:
        match = _TOKEN.match(text, position)
        if match is None:
            column = position + 1 + len(text[position:]) - len(text[position:].lstrip())
            reason = "a quote that is not closed" if text[column - 1] in "'\"" else f"unexpected {text[column - 1]!r}"
            raise InputError(f"cannot read {_quote(text)}: {reason} at column {column}")
        kind = match.lastgroup or "mark"
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        position = match.end()
    found.append(_Token("end", "", len(text) + 1))
    return found
