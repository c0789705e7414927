"""Centering of raw numbers before they become float32, for features whose differences float32 would lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regzoo.data.numbers import LARGEST_EXACT, cast_numbers, iterate_blocks

Array = NDArray[Any]

ServedDtype = Literal["float32", "float64", "int64"]

TOLERANCE = 1e-6
"""Largest error by float32, in standard deviations of its feature, that counts as none."""

FINE = 1e-5
"""Largest error by float32, in standard deviations, of an answer that is given as float32."""

_ROUNDINGS, _COARSE = 8, 2.0**-8
"""Standard deviations up to 8 units in the last place are rounding errors, unless such a unit is larger than 1/256."""

SMALLEST, LARGEST = 1e-30, 1e30
"""Standard deviations outside of this range would leave that of float32."""


@dataclass(frozen=True)
class Centering:
    """Transform numbers to float32: (value - center) / unit, computed in the dtype of the data.

    Attributes:
        dtype: the dtype that the exported model takes: float32 where it keeps the differences, else float64, or int64
            for whole numbers beyond 2**53.
        center: subtracted from each feature, close to its training mean; empty for 0.
        unit: divisor of each feature, a power of two; empty for 1.
    """

    dtype: ServedDtype = "float32"
    center: tuple[float, ...] = ()
    unit: tuple[float, ...] = ()

    @property
    def is_neutral(self) -> bool:
        """True if numbers become float32 as they are."""
        return not self.center and not self.unit

    def transform(self, values: Array) -> NDArray[np.float32]:
        """Return raw numbers (n, ..., features) as centered float32; a missing number as NaN."""
        if self.is_neutral:
            return cast_numbers(values, "float32")
        centered = np.empty(values.shape, np.float32)
        for rows in iterate_blocks(values):
            block = self._center(values[rows])
            centered[rows] = block / np.array(self.unit) if self.unit else block
        return centered

    def _center(self, values: Array) -> Array:
        center = np.array(self.center or 0.0)
        if self.dtype == "float32":
            return cast_numbers(values, "float32") - center.astype(np.float32)
        plain = cast_numbers(values, "float64") - center
        if self.dtype == "float64" or values.dtype != np.int64:
            return plain
        exact = np.abs(plain) < LARGEST_EXACT  # beyond, int64 might overflow, and float64 is exact enough
        return np.where(exact, (values - np.array(self.center or 0, np.int64)).astype(np.float64), plain)

    def restore(self, mean: Array, scale: Array) -> tuple[Array, Array]:
        """Return mean and scale of centered features (features,) in the units of the data, float64."""
        unit = np.array(self.unit or 1.0)
        return mean * unit + np.array(self.center or 0.0, np.float64), scale * unit

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        return {"dtype": self.dtype, "center": list(self.center), "unit": list(self.unit)}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Centering:
        """Read what `to_json` returned."""
        return Centering(values["dtype"], tuple(values["center"]), tuple(values["unit"]))


NEUTRAL = Centering()
"""Leaves numbers as they are, as float32."""


def join_centerings(centerings: Sequence[Centering]) -> Centering:
    """Return the centering of several features that each have one, all of the same dtype."""
    if all(centering.is_neutral for centering in centerings):
        return NEUTRAL
    center = tuple((centering.center or (0,))[0] for centering in centerings)
    unit = tuple((centering.unit or (1.0,))[0] for centering in centerings)
    return Centering(centerings[0].dtype, center, () if set(unit) == {1.0} else unit)


def fit_centering(values: Array) -> tuple[Centering, tuple[int, ...]]:
    """Return how ``values`` (n, ..., features), complete, become float32, and which features are rounding errors.

    The dtype is one for all features. A feature is centered if float32 would change its numbers, or its mean, by more
    than `TOLERANCE` standard deviations; rounding errors need not be kept.
    """
    if values.dtype.itemsize == 1:
        return NEUTRAL, ()
    needs = [_measure(values[..., feature]) for feature in range(values.shape[-1])]
    noise = tuple(feature for feature, need in enumerate(needs) if need.is_noise)
    if all(need.is_served_by("float32") and need.keeps_mean for need in needs):
        return NEUTRAL, noise
    dtypes: tuple[ServedDtype, ...] = ("float32", "float64", "int64")
    dtype = next(dtype for dtype in dtypes if dtype == "int64" or all(need.is_served_by(dtype) for need in needs))
    center = tuple(need.choose_center(dtype) for need in needs)
    unit = tuple(need.choose_unit() for need in needs)
    return Centering(dtype, center, () if set(unit) == {1.0} else unit), noise


@dataclass(frozen=True)
class _Need:
    """Mean and standard deviation of one feature, and the largest error by each dtype."""

    mean: float
    whole_mean: int
    deviation: float
    errors: Mapping[str, float]
    is_noise: bool
    is_flag: bool

    @property
    def keeps_mean(self) -> bool:
        return abs(self.mean - float(np.float32(self.mean))) <= TOLERANCE * self.deviation or self.is_flat

    @property
    def is_flat(self) -> bool:
        return self.is_noise or self.is_flag or not self.deviation

    def is_served_by(self, dtype: ServedDtype) -> bool:
        if self.is_flat:
            return True
        inside = SMALLEST < self.deviation < LARGEST
        return self.errors[dtype] <= TOLERANCE * self.deviation and (inside or dtype != "float32")

    def choose_center(self, dtype: ServedDtype) -> float:
        if self.keeps_mean and self.is_served_by("float32"):
            return 0 if dtype == "int64" else 0.0
        if dtype == "int64":
            return self.whole_mean
        return self.mean if dtype == "float64" else float(np.float32(self.mean))

    def choose_unit(self) -> float:
        if self.is_flat or SMALLEST < self.deviation < LARGEST:
            return 1.0
        return float(2.0 ** np.floor(np.log2(self.deviation)))


def _measure(values: Array) -> _Need:
    """Return what a feature needs; deviations are from its smallest value, so that they are exact for large numbers."""
    low, high = values.min().item(), values.max().item()
    whole = values.dtype.kind in "iu"
    if whole and high - low < LARGEST_EXACT:
        deviations = (values.astype(np.int64) - low).astype(np.float64)
    else:
        deviations = values.astype(np.float64) - low
    mean = float(deviations.mean())
    deviation = _compute_deviation(deviations) if high > low else 0.0
    largest = float(max(high, -low))
    blur = float(np.spacing(largest)) if whole and largest >= LARGEST_EXACT else 0.0  # by float64
    return _Need(
        mean=low + mean,
        whole_mean=low + round(mean) if whole else 0,
        deviation=deviation,
        errors={"float32": _measure_float32_error(values) + blur, "float64": blur, "int64": 0.0},
        is_noise=not whole and high > low and _is_noise(values, deviation),
        is_flag=low >= 0 and high <= 1 and bool(((values == 0) | (values == 1)).all()),
    )


def _compute_deviation(deviations: Array) -> float:
    """Return the standard deviation; of numbers whose squares would leave the range of float64, too."""
    largest = float(deviations.max())
    return float(deviations.std()) if SMALLEST < largest < LARGEST else float((deviations / largest).std()) * largest


def _is_noise(values: Array, deviation: float) -> bool:
    """Return True if floats (n, ...) differ by the rounding errors of what computed them, as sums of 0.1 do.

    Large numbers are not, if all that float64 keeps of their fractions are a few bits, and neither are whole numbers.
    """
    ulp = float(np.spacing(np.abs(values).max()))
    fine = ulp < _COARSE and deviation <= _ROUNDINGS * ulp
    return fine and not np.array_equal(values, np.floor(values))


def _measure_float32_error(values: Array) -> float:
    """Return by how much a cast to float32 changes one of ``values`` at most."""
    if np.can_cast(values.dtype, np.float32, "safe"):
        return 0.0
    return float(np.abs(values.astype(np.float64) - values.astype(np.float32)).max())


def choose_answer_dtype(mean: Any, scale: Any) -> ServedDtype:
    """Return the dtype of answers in the units of the data: float32, or float64 where it would blur them."""
    sizes = np.abs(np.asarray(scale, np.float64))
    clear = np.abs(np.asarray(mean, np.float64)) * np.finfo(np.float32).eps <= FINE * sizes
    return "float32" if (clear & (sizes > SMALLEST) & (sizes < LARGEST)).all() else "float64"
