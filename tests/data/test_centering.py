"""Centering before the cast to float32: which dtype is served, what survives, what is rounding noise."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from regzoo.data.centering import NEUTRAL, TOLERANCE, Centering, fit_centering

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(200, 1))
WHOLE = RNG.integers(0, 100, (200, 1))


def standardize(values: Any) -> Any:
    """Return (n, 1) centered and standardized, computed with exact deviations."""
    low = values.min()
    deviations = (values - low).astype(np.float64)
    return (deviations - deviations.mean()) / deviations.std()


def fit_and_standardize(values: Any) -> tuple[Centering, Any]:
    centering, noise = fit_centering(values)
    assert not noise
    x = centering.transform(values).astype(np.float64)
    return centering, (x - np.float32(x.mean())) / np.float32(x.std())


SHIFTED = {
    "as it is": (NORMAL, "float32"),
    "decimals": (np.round(NORMAL + 13, 2), "float32"),
    "years": (WHOLE // 30 + 2000, "float32"),
    "whole, exact in float32": (2**24 - WHOLE, "float32"),
    "whole, in float32": (WHOLE.astype(np.float32) + 2**20, "float32"),
    "times": (1.7e9 + NORMAL, "float64"),
    "times of int64": (1_700_000_000 + WHOLE, "float64"),
    "meters": (123456000 + WHOLE % 5, "float64"),
    "2**52": (2.0**52 + WHOLE, "float64"),
    "ids": (2**53 + 1 + WHOLE, "int64"),
    "small ids": (-(2**62) - WHOLE, "int64"),
    "hashes": (RNG.integers(-(2**62), 2**62, (200, 1)), "float32"),
    "tiny": (NORMAL * 2.0**-140, "float64"),
}


@pytest.mark.parametrize("name", SHIFTED)
def test_differences_survive_in_the_smallest_dtype(name: str) -> None:
    values, dtype = SHIFTED[name]
    centering, x = fit_and_standardize(values)
    assert centering.dtype == dtype
    assert Centering.from_json(json.loads(json.dumps(centering.to_json()))) == centering
    # TOLERANCE each by the cast of the numbers and of the mean; float32 rounds numbers up to 4 by 2**-22, three times
    np.testing.assert_allclose(x, standardize(values), atol=2 * TOLERANCE + 3 * 2**-22)


@pytest.mark.parametrize("power", [-120, -3, 60, 90])
def test_a_power_of_two_changes_nothing(power: int) -> None:
    for values in (NORMAL, NORMAL + 13, NORMAL + 1e6):
        (_, one), (_, other) = fit_and_standardize(values), fit_and_standardize(values * 2.0**power)
        np.testing.assert_allclose(one, other, atol=2 * TOLERANCE)


@pytest.mark.parametrize("bits", range(0, 53, 4))
def test_a_constant_changes_nothing_but_what_float64_rounds(bits: int) -> None:
    shifted = NORMAL + 2.0**bits
    np.testing.assert_allclose(fit_and_standardize(shifted)[1], standardize(shifted - 2.0**bits), atol=4 * TOLERANCE)


def test_one_dtype_serves_all_columns_and_only_those_that_need_it_are_centered() -> None:
    centering, _ = fit_centering(np.column_stack([NORMAL, NORMAL + 1.7e9]))
    assert centering.dtype == "float64"
    assert centering.center[0] == 0
    assert abs(centering.center[1] - 1.7e9) < 1
    assert fit_centering(np.column_stack([WHOLE, WHOLE + 2**60]))[0].dtype == "int64"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_])
def test_bytes_are_left_alone(dtype: Any) -> None:
    assert fit_centering(np.ones((3, 2), dtype)) == (NEUTRAL, ())


def test_zeros_and_ones_are_left_alone() -> None:
    flags = np.ones((200_000, 1))
    flags[0] = 0
    assert fit_centering(flags)[0].is_neutral


NOISE = {
    "sums of 0.1": np.where(NORMAL > 0, 0.1 + 0.2, 0.3),
    "float32": (np.float32(0.7) + np.float32(2**-24) * (NORMAL > 0)).astype(np.float32),
}


@pytest.mark.parametrize("name", NOISE)
def test_rounding_errors_are_known(name: str) -> None:
    centering, noise = fit_centering(NOISE[name])
    assert (centering, noise) == (NEUTRAL, (0,))


def test_constants_are_no_noise() -> None:
    assert fit_centering(np.full((20, 2), 0.1)) == (NEUTRAL, ())


def test_whole_numbers_far_from_the_center_neither_overflow_nor_move() -> None:
    centering, _ = fit_centering(2**60 + WHOLE)
    x = centering.transform(np.array([[2**63 - 1], [1 - 2**63], [2**60]]))
    exact = [2**63 - 1 - centering.center[0], 1 - 2**63 - centering.center[0], 2**60 - centering.center[0]]
    np.testing.assert_allclose(x[:, 0], np.array(exact, dtype=np.float64), rtol=2**-23)
