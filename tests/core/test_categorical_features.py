"""`categorical_features`: every form in which columns of categories are named, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.core.categorical_features import (
    format_categorical_features,
    make_cells,
    read_categorical_features,
    read_row_cells,
)


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        (None, ()),
        ([], ()),
        ([[3, 4, 5], 6], ((3, 4, 5), (6,))),
        ((range(3, 6), slice(6, 8), np.int64(1)), ((3, 4, 5), (6, 7), (1,))),
        ([np.array([0, 2])], ((0, 2),)),
        (np.array([4, 5]), ((4,), (5,))),
        (np.array([[0, 1], [2, 3]]), ((0, 1), (2, 3))),
        ([False, True, True], ((1,), (2,))),
        (np.array([True, False, True]), ((0,), (2,))),
        ("3..5, 6", ((3, 4, 5), (6,))),
        (" 7+9..10 ,0", ((7, 9, 10), (0,))),
        (["3..5", 6], ((3, 4, 5), (6,))),
    ],
    ids=str,
)
def test_forms(given: Any, groups: Any) -> None:
    assert read_categorical_features(given) == groups
    if groups:
        assert read_categorical_features(format_categorical_features(groups)) == groups


@pytest.mark.parametrize(
    "given",
    ["", "a", "5..3", "1,,2", "-1", [-1], [[]], 3, 1.5, [1.5], [None], [[1, "x"]], {1: 2}, [True, 2], [slice(3, None)]],
    ids=str,
)
def test_other_things_are_refused_with_the_form(given: Any) -> None:
    with pytest.raises(InputError, match=r"^categorical_features: takes the columns of each category, .* received"):
        read_categorical_features(given)


def test_a_column_belongs_to_one_category() -> None:
    with pytest.raises(InputError, match="column 4 stands twice"):
        read_categorical_features([[3, 4], 4])


def test_cells_of_rows() -> None:
    cells = make_cells(((1, 4), (2,)), 5)
    assert cells is not None
    assert cells.owners == (0, 1, 2, 3, 1)
    assert cells.flags == (False, True, True, False, True)
    assert make_cells((), 5) is None
    with pytest.raises(InputError, match="there is no column 5: the rows have 5 columns, 0 to 4"):
        make_cells(((5,),), 5)
    assert read_row_cells("1+4, 2", (5,)) == cells
    assert read_row_cells(None, (8, 8, 1)) is None
    for shape in ((8, 8, 1), (None, 3)):
        with pytest.raises(InputError, match="goes with rows"):
            read_row_cells([1], shape)
