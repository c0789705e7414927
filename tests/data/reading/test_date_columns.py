"""Dates parsed together are those that `parse_date` parses one by one."""

from typing import get_args

import numpy as np
import pytest

from regzoo.data.reading.date_columns import parse_dates
from regzoo.data.reading.dates import parse_date
from regzoo.data.reading.reading import DateOrder

ODD = [
    *("", "soon", "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "9999-12-31"),
    *("2024-13-01", "2024-00-10", "2024-04-31", "2024-1-31T", "31.12.1999", "02/03/2024", "31-12-1999 10:00:00"),
    *("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "2024-01-31T24:00:00", "2024-01-31T10:60:00"),
    *("2024-01-31T10:00:00+24:00", "2024-01-31T10:00:00+01:60", "2024-01-31T10:00:00 01:00", "2024-01-31T10:00:00z"),
    *("2024-01-31T5:05 PM", "2024-01-31 05:05:05 PM", "٢٠٢٤-01-31", "2024-01-31\n", "2024/01/31", "3 Mar 2024"),
    *("2024-01-31T10:00:00.25", "2024-01-31T10:00:00.250Z", "2024-01-31 10:00:00,5+01:00"),
]


def make_texts(random: np.random.Generator, count: int) -> list[str]:
    """Return dates of all months and years, most of them as ISO 8601 writes them, some with a letter changed."""
    texts = []
    for _ in range(count):
        year, month, day = random.integers(1, 10_000), random.integers(1, 13), random.integers(1, 32)
        clock = "{:02}:{:02}:{:02}".format(*random.integers(0, (25, 61, 61)))
        zone = "{}{:02}:{:02}".format(random.choice(["+", "-"]), *random.integers(0, (25, 61)))
        forms = ("", f"T{clock}", f" {clock}", f"T{clock}Z", f"T{clock}{zone}", f" {clock}{zone}")
        text = f"{year:04}-{month:02}-{day:02}" + str(random.choice(forms))
        if random.random() < 0.2:
            place = int(random.integers(len(text)))
            text = text[:place] + str(random.choice(list("0-:T Z/.x+"))) + text[place + 1 :]
        texts.append(text)
    return texts


@pytest.mark.parametrize(("zoned", "named"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("order", get_args(DateOrder))
def test_dates_are_parsed_as_one_by_one(order: DateOrder, zoned: bool, named: bool) -> None:
    texts = [*ODD, *make_texts(np.random.default_rng(0), 1500)]
    days, seconds, found = parse_dates(texts, order, zoned, named)
    expected = [parse_date(text, order, zoned, named) for text in texts]
    moments = zip(days.tolist(), seconds.tolist(), found.tolist(), strict=True)
    given = [(day, second) if is_date else None for day, second, is_date in moments]
    assert given == expected
    assert 300 < found.sum() < 1400
