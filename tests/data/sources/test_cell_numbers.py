"""Numbers of many cells at once are those that Python reads one by one, to the last bit."""

import numpy as np
import pytest

from regzoo.data.sources import cell_numbers
from regzoo.data.sources.cell_numbers import LONGEST, read_numbers


def read(cells: list[str]) -> np.ndarray | None:
    lengths = np.array([len(cell) for cell in cells])
    buffer = np.frombuffer("".join(cells).encode() + b"\0" * LONGEST, np.uint8)
    return read_numbers(buffer, np.cumsum(lengths) - lengths, lengths)


def make_cells(random: np.random.Generator, count: int) -> list[str]:
    """Return decimals of 1 to 19 digits, exact halves between two neighbors of float64 among them."""
    cells = []
    for _ in range(count):
        digits = str(random.integers(1, 10 ** random.integers(1, 19)))
        point = int(random.integers(0, len(digits)))
        cells.append(f"{digits[:point]}.{digits[point:]}".lstrip("0") + "0" * int(random.integers(0, 3)))
    halves = [f"{2**50 + 2 * step + 1}.{2 * step + 1}25" for step in random.integers(0, 2**20, count // 10).tolist()]
    return cells + halves + ["4503599627370497.5", "4503599627370496.5", "2251799813685248.75", "0.1", "-0", "+3."]


@pytest.mark.parametrize("has_long", [True, False])
def test_numbers_are_rounded_as_python_rounds_them(has_long: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_numbers, "_HAS_LONG", has_long and cell_numbers._HAS_LONG)
    cells = [cell for cell in make_cells(np.random.default_rng(0), 3000) if float(cell) < 2**53]
    numbers = read([*cells, "", "NA", "-1e-7"])
    assert numbers is not None
    assert numbers[: len(cells)].tobytes() == np.array([float(cell) for cell in cells]).tobytes()
    assert np.isnan(numbers[-3:]).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "word"],
        ["007", "012"],
        ["1", "inf"],
        ["1", "1_0"],
        ["1", "1 0"],
        ["1", "-"],
        ["1", "."],
        ["1", "1.2.3"],
        ["1", "+-1"],
        ["1", "1-"],
        ["1", str(2**53)],
        ["1", "1e40"],
        [f"1.000000000000000{digit:02}" for digit in range(20)],  # two different numbers in float64
        ["5e-324", "6e-324", "7e-324", "5.5e-324", "5.6e-324"],
        ["9" * 41],
    ],
    ids=str,
)
def test_what_needs_a_closer_look_is_left_to_it(cells: list[str]) -> None:
    """``-`` and ``.`` mean that a number is missing."""
    assert (read(cells) is None) == (cells[-1] not in ("-", "."))
