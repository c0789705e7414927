"""The form that most cells of a column agree on: found, refused where it is unclear, decided by the keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.reading.reading import Reading, ReadingKeys
from regzoo.data.sources.text_columns import Column, parse_cells


def parse(cells: list[str], **keys: Any) -> Column:
    return parse_cells(np.array(cells, dtype=object), "table.csv: column 'c'", ReadingKeys(**keys))


@pytest.mark.parametrize(
    ("cells", "keys", "reading", "values"),
    [
        (["0,640", "-1,5", "3"], {}, Reading(","), [0.64, -1.5, 3]),
        (["1,629", "0,640"], {}, Reading(","), [1.629, 0.64]),  # 0,640 is no thousand
        (["1,629", "1,234,567"], {}, Reading(thousands=","), [1629, 1234567]),
        (["1,629", "12.5"], {}, Reading(thousands=","), [1629, 12.5]),
        (["1,629", "2,661"], {"thousands": ","}, Reading(thousands=","), [1629, 2661]),
        (["1,629", "2,661"], {"decimal": "."}, Reading(thousands=","), [1629, 2661]),
        (["1,629", "2,661"], {"decimal": ","}, Reading(","), [1.629, 2.661]),
        (["1.500", "2.250"], {}, None, [1.5, 2.25]),
        (["1.500", "2.250"], {"decimal": ","}, Reading(",", "."), [1500, 2250]),
        (["1.5", "2.25"], {"decimal": ","}, None, [1.5, 2.25]),  # the dots cannot stand between thousands
        (["$32,642.10", "$5", "-$7"], {}, Reading(thousands=",", currency="$"), [32642.1, 5, -7]),
        (["5,5 €", "1.000,25 €"], {}, Reading(",", ".", "€"), [5.5, 1000.25]),
        (["48.7 %", "5%", "3"], {}, Reading(percent=True), [48.7, 5, 3]),
        (["0.1 kg", "5kg", "-3"], {}, Reading(unit="kg"), [0.1, 5, -3]),
        (["1.234,5 km/h", "7 km/h"], {}, Reading(",", ".", unit="km/h"), [1234.5, 7]),
        (["2e3 mm", "5 mm", "\u00a07 mm"], {}, Reading(unit="mm"), [2000, 5, 7]),
        (["\u00a05.5", "\u22127", "1e3"], {}, Reading(loose=True), [5.5, -7, 1000]),
        (["21 °C"] * 3, {}, Reading(unit="°C"), [21] * 3),
        (["8:30", "17:05", "-0:30"], {}, Reading(clock="HH:MM"), [30600, 61500, -1800]),
        (["8:30:00.5", "1 days 00:00:00"], {}, Reading(clock="HH:MM:SS"), [30600.5, 86400]),
        (["8:30 PM", "12:00 am"], {}, Reading(clock="HH:MM AM"), [73800, 0]),
        (["9,007,199,254,740,993", "5"], {}, Reading(thousands=","), [2**53 + 1, 5]),  # beyond 2**53
    ],
)
def test_numbers(cells: list[str], keys: Any, reading: Reading | None, values: list[float]) -> None:
    found = parse(cells, **keys)
    assert (found.kind, found.reading, found.warning) == ("numeric", reading, "")
    assert found.values.tolist() == values


@pytest.mark.parametrize(
    ("cells", "keys", "reading", "values"),
    [
        (["13/04/2024", "5/4/2024"], {}, Reading(dates="day first"), ["2024-04-13", "2024-04-05"]),
        (["04/13/2024", "04/05/2024"], {}, Reading(dates="month first"), ["2024-04-13", "2024-04-05"]),
        (["04/05/2024"], {"dates": "day first"}, Reading(dates="day first"), ["2024-05-04"]),
        (["04-05-2024"], {"dates": "month first"}, Reading(dates="month first"), ["2024-04-05"]),
        (["13/4/2024 11:30 PM"], {}, Reading(dates="day first"), ["2024-04-13T23:30:00"]),
        (["2024-01-01T23:00-02:00", "2024-01-02 01:00Z"], {}, Reading(zoned=True), ["2024-01-02T01:00:00"] * 2),
        (["2024-01-01T23:00Z", "2024-01-02Z"], {}, Reading(utc=True), ["2024-01-01T23:00Z", "2024-01-02Z"]),
        (["2024-01-01T23:00Z", "2024-01-02 01:00"], {}, Reading(utc=True), ["2024-01-01T23:00Z", "2024-01-02 01:00"]),
        (["4 Feb 2024", "31.1.2024"], {}, Reading(named=True), ["2024-02-04", "2024-01-31"]),
        (["4 Feb 2024 1:00 +02:00"], {}, Reading(named=True, zoned=True), ["2024-02-03T23:00:00"]),
        (["Feb 4, 2024", "13/2/2024"], {}, Reading(dates="day first", named=True), ["2024-02-04", "2024-02-13"]),
        (["2024-01-01T00:00:00.125-01:00"], {}, Reading(zoned=True), ["2024-01-01T01:00:00.125"]),
        (["31.1.2024", "2024-02-01"], {"dates": "month first"}, None, ["31.1.2024", "2024-02-01"]),
    ],
)
def test_dates(cells: list[str], keys: Any, reading: Reading | None, values: list[str]) -> None:
    found = parse(cells, **keys)
    assert (found.kind, found.reading, found.values.tolist()) == ("date", reading, values)


@pytest.mark.parametrize(
    ("cells", "keys", "message"),
    [
        (["1,629", "2,661"], {}, "'1,629', which may be 1629 or 1.629; say which mark it has (data.thousands: ','"),
        (["03/04/2024", "04/04/2024"], {}, "say which is first (data.dates: day first, or month first)"),
        (["04/04/2024"] * 9 + ["2024-01-01"], {}, "tells day and month apart"),
        (["13/04/2024"] * 9 + ["04/13/2024"], {}, "holds dates but for 1 cell: '04/13/2024' in row 10"),
        (["13/04/2024", "14/04/2024"], {"dates": "month first"}, "a date in a form that is not read"),
        (["2024-01-01T01:00+01:00"] * 9 + ["2024-01-01T01:00"], {}, "but for 1 cell: '2024-01-01T01:00' in row 10"),
        (["$5"] * 9 + ["€6"], {}, "holds numbers but for 1 cell: '€6' in row 10"),
        (["1-Feb-24", "1-Mar-24", ""], {}, "a date in a form that is not read"),
        (["03.04.24", "13.04.24"], {}, "the year with four digits"),
        (["2024-01-31 17:05 Europe/Berlin"] * 3, {}, "with a time zone such as +01:00"),
        (["2024-01-31 17:05 EST"] * 3, {}, "with a time zone such as +01:00"),
        (["5 km", "300 m", "2 km"], {}, "a number with a unit, and others have another one; write all in one unit"),
        (["5 km"] * 9 + ["300 m"], {}, "holds numbers but for 1 cell: '300 m' in row 10"),
        (["8:30", "8:30:15"], {}, "write 17:05:00 in all rows, with seconds"),
        (["8:30 AM", "20:30"], {}, "a time in a form that is not read, or not that of the others"),
        (["8:30"] * 9 + ["9"], {}, "holds times but for 1 cell: '9' in row 10"),
        ([hex(n) for n in range(9)], {}, "holds '0x0', a number in a form that is not read"),
        ([f"1_{n}00" for n in range(9)], {}, "write 1234.5, or leave the column out"),
        ([f"20{n}-11" for n in range(10, 20)], {}, "a date or a duration in a form that is not read"),
        ([f"PT{n}H30M" for n in range(9)], {}, "a date or a duration in a form that is not read"),
        ([f"Mon Jan {n} 00:00:00 2024" for n in range(10, 19)], {}, "a date in a form that is not read"),
        (["1,5"] * 9 + ["k.A."], {}, "list them if they are missing (data.missing: ['k.A.'])"),
        (["1.5"] * 9 + ["(2.5)"], {}, "'(2.5)' in row 10; correct them: write them as the others, or leave them empty"),
        (["2024-01-31"] * 9 + ["2024-13-01"], {}, "correct them: write them as the others"),
        (["12.6 %", "5%", "0.126"], {}, "has percent signs, and '0.126' without one"),
        (["12 %", "5%", "-0.5", "3"], {}, "may be -0.5 % or a share; write the sign in all cells or in none"),
        ([f"{n},5" for n in range(20)] + [f"word {n}" for n in range(9)], {}, "holds numbers but for 9 cells"),
        ([f"{n},5" for n in range(200)] + [f"w{n}" for n in range(21)], {"decimal": ","}, "but for 21 cells"),
    ],
)
def test_unclear_columns_are_refused_and_never_left_out(cells: list[str], keys: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(cells, **keys)
    assert message in str(caught.value)


def test_dates_without_a_mark_of_utc_beside_others_are_named() -> None:
    found = parse(["2024-01-01T23:00Z", "2024-01-02 01:00", "", "2024-01-02 03:00+00:00"])
    assert found.warning == (
        "table.csv: column 'c' holds dates marked as UTC (Z) but for 1 cell: '2024-01-02 01:00' in row 2, which count "
        "as UTC too; mark all"
    )


def test_codes_that_are_categories_stay_categories() -> None:
    for words in (["0x1F", "0x2A"], ["7A", "7B"], ["2019-20", "2020-21"], ["Q1 2024", "Q2 2024"], ["1st", "2nd"]):
        assert parse(words * 8).kind == "categorical"


def test_odd_words_are_missing_where_a_key_says_how_the_column_is_read() -> None:
    found = parse(["1,5"] * 9 + ["k.A."], decimal=",")
    assert found.reading == Reading(",", missing=("k.A.",))
    assert found.warning == (
        "table.csv: column 'c' holds numbers but for 1 cell: 'k.A.' in row 10; they count as missing"
    )
    np.testing.assert_array_equal(found.values, [1.5] * 9 + [np.nan])
    dates = parse(["03/04/2024"] * 9 + ["soon"], dates="day first")
    assert (dates.values.tolist()[-1], dates.reading) == ("", Reading(dates="day first", missing=("soon",)))


def test_words_among_a_few_numbers_stay_categories() -> None:
    for cells in (["a", "1", "2"], ["36", "38", "S", "M", "L"] * 5, ["10 %", "low", "high"] * 4):
        assert parse(cells).kind == "categorical"
