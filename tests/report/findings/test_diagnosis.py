"""Diagnosis of overfitting, on fabricated runs with known curves, and on real ones, marked slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.report.findings.diagnosis import Diagnosis, answer_need, diagnose
from regzoo.report.findings.verdict import judge_recipes

DECLINING = (2.0, 1.0, 0.5, 0.75, 1.0)  # best after epoch 3; then a third of what was learned is lost
FLAT = (2.0, 1.0, 0.5, 0.25, 0.25)
BETTER: dict[str, Any] = {"gain": 1.0, "gain_low": 0.5, "gain_high": 1.5, "p_holm": 0.01, "verdict": "conclusive"}
UNSURE: dict[str, Any] = {"gain": 0.1, "gain_low": -0.5, "gain_high": 0.5, "p_holm": 0.7, "verdict": "inconclusive"}

Case = tuple[dict[str, Any], list[Any], dict[str, Any]]


@pytest.fixture
def case(make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any) -> Callable[..., Case]:
    """A leaderboard of `none` and `dropout`, with three baseline runs that follow ``curve`` to within 0.01."""

    def made(curve: Sequence[float], train: float, direction: str = "min", **dropout: Any) -> Case:
        sign = 1 if direction == "min" else -1
        last = curve[-1]
        metrics = {"train": {"nll": sign * train}, "validation": {"nll": sign * last, "ece": 0.125}, "test": {}}
        same = {"replicates_needed": 40 if dropout.get("verdict") == "inconclusive" else None}
        mean = {"mean": sign * (last - dropout["gain"]), "low": sign * last - 0.5, "high": sign * last + 0.5}
        rows = [
            make_row("dropout", rank=1, tier=1, **mean, **dropout, **same),
            make_row("none", rank=2, tier=1 if dropout["verdict"] == "inconclusive" else 2, mean=sign * last,
                low=sign * last - 0.5, high=sign * last + 0.5, parameters=9000, metrics=metrics),
        ]  # fmt: skip
        runs = [
            make_record(
                "none", sign * last, number=i, seed=i, history={"validation": {"nll": [sign * (v + d) for v in curve]}}
            )
            for i, d in enumerate((-0.01, 0.0, 0.01))
        ]
        return make_leaderboard(rows, direction), runs, make_comparison()

    return made


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_baseline_that_declines_overfits(case: Any, direction: str) -> None:
    found = diagnose(*case(DECLINING, 0.25, direction, **BETTER))
    assert (found.need, found.overfits, found.best_epoch, found.epochs, found.tested) == ("yes", True, 3, 5, 1)
    assert found.decline == pytest.approx(0.5)
    assert found.decline_share == pytest.approx(0.5 / 1.5)  # of what was learned, from 2.0 to 0.5
    assert found.gap == pytest.approx(0.75)
    assert found.stopping_gain == pytest.approx(0.5)
    assert found.stopping_share == pytest.approx(0.5)  # of a gain of 1
    assert found.overconfidence == pytest.approx((0.05 * 10 + 0.04 * 90) / 100)  # bins of the fixture


def test_the_verdict_names_overfitting_and_what_beats_none(case: Any) -> None:
    leaderboard, runs, comparison = case(DECLINING, 0.25, **BETTER)
    text = str(judge_recipes(leaderboard, runs, comparison))
    assert text.startswith("Use `dropout`")
    assert "Do you need a regularizer? Yes: `none` overfits (its validation nll is best after epoch 3 of 5" in text
    assert "and `dropout` conclusively beats it." in text
    assert "Early stopping alone does not explain the gain: stopping `none` at its best epoch would gain up to" in text
    assert "9,000 parameters for 1,078 training rows, enough to memorize them" in text


def test_early_stopping_may_explain_the_gain(case: Any) -> None:
    leaderboard, runs, comparison = case(DECLINING, 0.25, **(BETTER | {"gain": 0.4, "gain_low": 0.3}))
    assert "Early stopping alone may explain the gain" in str(judge_recipes(leaderboard, runs, comparison))


def test_nothing_is_needed_where_nothing_overfits_and_nothing_helps(case: Any) -> None:
    leaderboard, runs, comparison = case(FLAT, 0.2, **UNSURE)
    found = judge_recipes(leaderboard, runs, comparison)
    assert found.headline.startswith("No regularizer is needed: ")
    assert "Do you need a regularizer? No: `none` does not overfit, and the only other recipe measured is not" in str(
        found
    )
    assert any("`replicates: 40`" in step for step in found.recommendations)
    assert "Use no regularizer: keep the model as it is." in found.recommendations


@pytest.mark.parametrize("direction", ["min", "max"])
def test_losing_much_of_little_progress_is_no_overfitting(case: Any, direction: str) -> None:
    """After the first epoch 0.02 is learned and half of it lost: much of that, but little of what is left to learn."""
    found = diagnose(*case((0.82, 0.80, 0.81), 0.80, direction, **UNSURE))
    left = 0.80 if direction == "min" else 1.80  # scores are negative there
    assert (found.need, found.overfits) == ("no", False)
    assert found.decline_share == pytest.approx(0.01 / left)
    assert found.gap_share == pytest.approx(0.01 / (left + 0.01))


def test_without_a_best_possible_score_what_was_learned_counts(case: Any) -> None:
    leaderboard, runs, comparison = case((0.82, 0.80, 0.81), 0.80, **UNSURE)
    runs = [replace(run, history={"validation": {"gaussian_nll": run.history["validation"]["nll"]}}) for run in runs]
    found = diagnose(replace(leaderboard, rank_by="gaussian_nll"), runs, comparison)
    assert found.overfits is True
    assert found.decline_share == pytest.approx(0.5)


def test_without_curves_a_gain_says_nothing_of_overfitting(case: Any) -> None:
    leaderboard, _, comparison = case(FLAT, 0.2, **BETTER)
    found = diagnose(leaderboard, [], comparison)
    assert (found.need, found.overfits) == ("yes", None)
    assert answer_need(found, leaderboard, 3) == "Do you need a regularizer? Yes: `dropout` conclusively beats `none`."


def test_overfitting_that_nothing_helps_asks_for_data(case: Any) -> None:
    leaderboard, runs, comparison = case(DECLINING, 0.25, **UNSURE)
    found = judge_recipes(leaderboard, runs, comparison)
    assert found.headline.startswith("Nothing beats `none` beyond doubt")
    assert "Do you need a regularizer? Perhaps" in str(found)
    assert any(step.startswith("Try more training data or a smaller model") for step in found.recommendations)


def test_a_baseline_that_still_improves_asks_for_more_epochs(case: Any) -> None:
    leaderboard, runs, comparison = case((2.0, 1.0, 0.5, 0.25, 0.125), 0.1, **UNSURE)
    found = judge_recipes(leaderboard, runs, comparison)
    assert "was still improving at the end" in str(found)
    assert any("train longer or make the model larger" in step for step in found.recommendations)


def test_a_flat_noisy_curve_does_not_decline(case: Any, make_record: Any) -> None:
    """Noise passes in 7 % of comparisons: of 50 that is 3.5 with an sd of 1.8, so 10 are 3.6 sd away."""
    leaderboard, _, comparison = case(FLAT, 0.2, **UNSURE)
    rng = np.random.default_rng(0)
    found = []
    for _ in range(50):
        curves = [[2.0, 0.5, *(0.25 + rng.normal(0, 0.2, 40)).tolist()] for _ in range(5)]
        runs = [make_record("none", 0.25, number=i, history={"validation": {"nll": c}}) for i, c in enumerate(curves)]
        found.append(diagnose(leaderboard, runs, comparison).overfits)
    assert sum(map(bool, found)) < 10


def test_without_curves_the_need_is_unknown(case: Any) -> None:
    leaderboard, _, comparison = case(FLAT, 0.2, **UNSURE)
    found = diagnose(leaderboard, [], comparison)
    assert (found.need, found.overfits) == ("unknown", None)
    assert isinstance(found, Diagnosis)
    assert answer_need(found, leaderboard, 3) == ""


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_noisy_digits_overfit_and_a_tier_beats_none() -> None:
    """300 rows, 30 % wrong labels: the effect is several sd, so five pairs suffice."""
    result = regzoo.compare(
        data={"source": "digits"}, split={"train_size": 300, "label_noise": 0.3}, backbone="mlp(widths=[256, 256])",
        recipes=["none", "dropout(0.6)", "early_stopping(3)", "l2(0.003)"], replicates=5,
        training={"epochs": 40, "learning_rate": 0.001}, search={"trials": 1}, workers=2,
    )  # fmt: skip
    leaderboard, comparison = result.board, result.side.comparison
    found = diagnose(leaderboard, result.records, comparison)
    assert found.overfits
    assert found.rows == 300
    tiers = {row.name: row.tier or 0 for row in leaderboard.recipes}
    assert min(tiers[name] for name in found.better) < tiers["none"]
    text = str(judge_recipes(leaderboard, result.records, comparison))
    assert "`none` overfits" in text


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_plentiful_clean_rows_and_a_tiny_network_need_none() -> None:
    """4,000 rows in two overlapping clouds: eight hidden units cannot memorize them."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 8000)
    x = rng.normal(size=(8000, 4)) + y[:, None]
    result = regzoo.compare(
        x, y, split={"train": 0.5, "validation": 0.25, "test": 0.25}, backbone="mlp(widths=[8])",
        recipes=["none", "dropout(0.2)", "l2(0.001)"], replicates=5,
        training={"epochs": 15, "learning_rate": 0.003}, search={"trials": 1}, workers=2,
    )  # fmt: skip
    assert result.verdict.startswith("No regularizer is needed")
