"""Which kind an array is: rows, images or sequences, by its shape or because the config says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core import InputError
from regzoo.data.input_form import InputForm, InputForms
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.preprocessor_fitting import fit_preprocessor
from regzoo.data.sources import from_arrays

ROWS = 12
Y = np.arange(ROWS) % 2


def draw(shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    """Return seeded numbers (ROWS, *shape)."""
    numbers = np.random.default_rng(0).uniform(0, 200, (ROWS, *shape))
    return numbers.astype(dtype)


@pytest.mark.parametrize(
    ("shape", "dtype", "kind", "kept"),
    [
        ((5,), np.float32, "rows", (5,)),
        ((50, 10), np.float64, "sequences", (50, 10)),
        ((100, 1), np.float64, "sequences", (100, 1)),  # as tslearn has a single channel
        ((128, 9), np.int64, "sequences", (128, 9)),
        ((3, 40), np.float32, "sequences", (3, 40)),
        ((24, 3), np.uint8, "sequences", (24, 3)),  # no image has three columns of pixels
        ((8, 8), np.float64, "images", (8, 8, 1)),
        ((28, 28), np.uint8, "images", (28, 28, 1)),
        ((28, 20), np.uint8, "images", (28, 20, 1)),
        ((6, 5, 3), np.float32, "images", (6, 5, 3)),
    ],
)
def test_axes_tell_what_an_array_is(shape: tuple[int, ...], dtype: Any, kind: str, kept: tuple[int, ...]) -> None:
    x = draw(shape, dtype)
    data = from_arrays(x, Y)
    assert (data.kind, data.x.shape) == (kind, (ROWS, *kept))
    assert np.array_equal(np.asarray(data.x).reshape(x.shape), x)
    decided = (x.ndim == 3 and dtype is not np.uint8) or shape == (24, 3)
    assert len(data.notes) == decided
    assert all("data.kind: " in note for note in data.notes)


@pytest.mark.parametrize(
    ("shape", "kind", "kept"),
    [
        ((8, 8), "sequences", (8, 8)),
        ((28, 20), "images", (28, 20, 1)),
        ((28, 20), "sequences", (28, 20)),
        ((50, 10), "images", (50, 10, 1)),
        ((30,), "sequences", (30, 1)),
        ((30,), "rows", (30,)),
    ],
)
def test_the_kind_decides(shape: tuple[int, ...], kind: InputForms, kept: tuple[int, ...]) -> None:
    data = from_arrays(draw(shape), Y, form=InputForm(kind))
    assert (data.kind, data.x.shape[1:], data.notes) == (kind, kept, ())


def test_what_may_be_either_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(12, 28, 20\).*images of 28 x 20 pixels or sequences of 28 steps.*kind="):
        from_arrays(draw((28, 20)), Y)


@pytest.mark.parametrize(
    ("shape", "kind"), [((5,), "images"), ((5, 4), "rows"), ((5, 4, 3), "sequences"), ((5, 4), "tokens")]
)
def test_a_kind_with_other_axes_is_refused(shape: tuple[int, ...], kind: InputForms) -> None:
    with pytest.raises(InputError, match=rf"\(12, 5.*{kind} have \(n, .*data\.kind"):
        from_arrays(draw(shape), Y, form=InputForm(kind))


def test_columns_of_numbers_are_the_steps_of_one_channel() -> None:
    frame = pd.DataFrame(draw((6,)), columns=[f"t{step}" for step in range(6)])
    data = from_arrays(frame, Y, form=InputForm("sequences"))
    assert (data.x.shape, data.columns) == ((ROWS, 6, 1), None)
    frame["t3"] = ["low", "high"] * (ROWS // 2)
    with pytest.raises(InputError, match=r"sequences .data.kind. .*'t3' is categorical"):
        from_arrays(frame, Y, form=InputForm("sequences"))
    frame["t3"] = [*range(ROWS - 1), np.nan]
    with pytest.raises(InputError, match="'t3' lacks a number in row 12"):
        from_arrays(frame, Y, form=InputForm("sequences"))


def test_each_channel_of_sequences_is_standardized() -> None:
    x = draw((7, 3)) * [1, 10, 100] + [5, 0, -3]
    data = from_arrays(x, Y)
    preprocessor, _ = fit_preprocessor(data, np.arange(8), "classification")
    assert (preprocessor.kind, preprocessor.input_shape) == ("sequences", (7, 3))
    ready = preprocessor.transform(data.x)
    flat = x[:8].astype(np.float32).astype(np.float64).reshape(-1, 3)
    assert ready == pytest.approx((x - flat.mean(0)) / flat.std(0), abs=1e-5)
    assert Preprocessor.from_json(preprocessor.to_json()) == preprocessor
