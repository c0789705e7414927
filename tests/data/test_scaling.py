"""Mean and scale of features and of targets, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from regzoo.data.scaling import TargetScaling, fit_scaling, fit_target_scaling, standardize


def test_constants_and_rounding_errors_are_scaled_by_1() -> None:
    values = np.array([[5.0, 0.3, 1.0], [5.0, 0.1 + 0.2, 3.0]])
    scaling = fit_scaling(values, noise=(1,))
    assert scaling.scale.tolist() == [1.0, 1.0, 1.0]
    assert scaling.mean[[0, 2]].tolist() == [5.0, 2.0]
    assert list(scaling.damped) == [1]


@pytest.mark.parametrize(("rows", "damped"), [(9_000, False), (11_000, True)])
def test_one_deviation_in_many_rows_is_damped(rows: int, damped: bool) -> None:
    """One of n rows that is 1 among zeros: the standard deviation is sqrt(n - 1) / n, 1/100 of the range at 10,000."""
    values = np.zeros((rows, 1))
    values[0] = 1.0
    scaling = fit_scaling(values)
    assert scaling.scale[0] == pytest.approx(0.01 if damped else np.sqrt(rows - 1) / rows)
    assert list(scaling.damped) == ([0] if damped else [])


def test_targets_are_centered_only_where_they_are_large() -> None:
    assert fit_target_scaling(np.array([1.0, 3.0])) == TargetScaling(2.0, 1.0, 0.0)
    assert fit_target_scaling(np.array([2.0, 2.0])) == TargetScaling(0.0, 1.0, 2.0)
    large = np.array([2**60, 2**60 + 1, 2**60 + 2])
    assert fit_target_scaling(large) == TargetScaling(1.0, np.sqrt(2 / 3), 2**60)


def test_standardized_numbers_are_those_of_float32_arithmetic() -> None:
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    mean, scale = (0.1, 2.0, -3.0), (0.3, 1.0, 7.0)
    expected = (values - np.array(mean, np.float32)) / np.array(scale, np.float32)
    np.testing.assert_array_equal(standardize(values, mean, scale), expected)
