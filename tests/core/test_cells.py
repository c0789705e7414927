"""Cells of rows: owners, flags and marks; spreading over columns; where a value is a number."""

from __future__ import annotations

import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.core.cells import Cells, arrange_cells, list_cells, named_cells_from_json, named_cells_to_json

# a number, a number with its mark, a category of 3 words, a boolean, a date of 2 numbers with its mark
CELLS = Cells.from_sizes([(1, 0), (1, 1), (0, 3), (0, 1), (2, 1)])


def test_sizes_of_neighbors_become_owners_flags_and_marks() -> None:
    assert CELLS.owners == (0, 1, 1, 2, 2, 2, 3, 4, 4, 4)
    assert [int(flag) for flag in CELLS.flags] == [0, 0, 1, 1, 1, 1, 1, 0, 0, 1]
    assert CELLS.marks == (-1, 2, -1, -1, -1, -1, -1, 9, 9, -1)
    assert CELLS.count == 5
    assert CELLS.have_numbers
    assert not CELLS.are_numbers
    assert Cells.from_sizes([(1, 0), (1, 0)]).are_numbers
    assert not Cells.from_sizes([(2, 0)]).are_numbers
    assert not Cells.from_sizes([(0, 3), (0, 1)]).have_numbers


def test_values_of_cells_are_spread_over_their_columns() -> None:
    spread = np.array(CELLS.spread(np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]])))
    assert spread.tolist() == [[1, 2, 2, 3, 3, 3, 4, 5, 5, 5], [6, 7, 7, 8, 8, 8, 9, 10, 10, 10]]


def test_numbers_are_those_that_are_not_missing() -> None:
    x = np.array([[1, 1, 0, 0, 1, 0, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 1, 1, 1]], np.float32)
    expected = [[1, 1, 0, 0, 0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert np.array(CELLS.find_numbers(x)).astype(int).tolist() == expected


def test_columns_of_a_cell_need_not_be_neighbors() -> None:
    cells = Cells((0, 1, 0, 1), (True, False, True, True))
    assert cells.marks == (-1, 3, -1, -1)
    assert np.array(cells.spread(np.array([[5, 6]]))).tolist() == [[5, 6, 5, 6]]


@pytest.mark.parametrize(
    ("owners", "flags"), [((0, 2), (False, True)), ((0,), (True, True)), ((0, 0, 0), (False, True, True))]
)
def test_what_is_no_description_of_cells_is_rejected(owners: tuple[int, ...], flags: tuple[bool, ...]) -> None:
    with pytest.raises(InputError, match=r"^cells: "):
        Cells(owners, flags)


def test_json_restores_them() -> None:
    named = (("a", CELLS), ("b", None))
    assert named_cells_from_json(named_cells_to_json(named)) == named


def test_inputs_get_their_cells_by_name_or_in_order() -> None:
    named = (("a", CELLS), ("b", None))
    assert arrange_cells({"b": 1, "a": 2}, named) == [CELLS, None]  # sorted, as keras.tree.flatten does
    assert arrange_cells([1, 2], named) == [CELLS, None]
    assert arrange_cells(1, named[:1]) == CELLS
    assert arrange_cells(1, ()) is None
    assert list_cells([1, 2], None) == [None, None]
    assert list_cells(1, CELLS) == [CELLS]
