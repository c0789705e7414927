"""Text read in TensorFlow: for any cell, the graph has the features that Python has, or fails as Python does."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric, format_cells
from regzoo.data.reading.clocks import parse_clock
from regzoo.data.reading.dates import format_date, parse_date
from regzoo.data.reading.numbers import parse_number
from regzoo.data.reading.reading import CLOCKS, DATE_ORDERS, Clock, Reading
from regzoo.data.table import clean_cell
from regzoo.export.tf_columns import apply_rules

PIECES = ("1", "12", "1,234", "1.234", "1 234", "1'234,5", "1\u00a0234.5", "12,34,567", "0,5", ".5", "7e3", "1.2.3", "")
ENDS = (("", "-", "\u2212$", "€ "), ("", " %", "€", " kg"))
NUMBERS = [before + piece + after for before in ENDS[0] for piece in PIECES for after in ENDS[1]]
CLOCK_ENDS = ("", " 0:00", "T23:59:59.5", " 12:01 AM", " 1:30pm", " 13:00 PM", "T24:00", " 7:5")
ZONES = ("", "Z", " UTC", "+05:30", "-0930", " +14", "+00:00", "+24:00", "-05:60", "EST")
NAMED = ("3 Mar 2024", "29-FEB-2023", "Mon, 31 Dec 1999", "May 5, 2024", "Sept. 9 2024", "3 Marx 2024", "2024-05-05")
TIMES = [
    before + clock + after
    for before in ("", "-", "+", "1 day, ", "-2 days +", "0 days ")
    for clock in ("0:00", "8:30", "26:59", "8:60", "08:30:15", "12:00:59.25", "1:00:00,5", "12:30", "8:3", "")
    for after in ("", " AM", "pm", "p.m.")
] + ["3 days", "-1 days", "day"]
DAYS = ("2024-02-29", "2023-02-29", "1/2/2024", "13/1/2024", "1/13/2024", "31.12.1999", "0001-01-01", "9999-12-31")
DATES = [day + clock + zone for day in DAYS for clock in CLOCK_ENDS for zone in ZONES]
QUICK = (("day first", True), ("month first", False))
REST = [pair for pair in itertools.product(DATE_ORDERS, (False, True)) if pair not in QUICK]

Graph = Callable[[list[str]], Any]


def trace(rule: ColumnRule) -> Graph:
    """Return a function that computes the features of cells in one graph."""
    signature = [tf.TensorSpec([None], tf.string)]
    graph = tf.function(lambda given: apply_rules({"c": given}, (rule,)), input_signature=signature)
    return lambda cells: graph(tf.constant(cells, tf.string)).numpy()


def check_refusals(graph: Graph, cells: list[str]) -> None:
    """Check that each cell alone is an error."""
    for cell in cells:
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"column .{1,2}c.{1,2} takes"):
            graph([cell])


@pytest.mark.parametrize(
    "reading",
    [
        Reading(",", ".", "€"),
        Reading(".", ",", "$", percent=True),
        pytest.param(Reading(",", " "), marks=pytest.mark.slow),
        pytest.param(Reading(".", "'", "", percent=True), marks=pytest.mark.slow),
        pytest.param(Reading(","), marks=pytest.mark.slow),
        pytest.param(Reading(",", ".", unit="kg"), marks=pytest.mark.slow),
    ],
    ids=lambda reading: reading.decimal + reading.thousands,
)
def test_numbers(reading: Reading) -> None:
    rule = Numeric("c", 0.5, True, reading=reading)
    run = trace(rule)
    numbers = {cell: parse_number(cell.strip(), reading) for cell in NUMBERS}
    shares = [cell for cell, number in numbers.items() if number and reading.percent and 0 < abs(number) < 1]
    shares = [cell for cell in shares if "%" not in cell]
    readable = [cell for cell, number in numbers.items() if number is not None and cell not in shares]
    values = np.array([numbers[cell] for cell in readable] + [np.nan])
    assert len(set(values)) > 5
    np.testing.assert_array_equal(run([*readable, " NA "]), rule.transform(values))
    np.testing.assert_array_equal(run(format_cells(rule, values).tolist()), rule.transform(values))
    check_refusals(run, [cell for cell, number in numbers.items() if number is None and cell.strip()][:12] + shares[:3])


@pytest.mark.parametrize(("order", "zoned"), [*QUICK, *(pytest.param(*pair, marks=pytest.mark.slow) for pair in REST)])
def test_dates(order: Any, zoned: bool) -> None:
    rule = Date("c", "2020-01-01", "2020-06-01T12:00:00", True, True, Reading(dates=order, zoned=zoned))
    run = trace(rule)
    moments = {cell: parse_date(cell, order, zoned) for cell in DATES}
    readable = [cell for cell, when in moments.items() if when]
    canonical: Any = np.array([*(format_date(when) for when in moments.values() if when), ""], dtype=object)
    assert len(set(canonical)) > 15
    np.testing.assert_array_equal(run([*readable, "-"]), rule.transform(canonical))
    np.testing.assert_array_equal(run(format_cells(rule, canonical).tolist()), rule.transform(canonical))
    check_refusals(run, [cell for cell, when in moments.items() if when is None][::37])


@pytest.mark.parametrize("earliest", ["2020-01-01", "2024-02-29T00:00:00"])
def test_dates_with_names_of_months_and_fractions_of_a_second(earliest: str) -> None:
    rule = Date("c", earliest, "2020-06-01T12:00:00.5", True, True, Reading(named=True))
    run = trace(rule)
    cells = [day + clock for day in NAMED for clock in ("", " 17:05:00.125", " 17:05:00.000000001")]
    moments = {cell: parse_date(cell, named=True) for cell in cells}
    canonical: Any = np.array([*(format_date(when) for when in moments.values() if when), ""], dtype=object)
    assert len(canonical) == 16
    np.testing.assert_array_equal(
        run([*(cell for cell, when in moments.items() if when), "NA"]), rule.transform(canonical)
    )
    check_refusals(run, [cell for cell, when in moments.items() if when is None])


@pytest.mark.parametrize("clock", [c if c == "HH:MM:SS" else pytest.param(c, marks=pytest.mark.slow) for c in CLOCKS])
def test_times(clock: Clock) -> None:
    rule = Numeric("c", 90.0, True, reading=Reading(clock=clock))
    run = trace(rule)
    seconds = {cell: parse_clock(cell, clock) for cell in TIMES}
    readable = [cell for cell, found in seconds.items() if found is not None]
    assert len(readable) > 5
    values = np.array([seconds[cell] for cell in readable] + [np.nan])
    np.testing.assert_array_equal(run([*readable, " NA "]), rule.transform(values))
    np.testing.assert_array_equal(run(format_cells(rule, values).tolist()), rule.transform(values))
    check_refusals(run, [cell for cell, found in seconds.items() if found is None and clean_cell(cell)][::7])


def test_an_offset_moves_the_day_by_hand() -> None:
    when = datetime.datetime(2024, 2, 29, 23, 30, tzinfo=datetime.timezone(-datetime.timedelta(hours=9, minutes=30)))
    utc = when.astimezone(datetime.UTC)
    rule = Date("c", "2024-01-01", "2024-01-01", True, False, Reading(zoned=True))
    elapsed = (utc.date() - datetime.date(2024, 1, 1)).days + 9 / 24
    assert trace(rule)([when.isoformat()]).tolist() == [[elapsed, utc.month, utc.weekday(), 9.0]]


def test_words_that_count_as_missing() -> None:
    reading = Reading(missing=("k.A.", "-999"))
    for rule in (Boolean("c", 1.0, True, reading), Categorical("c", ("a",), True, True, reading)):
        missing = np.array([""] * 4, dtype=object)
        np.testing.assert_array_equal(trace(rule)(["k.A.", " -999", "NA", ""]), rule.transform(missing))
    number = Numeric("c", 2.5, True, reading=reading)
    found = apply_rules({"c": tf.constant([-999.0, 1.0, np.nan])}, (number,)).numpy()
    np.testing.assert_array_equal(found, [[2.5, 1], [1, 0], [2.5, 1]])


def test_unreadable_booleans_are_an_error() -> None:
    check_refusals(trace(Boolean("c", 1.0, True)), ["maybe", "1", "truee"])


def test_whole_numbers_are_categories_as_integers() -> None:
    rule = Categorical("c", ("1", "20"), True, True)
    run = trace(rule)
    for cells in (["1", "20", "3", ""], ["1.0", "20.0", "3.0", "nan"]):
        clean: Any = np.array([cell.replace("nan", "") for cell in cells], dtype=object)
        np.testing.assert_array_equal(run(cells), rule.transform(clean))
        assert rule.transform(clean).argmax(axis=1).tolist() == [0, 1, 2, 3]
    words = Categorical("c", ("1.0", "a"), False, False)
    assert trace(words)(["1.0", "1"]).tolist() == [[1, 0], [0, 0]]
