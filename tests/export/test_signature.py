"""Serving signature: every column has an input with a name that TensorFlow takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from regzoo.config import SplitConfig
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.export.signature import make_input_names, make_input_specs, name_inputs, split_inputs


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["mean radius", "mean_radius"], ["mean_radius_2", "mean_radius"]),
        (["A", "a", "a_2"], ["A", "a_3", "a_2"]),
        (["self", "class", "None"], ["column_self", "column_class", "column_None"]),
        (["", "?", "日本"], ["column", "column_2", "column_3"]),
        (["1", "_x", "é"], ["column_1", "x", "e"]),
        (["x ", " x", "x"], ["x_2", "x_3", "x"]),
    ],
)
def test_input_names_by_hand(columns: list[str], names: list[str]) -> None:
    assert list(make_input_names(columns)) == names


def test_input_names_are_distinct() -> None:
    random = np.random.default_rng(0)
    columns = list({"".join(random.choice(list("aA_ 1µé?"), size=3)) for _ in range(300)})
    names = make_input_names(columns)
    assert len({name.lower() for name in names}) == len(columns)
    assert make_input_names(columns) == names


def test_each_input_has_its_column(table: pd.DataFrame) -> None:
    prepared = prepare_fold(from_arrays(table.drop(columns="kind"), table["kind"]), SplitConfig(), seed=0)
    preprocessor, raw = prepared.preprocessor, prepared.held_out[0]
    assert isinstance(raw, np.ndarray)
    inputs = split_inputs(raw, preprocessor)
    assert list(inputs) == list(make_input_specs(preprocessor)) == list(name_inputs(preprocessor))
    assert tuple(name_inputs(preprocessor).values()) == preprocessor.columns
    for index, column in enumerate(inputs.values()):
        np.testing.assert_array_equal(column, raw[:, index])
