"""Numbers in text: values by hand, and that what is written in a reading is read back to the last bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from regzoo.data.reading.numbers import find_currency, format_number, parse_number
from regzoo.data.reading.reading import DECIMALS, THOUSANDS, Reading


@pytest.mark.parametrize(
    ("text", "reading", "number"),
    [
        ("1.234,5", Reading(",", "."), 1234.5),
        ("1234,5", Reading(",", "."), 1234.5),
        ("-1.234.567", Reading(",", "."), -1234567),
        ("1.23,5", Reading(",", "."), None),
        ("1.5", Reading(",", "."), None),  # no group of three digits
        ("0.123", Reading(",", "."), None),  # no thousands begin with 0
        ("1,234.5", Reading(thousands=","), 1234.5),
        ("12,34,567", Reading(thousands=","), 1234567),
        ("1 234 567,8", Reading(",", " "), 1234567.8),
        ("1\u00a0234\u202f567", Reading(",", " "), 1234567),
        ("1'234.5", Reading(thousands="'"), 1234.5),
        ("1\u2019234", Reading(thousands="'"), 1234),
        ("$1,234.50", Reading(thousands=",", currency="$"), 1234.5),
        ("-$5", Reading(currency="$"), -5),
        ("$-5", Reading(currency="$"), -5),
        ("5 $", Reading(currency="$"), 5),
        ("5", Reading(currency="$"), 5),
        ("€5", Reading(currency="$"), None),
        ("5,5 kr", Reading(",", currency="kr"), 5.5),
        ("48.7 %", Reading(percent=True), 48.7),
        ("48.7", Reading(percent=True), 48.7),
        ("48.7%", Reading(), None),
        ("\u22125", Reading(), -5),
        ("+5.", Reading(), 5),
        (".5e-3", Reading(), 0.0005),
        (",5", Reading(","), 0.5),
        ("1,5,5", Reading(","), None),
        ("\u0665", Reading(), None),  # a digit that TensorFlow does not read
        ("5\n", Reading(), None),
        ("", Reading(), None),
    ],
)
def test_numbers_by_hand(text: str, reading: Reading, number: float | None) -> None:
    assert parse_number(text, reading) == number


def test_what_is_written_is_read_back() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate(
        [random.normal(size=60) * 10.0 ** random.integers(-20, 20, 60), [0.0, 2.0**60, 1e22, -1e-7]]
    )
    for decimal, thousands in itertools.product(DECIMALS, ("", *THOUSANDS)):
        if decimal == thousands:
            continue
        reading = Reading(decimal, thousands, "€", True)
        assert [parse_number(format_number(value, reading), reading) for value in values] == values.tolist()
    assert format_number(np.int64(2**53 + 1), Reading(",")) == "9007199254740993"


def test_currencies_stand_next_to_a_number() -> None:
    given = ("$5", "- R$ 5", "5 EUR", "EURO 5", "5€", "kr 5", "krone", "cake", "5")
    assert [find_currency(text) for text in given] == ["$", "R$", "EUR", "", "€", "kr", "", "", ""]
