"""Different values and equal rows, as NumPy finds them by sorting."""

import numpy as np
import pytest

from regzoo.data.dataset import Dataset
from regzoo.data.different import factorize, number_rows, sort_different

COLUMNS = {
    "text": np.array(["b", "a", "", "b", "ä", "nan"], dtype=object),
    "labels": np.array(["no", "yes", "no"]),
    "numbers": np.array([2.5, np.nan, -1.0, 2.5, np.nan]),
    "whole": np.array([3, 1, 3]),
    "booleans": np.array([True, False, True]),
    "one": np.array([1]),
}


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_different_values_are_those_of_unique(values: np.ndarray) -> None:
    codes, different = factorize(values)
    assert codes[0] == 0
    assert np.array_equal(different[codes], values, equal_nan=values.dtype.kind == "f")
    ordered, places = sort_different(values)
    expected, inverse = np.unique(values, return_inverse=True)
    assert ordered.dtype == values.dtype
    assert ordered.tolist() == pytest.approx(expected.tolist(), nan_ok=True)
    np.testing.assert_array_equal(places, inverse)


@pytest.mark.parametrize("columns", [1, 3, 70])
def test_rows_are_numbered_as_they_first_occur(columns: int) -> None:
    """All bits of a row of an array count: 0.0 is not -0.0."""
    random = np.random.default_rng(0)
    x = random.choice([0.0, -0.0, 1.0], (200, columns))
    x[100:] = x[random.integers(0, 100, 100)]
    y = random.integers(0, 2, 200)
    seen: dict[bytes, int] = {}
    expected = [seen.setdefault(row.tobytes() + bytes([label]), len(seen)) for row, label in zip(x, y, strict=True)]
    assert Dataset(x, y, None, "x", None).content_codes.tolist() == expected
    assert number_rows([*x.view(np.int64).T, y]).tolist() == expected
