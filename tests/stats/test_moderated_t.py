"""Moderated variances: limma's formulas worked by hand, limits, and a prior that is recovered."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from regzoo.stats.moderated_t import SMALLEST_SHARE, invert_trigamma, moderate_variances


def test_the_inverse_of_trigamma() -> None:
    for x in (1e-4, 0.3, 1.0, 7.0, 1e4):
        assert invert_trigamma(float(special.polygamma(1, x))) == pytest.approx(x, rel=1e-7)
    # Beyond the ends of Newton's method trigamma(x) is near 1 / x^2, and near 1 / x.
    assert invert_trigamma(1e12) == pytest.approx(1e-6)
    assert invert_trigamma(1e-9) == pytest.approx(1e9)


def test_two_variances_by_hand() -> None:
    # log s^2 is 0 and 4: its variance is 8. With 2 degrees trigamma(1) = pi^2 / 6, so d0 = 2 trigamma^-1(8 - pi^2 / 6).
    variances = np.array([1.0, math.exp(4)])
    d0 = 2 * invert_trigamma(8 - math.pi**2 / 6)
    # digamma(1) = -0.5772, so that log s^2 lies 0.5772 below log sigma^2 on average.
    prior = math.exp(2 + 0.5772156649 + float(special.digamma(d0 / 2)) - math.log(d0 / 2))
    moderated, degrees = moderate_variances(variances, np.array([2.0, 2.0]))
    assert moderated == pytest.approx((d0 * prior + 2 * variances) / (d0 + 2))
    assert degrees == pytest.approx([d0 + 2] * 2)


def test_variances_that_chance_explains_become_their_mean() -> None:
    moderated, degrees = moderate_variances(np.array([1.0, 1.2, 0.8]), np.array([4.0, 4.0, 3.0]))
    assert moderated == pytest.approx([1.0] * 3)
    assert degrees == pytest.approx([11.0] * 3)


def test_the_prior_has_no_more_degrees_than_allowed() -> None:
    variances = np.array([1.0, 1.2, 0.8])
    moderated, degrees = moderate_variances(variances, np.full(3, 4.0), most_prior_degrees=2.0)
    assert moderated == pytest.approx((2 * 1.0 + 4 * variances) / 6)
    assert degrees == pytest.approx([6.0] * 3)


def test_no_variance_has_more_degrees_than_all_together() -> None:
    # The logs of 1 and 4.9 vary hardly more than chance explains, trigamma(2): d0 is above the 4 degrees of each.
    variances, degrees = np.array([1.0, 4.9]), np.full(2, 4.0)
    assert 4 < 2 * invert_trigamma(math.log(4.9) ** 2 / 2 - (math.pi**2 / 6 - 1)) < 100
    assert moderate_variances(variances, degrees)[1] == pytest.approx([8.0, 8.0])


def test_what_there_is_nothing_to_borrow_for_stays() -> None:
    for variances in ([3.0], [0.0, 0.0]):
        degrees = np.full(len(variances), 4.0)
        moderated, total = moderate_variances(np.array(variances), degrees)
        assert moderated.tolist() == variances
        assert total.tolist() == degrees.tolist()


def test_a_variance_of_zero_is_no_outlier() -> None:
    variances, degrees = np.array([0.0, 1.0, 2.0, 3.0]), np.full(4, 4.0)
    floored = np.maximum(variances, SMALLEST_SHARE * 2)
    np.testing.assert_allclose(moderate_variances(variances, degrees)[0], moderate_variances(floored, degrees)[0])
    assert moderate_variances(variances, degrees)[0].min() > 0


def test_the_unit_does_not_matter() -> None:
    variances, degrees = np.array([1.0, 30.0, 900.0, 2.0]), np.array([4.0, 4.0, 3.0, 2.0])
    for one, other in zip(
        moderate_variances(variances, degrees), moderate_variances(1e-8 * variances, degrees), strict=True
    ):
        np.testing.assert_allclose(other / other[0], one / one[0])


def test_a_prior_is_recovered() -> None:
    # 4,000 variances from a prior of 6 degrees around 2. The sd of log s^2 is sqrt(trigamma(2) + trigamma(3)) = 1.02,
    # so that of its sample variance is about 1.04 sqrt(2 / 4000) = 0.023, on trigamma(3) = 0.395: 6 %. d0 is nearly
    # inversely proportional: three standard errors are 18 %, and the degrees follow.
    rng = np.random.default_rng(0)
    truth = 2 * 6 / rng.chisquare(6, size=4000)
    variances = truth * rng.chisquare(4, size=4000) / 4
    moderated, degrees = moderate_variances(variances, np.full(4000, 4.0))
    assert degrees[0] == pytest.approx(10, abs=0.18 * 6)
    assert np.mean((np.log(moderated) - np.log(truth)) ** 2) < 0.7 * np.mean((np.log(variances) - np.log(truth)) ** 2)
