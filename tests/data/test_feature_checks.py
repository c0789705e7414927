"""Warnings of columns that float32 does not keep apart, of rows far from all others, and of nearly constant columns."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from regzoo.config.sections import SplitConfig
from regzoo.data.inputs import InputSpec
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays

RNG = np.random.default_rng(0)
N = 200
Y = np.array(["a", "b"] * (N // 2))
PART = np.array(["train"] * 150 + ["validation"] * 25 + ["test"] * 25)


def prepare(x: Any, scale: Literal["none", "standardize"] = "standardize", **options: Any) -> PreparedData:
    return prepare_fold(from_arrays(x, Y, "d", part=PART, **options), SplitConfig(), 0, scale=scale)


def as_forms(column: Any) -> list[Any]:
    """Return a column next to another one as an array, as a complete table and as one with words."""
    both = np.column_stack([RNG.normal(size=N), column])
    frame = pd.DataFrame(both, columns=["2", "1"])[["1", "2"]]
    return [both[:, ::-1], frame, frame.assign(word=["x", "y"] * (N // 2))]


@pytest.mark.parametrize("form", range(3))
def test_differences_that_float32_loses_are_named(form: int) -> None:
    column = 1e-12 * np.arange(N)
    column[7] = 1e6
    warnings = prepare(as_forms(column)[form]).facts["warnings"]
    (found,) = [sentence for sentence in warnings if "in float32" in sentence]
    assert "column" in found
    assert "has 200 different values in 200 rows and only 2 in float32" in found
    assert not [w for w in prepare(as_forms(np.arange(N) + 1.7e9)[form]).facts["warnings"] if "float32" in w]


def test_differences_are_named_too_if_nothing_is_scaled() -> None:
    frame = pd.DataFrame({"t": 1.7e9 + np.arange(N) / 10, "u": RNG.normal(size=N)})
    warnings = prepare(frame, "none").facts["warnings"]
    assert ["column 't'" in sentence for sentence in warnings if "in float32" in sentence] == [True]


def test_an_input_of_an_own_model_is_named() -> None:
    column = 1e-12 * np.arange(N)
    column[7] = 1e6
    specs = (InputSpec("level", (1,), "float32"), InputSpec("word", (1,), "string"))
    data = from_arrays({"level": column, "word": RNG.permutation(Y)}, Y, "d", part=PART, inputs=specs)
    warnings = prepare_fold(data, SplitConfig(), 0, inputs=specs).facts["warnings"]
    assert ["x['level']" in sentence for sentence in warnings if "in float32" in sentence] == [True]


@pytest.mark.parametrize("form", range(3))
def test_rows_far_from_all_training_rows_are_named(form: int) -> None:
    column = RNG.normal(size=N)
    column[[160, 190]] = 1e6, -1e9
    (found,) = [s for s in prepare(as_forms(column)[form]).facts["warnings"] if "standard deviation" in s]
    assert "more than 1000 times its standard deviation from the training mean in 2 rows" in found
    assert "the farthest, row 191" in found


@pytest.mark.parametrize("form", range(3))
def test_rounding_errors_are_named_and_not_blown_up(form: int) -> None:
    noise = np.where(np.arange(N) % 2, 0.1 + 0.2, 0.3)
    prepared = prepare(as_forms(noise)[form])
    said = [*prepared.facts["repairs"], *prepared.facts["warnings"]]  # a column left out is a warning
    (repair,) = [sentence for sentence in said if "rounding errors" in sentence]
    assert "column" in repair
    if form == 2:
        assert "'1': left out: all 150 training cells are 0.3 but for" in repair
        return
    assert max(np.abs(part[0]).max(axis=0).min() for part in (prepared.train, prepared.test)) < 1e-6


def test_a_range_of_more_than_100_standard_deviations_is_damped() -> None:
    rows = 40_000
    x = np.column_stack([np.zeros(rows), np.arange(rows) % 7])
    x[[3, rows - 1], 0] = 5.0
    part = np.array(["train"] * (rows - 20) + ["validation"] * 10 + ["test"] * 10)
    prepared = prepare_fold(from_arrays(x, np.resize(["a", "b"], rows), "d", part=part), SplitConfig(), 0)
    assert prepared.preprocessor.scale[0] == 5 / 100  # the standard deviation is about 5 / 200
    assert abs(prepared.test[0][-1, 0] - 100) < 0.1
    (repair,) = [sentence for sentence in prepared.facts["repairs"] if "1/100 of the range 5" in sentence]
    assert repair.startswith("column 1: nearly all training values are the same")
