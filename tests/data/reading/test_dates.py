"""Dates: which texts are parsed as a date, and which are not."""

from __future__ import annotations

import datetime

import pytest

from regzoo.data.reading.dates import Moment, format_date, has_month_name, parse_date


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("1970-01-01", (0, 0)),
        ("1969-12-31", (-1, 0)),
        ("2024-02-29", (19782, 0)),  # 54 years of 365 days, 13 leap days before 2024, 59 days of 2024
        ("2024/2/29", (19782, 0)),
        ("29.2.2024", (19782, 0)),
        ("29.02.2024 23:59", (19782, 86340)),
        ("2024-02-29T00:00:01", (19782, 1)),
        ("2024-02-29 00:00:01.25Z", (19782, 1.25)),
        ("2024-02-29 00:00:01.000", (19782, 1)),
        ("2024-02-29T01:00+00:00", (19782, 3600)),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("0000-01-01", None),
        ("2024-01-01T24:00", None),
        ("2024-01-01T12:00+01:00", None),
        ("01/02/2024", None),
        ("24-01-01", None),
        ("2024-01", None),
        ("20240101", None),
        ("2024-01-01\n", None),
        ("202\u0664-01-01", None),  # digits that TensorFlow does not read
        ("", None),
    ],
)
def test_dates_by_hand(text: str, when: Moment | None) -> None:
    assert parse_date(text) == when


@pytest.mark.parametrize(
    ("text", "zoned", "when"),
    [
        ("29 Feb 2024", False, (19782, 0)),
        ("29-FEB-2024 23:59", False, (19782, 86340)),
        ("February 29, 2024", False, (19782, 0)),
        ("Feb. 29 2024 11:59 PM", False, (19782, 86340)),
        ("Thursday, 29 February 2024", False, (19782, 0)),
        ("Thu, 29 Feb 2024 01:00:00 +0100", True, (19782, 0)),
        ("1 Sept 2023", False, (19601, 0)),
        ("30 Feb 2024", False, None),
        ("29 Feb 24", False, None),
        ("29 Febbraio 2024", False, None),
        ("Feb 2024", False, None),
        ("2024-02-29", False, (19782, 0)),
    ],
)
def test_dates_with_names_of_months(text: str, zoned: bool, when: Moment | None) -> None:
    assert parse_date(text, zoned=zoned, named=True) == when
    assert (parse_date(text, zoned=zoned) is None) == (text != "2024-02-29")
    assert when is None or has_month_name(text) == (text != "2024-02-29")


def test_fractions_of_a_second_are_kept_to_the_nanosecond() -> None:
    for second in (0.5, 59.999999999, 0.000000001, 1.1):
        days, seconds = parse_date(f"2024-01-31T23:00:{second:012.9f}") or (0, 0)
        assert seconds - 23 * 3600 == pytest.approx(second, abs=2e-11)
        assert parse_date(format_date((days, seconds))) == (days, seconds)


def test_formatted_dates_are_parsed_back() -> None:
    epoch = datetime.date(1970, 1, 1)
    for days in range(-800_000 // 2, 400_000, 997):
        when: Moment = (days, (days * 7919) % 86_400)
        assert parse_date(format_date(when)) == when
        assert parse_date((epoch + datetime.timedelta(days)).isoformat()) == (days, 0)
