"""The grammar of recipes: parsed values, and the column in every error message."""

from __future__ import annotations

import re

import pytest

from regzoo.core import Choice, Float, InputError, Int
from regzoo.core.grammar import Call, read_call, read_sum, read_value


def test_a_sum_of_calls_with_their_columns() -> None:
    assert read_sum("dropout(0.5) + l2") == [Call("dropout", 1, (0.5,)), Call("l2", 16)]
    assert read_sum("  a+b ( x = 1 , ) ") == [Call("a", 3), Call("b", 5, (), {"x": 1})]


def test_arguments_by_position_then_by_name() -> None:
    call = read_call("f(1, 0.5, rate=.1..0.5, kind=relu, widths=[64, 32,], s=linear(0.5, 0, epochs=2))")
    assert call.positional == (1, 0.5)
    assert call.keyword == {
        "rate": Float(0.1, 0.5),
        "kind": Call("relu", 30),
        "widths": [64, 32],
        "s": Call("linear", 56, (0.5, 0), {"epochs": 2}),
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("1e-05", 1e-5),
        ("2E3", 2000.0),
        ("1..3", Int(1, 3)),
        ("1.0..3", Float(1, 3)),
        ("1e-6..1e-2", Float(1e-6, 1e-2)),
        ("1|2|4", Choice((1, 2, 4))),
        ("[]", []),
        ("[[1], 2..3]", [[1], Int(2, 3)]),
        ("word", Call("word", 1)),
        ("inf", float("inf")),
    ],
)
def test_values(text: str, value: object) -> None:
    found = read_value(text)
    assert found == value
    assert type(found) is type(value)


def test_a_word_may_begin_like_a_number() -> None:
    assert read_call("infinite") == Call("infinite", 1)
    assert read_call("nan_guard") == Call("nan_guard", 1)


@pytest.mark.parametrize(
    ("text", "reason", "column"),
    [
        ("", "expected a name", 1),
        ("   ", "expected a name", 4),
        ("+ l2", "expected a name", 1),
        ("0.5", "expected a name", 1),
        ("dropout + ", "expected a name", 11),
        ("dropout ++ l2", "expected a name", 10),
        ("dropout @", "unexpected '@'", 9),
        ("  dropout  $", "unexpected '$'", 12),
        ("dropout(0.5).x", "unexpected '.'", 13),
        ("dropout('a')", "expected a number", 9),
        ("dropout(on='a)", "a quote that is not closed", 12),
        ("dropout(on=dnse)", "expected dense", 12),
        ("dropout(on=conv_1)", "in quotes", 12),
        ("dropout(0.5, on=conv|)", "expected dense", 22),
        ("dropout(on=0.5)", "expected dense", 12),
        ("l2(on=conv, exclude='')", "a layer's name", 21),
        ("l2(on=conv, on=dense)", "expected 'on' only once", 13),
        ("dropout(0.5", "expected ')'", 12),
        ("dropout(0.5 l2", "expected ')'", 13),
        ("dropout(0.5 0.6)", "expected ')'", 13),
        ("dropout l2", "expected the end", 9),
        ("dropout(0.5))", "expected the end", 13),
        ("early_stopping(patience=5, 3)", "expected name=value after a named argument", 28),
        ("dropout(rate=.1, rate=.2)", "expected 'rate' only once", 18),
        ("mlp([1 2])", "expected ']'", 8),
        ("mlp([1", "expected ']'", 7),
        ("dropout(,)", "expected a number", 9),
        ("dropout(rate=)", "expected a number", 14),
        ("dropout(0.1..)", "expected a number", 14),
        ("dropout(0.1|)", "expected a number", 13),
        ("dropout((0.5))", "expected a number", 9),
        ("dropout(rate=0.5..0.1)", "a range goes from low to high, received 0.5..0.1", 14),
        ("dropout(.1|.1)", "a choice needs at least two different numbers, received 0.1|0.1", 9),
    ],
)
def test_every_error_names_its_column(text: str, reason: str, column: int) -> None:
    with pytest.raises(InputError) as raised:
        read_sum(text)
    message = str(raised.value)
    assert message.startswith(f"cannot read {text!r}: ")
    assert reason in message
    assert re.findall(r"at column (\d+)", message) == [str(column)]


def test_calls_and_values_end_where_they_end() -> None:
    with pytest.raises(InputError, match="expected the end at column 5, found '\\+'"):
        read_call("mlp + cnn")
    with pytest.raises(InputError, match="expected the end at column 5, found '2'"):
        read_value("0.1 2")


@pytest.mark.parametrize(
    "text", ["__import__('os')", "dropout(rate=().__class__)", "exec(x", "lambda: 0", "a if b else c"]
)
def test_python_is_not_evaluated(text: str) -> None:
    with pytest.raises(InputError, match="column"):
        read_sum(text)
