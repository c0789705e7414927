"""Winner's curse: published expectations, enumeration by hand, and simulations with a known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from regzoo.stats.winners_curse import compute_expected_maximum, estimate_shrunk_gain


def test_expected_maximum_of_normals() -> None:
    # m = 2 and 3 in closed form: 1 / sqrt pi and 3 / (2 sqrt pi).
    assert compute_expected_maximum(1) == pytest.approx(0.0, abs=1e-9)
    assert compute_expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert compute_expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert [round(compute_expected_maximum(m), 2) for m in (2, 5, 10, 20)] == [0.56, 1.16, 1.54, 1.87]


def test_two_pairs_by_hand() -> None:
    # Only drawing one pair twice leaves one out. Pair 0 picks the second recipe, which gains 0 on pair 1; pair 1
    # picks the first, which gains 0 on pair 0.
    assert estimate_shrunk_gain(np.array([[0.0, 1.0], [0.4, 0.0]])) == 0.0
    # Here pair 0 picks the second, which gains 0.2 on pair 1; pair 1 picks the first, which gains 0.3 on pair 0.
    assert estimate_shrunk_gain(np.array([[0.3, 1.0], [0.4, 0.2]])) == pytest.approx(0.25)


@pytest.mark.parametrize("pairs", [3, 6, 12])
def test_a_lone_recipe_and_a_clear_winner_keep_their_gain(pairs: int) -> None:
    winner = np.linspace(0.9, 1.1, pairs)
    # From 7 pairs on resamples are drawn: the left-out means have an sd of about 0.06, averaged over 10,000.
    assert estimate_shrunk_gain(winner[None]) == pytest.approx(1.0, abs=3e-3)
    assert estimate_shrunk_gain(np.array([winner, np.zeros(pairs)])) == pytest.approx(1.0, abs=3e-3)


def test_it_never_exceeds_the_gain_of_the_winner() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        gains = rng.normal(size=(4, 8))
        found = estimate_shrunk_gain(gains)
        assert found is not None
        assert found <= gains.mean(axis=1).max()


def test_one_pair_gives_no_estimate() -> None:
    assert estimate_shrunk_gain(np.array([[1.0], [0.5]])) is None


def test_the_seed_changes_the_resampling_and_repeats_it() -> None:
    gains = np.random.default_rng(0).normal(size=(4, 8))
    assert estimate_shrunk_gain(gains, seed=1) == estimate_shrunk_gain(gains, seed=1)
    assert estimate_shrunk_gain(gains, seed=1) != estimate_shrunk_gain(gains, seed=2)
    assert estimate_shrunk_gain(gains[:, :5], seed=1) == estimate_shrunk_gain(gains[:, :5], seed=2)  # enumerated


def errors(lead: float, simulations: int) -> tuple[float, float]:
    """Return the mean error of the winner's gain, observed and shrunk; the first of five recipes leads by ``lead``."""
    truth = np.array([0.0, lead, 0.0, 0.0, 0.0, 0.0])
    rng = np.random.default_rng(3)
    observed, shrunk = [], []
    for scores in rng.normal(size=(simulations, 6, 5)) + truth[:, None]:
        gains = scores - scores[0]
        best = int(gains.mean(axis=1).argmax())
        observed.append(gains[best].mean() - truth[best])
        found = estimate_shrunk_gain(gains)
        assert found is not None
        shrunk.append(found - truth[best])
    return float(np.mean(observed)), float(np.mean(shrunk))


def test_the_selection_bias_of_six_equal_recipes_is_removed() -> None:
    # Observed: 1.267 / sqrt 5 = 0.567, the expected maximum of six. The shrunk gain has an sd of 0.57 around its truth,
    # so over 1,500 simulations one standard error is 0.015; capping it at the observed gain removes no more than 0.01.
    observed, shrunk = errors(lead=0.0, simulations=1500)
    assert observed == pytest.approx(compute_expected_maximum(6) / math.sqrt(5), abs=0.06)
    assert abs(shrunk) < 0.06


def test_a_true_lead_remains() -> None:
    # A lead of 2 sd: -0.08 of error on average, an sd of 0.75; 600 simulations, one standard error 0.03.
    _, shrunk = errors(lead=2.0, simulations=600)
    assert -0.08 - 0.09 < shrunk <= 0.05
