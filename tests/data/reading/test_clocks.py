"""Times of day and durations: seconds by hand, what Python and pandas write, and that what is written is read back."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from regzoo.data.reading.clocks import format_clock, parse_clock
from regzoo.data.reading.reading import CLOCKS, Clock

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("text", "clock", "seconds"),
    [
        ("0:00", "HH:MM", 0),
        ("17:05", "HH:MM", 61500),
        ("-1:30", "HH:MM", -5400),
        ("26:30", "HH:MM", 95400),
        ("8:30:00", "HH:MM", None),
        ("8:60", "HH:MM", None),
        ("8:3", "HH:MM", None),
        ("8:30 PM", "HH:MM", None),
        ("17:05:09.25", "HH:MM:SS", 61509.25),
        ("17:05:09,25", "HH:MM:SS", 61509.25),
        ("2 days 01:00:00", "HH:MM:SS", 176400),
        ("1 day, 1:00:00", "HH:MM:SS", 90000),
        ("-1 days +23:59:59.999000", "HH:MM:SS", -0.001),
        ("3 days", "HH:MM:SS", 259200),
        ("17:05", "HH:MM:SS", None),
        ("17:05:60", "HH:MM:SS", None),
        ("12:00 AM", "HH:MM AM", 0),
        ("12:01pm", "HH:MM AM", 43260),
        ("1:00 p.m.", "HH:MM AM", 46800),
        ("13:00 PM", "HH:MM AM", None),
        ("0:30 AM", "HH:MM AM", None),
        ("1:00:30 PM", "HH:MM:SS AM", 46830),
        ("\u0661:00", "HH:MM", None),  # a digit that TensorFlow does not read
        ("1:00\n", "HH:MM", None),
        ("", "HH:MM", None),
    ],
)
def test_times_by_hand(text: str, clock: Clock, seconds: float | None) -> None:
    found = parse_clock(text, clock)
    assert found == (None if seconds is None else pytest.approx(seconds, abs=1e-9))


def test_what_python_and_pandas_write_is_read() -> None:
    for seconds in RNG.integers(-(10**6), 10**6, 40).tolist():
        for length in (datetime.timedelta(seconds=seconds), pd.Timedelta(seconds=seconds), pd.Timedelta(seconds, "ms")):
            found = parse_clock(str(length), "HH:MM:SS")
            assert found == pytest.approx(length.total_seconds(), abs=1e-6)
        moment = (datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=seconds)).time()
        expected = 3600 * moment.hour + 60 * moment.minute + moment.second
        assert parse_clock(str(moment), "HH:MM:SS") == expected
        assert parse_clock(moment.strftime("%I:%M:%S %p"), "HH:MM:SS AM") == expected


@pytest.mark.parametrize("clock", CLOCKS)
def test_formatted_times_are_read_back_to_the_last_bit(clock: Clock) -> None:
    whole = RNG.integers(0, 1440, 30) * 60.0
    fine = whole + RNG.random(30) * 60
    signed = [] if "AM" in clock else [*-whole, 1e9]
    for seconds in [*(fine if "SS" in clock else ()), *whole, *signed]:
        text = format_clock(float(seconds), clock)
        if text is None:
            assert "SS" not in clock
            assert seconds == 1e9  # no whole minutes
        else:
            assert parse_clock(text, clock) == seconds


def test_a_form_without_seconds_or_days_refuses_them() -> None:
    assert format_clock(30.0, "HH:MM") is None
    assert format_clock(-60.0, "HH:MM AM") is None
    assert format_clock(86_400.0, "HH:MM:SS AM") is None
