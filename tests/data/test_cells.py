"""Cells of prepared rows: those of a table's columns, and the categories that are named in an array or a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.comparison.check import list_cell_notes
from regzoo.config import SplitConfig, from_keywords
from regzoo.core import InputError
from regzoo.core.cells import Cells
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import from_arrays

N = 60
Y = np.arange(N) % 2


def prepare(x: Any, categories: Any = (), **keywords: Any) -> PreparedData:
    return prepare_fold(replace(from_arrays(x, Y), categories=categories), SplitConfig(), 0, **keywords)


def make_columns() -> dict[str, Any]:
    random = np.random.default_rng(0)
    gaps: Any = random.normal(size=N)
    gaps[::5] = np.nan
    return {
        "number": random.normal(size=N),
        "word": np.array([*"abc"])[np.arange(N) % 3],
        "gaps": gaps,
        "flag": np.arange(N) % 4 == 0,
        "one": (np.arange(N) % 3 == 0).astype(int),
        "two": np.arange(N) % 3 == 1,
        "date": pd.date_range("2024-01-01", periods=N).astype(str),
    }


def test_a_tables_columns_are_its_cells() -> None:
    prepared = prepare(pd.DataFrame(make_columns()))
    cells = Cells.from_sizes([(1, 0), (0, 3), (1, 1), (0, 1), (1, 0), (0, 1), (3, 0)])
    assert prepared.preprocessor.cells == cells
    assert prepared.train[0].shape[1] == len(cells.owners)
    assert Preprocessor.from_json(prepared.preprocessor.to_json()) == prepared.preprocessor


def test_numbers_alone_have_none() -> None:
    for x in (np.random.default_rng(0).normal(size=(N, 3)), np.random.default_rng(0).normal(size=(N, 4, 4))):
        prepared = prepare(x)
        assert prepared.preprocessor.cells is None
        assert "cells" not in prepared.preprocessor.to_json()


def test_named_columns_of_an_array_are_categories_and_not_standardized() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(3, 2, (N, 1)), np.eye(3)[np.arange(N) % 3], random.integers(0, 2, (N, 1))], 1)
    prepared = prepare(x, ((1, 2, 3), (4,)))
    assert prepared.preprocessor.cells == Cells.from_sizes([(1, 0), (0, 3), (0, 1)])
    assert np.array_equal(prepared.train[0][:, 1:], x[prepared.split.train, 1:].astype(np.float32))
    assert prepared.train[0][:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert Preprocessor.from_json(prepared.preprocessor.to_json()) == prepared.preprocessor
    assert prepare(x, ((1, 2, 3),), scale="none").preprocessor.cells == Cells.from_sizes([(1, 0), (0, 3), (1, 0)])


def test_dummies_in_a_table_are_joined() -> None:
    """Columns count as in the table: 4 holds whole numbers, 5 booleans."""
    prepared = prepare(pd.DataFrame(make_columns()), ((4, 5),))
    cells = prepared.preprocessor.cells
    assert cells == Cells.from_sizes([(1, 0), (0, 3), (1, 1), (0, 1), (0, 2), (3, 0)])
    assert set(np.unique(prepared.train[0][:, 7:9])) == {0, 1}


@pytest.mark.parametrize(
    ("categories", "message"),
    [
        (((1,),), "'word' holds words, which are a category already"),
        (((6,),), "'date' holds dates"),
        (((0,),), "columns of 0 and 1, with one 1 at most"),
        (((3, 4),), "columns of 0 and 1, with one 1 at most"),
        (((9,),), "there is no column 9: the rows have 7 columns"),
    ],
)
def test_what_is_no_category_of_a_table_is_refused(categories: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^arrays: categorical_features: .*{message}"):
        prepare(pd.DataFrame(make_columns()), categories)


def test_what_is_no_category_of_an_array_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(N, 2))
    with pytest.raises(InputError, match=r"columns 0 hold .* in a training row"):
        prepare(x, ((0,),))
    with pytest.raises(InputError, match="there is no column 2"):
        prepare(x, ((2,),))
    with pytest.raises(InputError, match="x holds images"):
        prepare(np.zeros((N, 4, 4)) + np.arange(N)[:, None, None], ((1,),))


def test_inputs_by_name_have_no_columns_to_name() -> None:
    dataset = from_arrays({"a": np.arange(N, dtype=np.float32), "b": np.arange(N) % 5}, Y, inputs=())
    with pytest.raises(InputError, match="categorical_features: goes with one array of rows"):
        prepare_fold(replace(dataset, categories=((0,),)), SplitConfig(), 0, inputs=())


@pytest.mark.parametrize(
    ("x", "categories", "expected"),
    [
        (
            pd.DataFrame(make_columns()),
            (),
            "word (3 features), flag and two are categories and booleans; gaps has a mark where it is missing; "
            "date (3 features) is a date; 2 others are numbers",
        ),
        (
            pd.DataFrame(make_columns())[["number", "one", "two"]],
            ((1, 2),),
            "one+two (2 features) is a category or boolean; 1 other is a number",
        ),
        (pd.DataFrame(make_columns())[["number", "one"]], (), "2 columns, each a number of its own, none a category"),
        (np.eye(3)[np.arange(N) % 3], ((0, 2),), "0+2 (2 features) is a category or boolean; 1 other is a number"),
        (np.eye(3)[np.arange(N) % 3], (), "3 columns, each a number of its own, none a category"),
        (np.ones((N, 4, 4)) * np.arange(N)[:, None, None], (), None),
    ],
)
def test_the_check_says_which_columns_are_cells(x: Any, categories: Any, expected: str | None) -> None:
    preprocessor = prepare(x, categories).preprocessor
    for recipe in ("swap_noise", "l2 + adversarial"):
        experiment = from_keywords(backbone="mlp", recipes=[recipe, "l2"])
        assert list_cell_notes(experiment, preprocessor) == ([] if expected is None else [expected])
    assert list_cell_notes(from_keywords(backbone="mlp", recipes=["l2 + label_smoothing"]), preprocessor) == []
