"""The verdict never claims more than the leaderboard supports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.report.findings.verdict import judge_recipes
from regzoo.stats.recipe_pairs import RecipePair

SURE: dict[str, Any] = {"gain": 0.03, "gain_low": 0.02, "gain_high": 0.04, "p_holm": 0.01}
DROPOUT: dict[str, Any] = {"recipe": "dropout(0.31)", "rank": 1, "tier": 1, "mean": 0.09, "low": 0.085, "high": 0.095}
NONE: dict[str, Any] = {"tier": 2, "mean": 0.12, "low": 0.115, "high": 0.125, "rank": 2}


@pytest.fixture
def say(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> Any:
    """Return the function that gives the verdict on rows, passed as name -> fields, as one text."""

    def judge(direction: str = "min", **rows: dict[str, Any]) -> str:
        return str(
            judge_recipes(
                make_leaderboard([make_row(n, **given) for n, given in rows.items()], direction), [], make_comparison()
            )
        )

    return judge


def test_a_clear_winner_is_named_with_strength_gain_interval_and_cost(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE | {"fit_seconds": 3.0}, none=NONE | {"fit_seconds": 2.0})
    assert text.startswith("Use `dropout(0.31)`: it has the best mean validation nll, 0.0900 (lower is better), ")
    assert "0.0300 better than `none` (95 % interval of the gain 0.0200 to 0.0400, " in text
    assert "over 5 trainings of one search's choice)." in text
    assert "One training run of `dropout(0.31)` takes 3 s, 1.5 times as long as `none`." in text


def test_higher_is_better_where_it_is(say: Any) -> None:
    assert "0.0900 (higher is better)" in say("max", dropout=DROPOUT | SURE, none=NONE)


def test_tier_mates_and_the_cheapest_of_them_are_named(say: Any) -> None:
    text = say(
        dropout=DROPOUT | SURE | {"fit_seconds": 3.0},
        l2=DROPOUT | {"recipe": "l2(0.1)", "rank": 2, "fit_seconds": 2.0},
        none=NONE,
    )
    assert "the data cannot tell it from `l2(0.1)`." in text
    assert "in the same tier, `l2(0.1)` takes 2 s." in text


def test_nothing_beats_none_if_none_shares_the_winners_tier(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE | {"p_holm": 0.2}, none=NONE | {"tier": 1})
    assert text.startswith("Nothing beats `none` beyond doubt: `dropout(0.31)` has the best mean")
    assert "the data cannot tell the two apart" in text
    assert "excludes zero, but adjusted for 1 comparison it could be chance (p = 0.200)" in text
    assert "Use" not in text


def test_what_beats_none_for_certain_is_named_though_another_has_the_best_mean(say: Any) -> None:
    unsure = DROPOUT | SURE | {"gain_low": -0.01, "p_holm": 0.2, "verdict": "inconclusive"}
    l2 = SURE | {"recipe": "l2(0.1)", "rank": 2, "tier": 1, "mean": 0.095, "verdict": "conclusive"}
    for winner in ({"dropout": unsure}, {"placebo 1": unsure | {"recipe": "none"}}):
        text = say(**winner, l2=l2, none=NONE | {"tier": 1, "rank": 3})
        assert text.startswith("`l2(0.1)` conclusively beats `none`: it is 0.0300 better (95 % interval 0.0200 to")
        assert "Nothing beats" not in text
        assert "No regularizer is needed" not in text


def test_an_equivalent_winner_beats_nothing_in_practice(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE | {"verdict": "equivalent"}, none=NONE)
    assert text.startswith("Nothing beats `none` in practice: `dropout(0.31)` has the best mean")
    assert "which counts as no difference." in text
    assert "Use" not in text


def test_nothing_beats_none_if_none_is_best(say: Any) -> None:
    text = say(none=NONE | {"rank": 1}, dropout=DROPOUT | {"rank": 2, "mean": 0.13})
    assert text.startswith("Nothing beats `none` here: without a regularizer it has the best mean validation nll, 0.12")


@pytest.mark.parametrize("weak", [{"gain_low": -0.001}, {"p_holm": 0.06}])
def test_another_tier_alone_is_only_a_hint(say: Any, weak: dict[str, Any]) -> None:
    text = say(dropout=DROPOUT | SURE | weak, none=NONE)
    assert "that is a hint, not a proof" in text
    assert "Use" not in text


def test_one_replicate_says_nothing_about_how_sure(say: Any) -> None:
    unsure = {"gain": 0.03, "low": None, "high": None}
    assert "too few replicates finished to say how sure" in say(dropout=DROPOUT | unsure, none=NONE)


def test_a_winner_that_gains_nothing_in_the_pairs_is_no_winner(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE | {"gain": -0.01}, none=NONE)
    assert text.startswith("Nothing beats `none` for certain")


def test_without_a_baseline_score_no_gain_is_claimed(say: Any) -> None:
    text = say(dropout=DROPOUT, none={"status": "failed", "replicates": 5, "diverged": 5})
    assert "no gain is claimed" in text
    assert "every replicate diverged or failed: `none`" in text


def test_a_half_finished_leaderboard_says_what_is_missing(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE, none=NONE, l2={}, l1={})
    assert "Not measured yet: `l2` and `l1`; the order may change." in text


def test_an_empty_leaderboard_has_no_verdict(say: Any) -> None:
    assert say(none={}, l2={}).startswith("No verdict yet: no recipe has a finished replicate.")


def test_diverged_replicates_are_mentioned(say: Any) -> None:
    text = say(dropout=DROPOUT | SURE, none=NONE | {"diverged": 2, "status": "diverged"})
    assert "Of the replicates of `none`, 2 of 5 diverged; gains count only finished pairs." in text


def test_placebos_are_counted_and_never_win(say: Any) -> None:
    placebo = {"tier": 1, "mean": 0.08, "low": 0.07, "high": 0.09, "gain": 0.04, "replicates": 5}
    text = say(
        **{
            "placebo 1": placebo | {"rank": 1, "verdict": "conclusive"},
            "placebo 2": placebo | {"rank": 2, "verdict": "inconclusive", "replicates_needed": 20},
            "none": NONE | {"rank": 3},
        }
    )
    assert text.startswith("Nothing beats `none` beyond doubt: `placebo 1`, a disguised copy of it, has the best mean")
    assert "Placebos: 1 of 2 disguised copies of `none` was judged better than it, 0 worse" in text


def test_a_placebo_is_called_by_its_name(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    """Its recipe is the baseline's, so only the name distinguishes them."""
    best = DROPOUT | SURE | {"recipe": "none", "fit_seconds": 2.0, "p_better": 0.8, "verdict": "inconclusive"}
    made = replace(make_leaderboard([make_row("placebo 1", **best), make_row("none", **NONE)]), shrunk_gain=0.01)
    text = str(judge_recipes(made, [], make_comparison()))
    assert text.startswith("Nothing beats `none` beyond doubt: `placebo 1`, a disguised copy of it, has the best")
    assert "`none` beats" not in text
    assert "luck" not in text
    assert "One training" not in text


def test_a_sure_gain_is_not_hidden_behind_an_unsure_winner(say: Any) -> None:
    unsure = {"gain": 0.05, "gain_low": -0.01, "gain_high": 0.09, "p_holm": 0.4, "verdict": "inconclusive"}
    text = say(
        dropout=DROPOUT | unsure,
        l1=DROPOUT | SURE | {"recipe": "l1(0.1)", "rank": 2, "verdict": "conclusive"},
        none=NONE | {"tier": 1, "rank": 3},
    )
    assert text.startswith(
        "`l1(0.1)` conclusively beats `none`: it is 0.0300 better (95 % interval 0.0200 to 0.0400, over 5 trainings "
        "of one search's choice); `dropout(0.31)` has the best mean validation nll, 0.0900 (lower is better), but "
        "whether it beats `none` itself is open."
    )
    assert "Nothing beats" not in text


def test_a_lone_baseline_is_not_called_the_best(say: Any) -> None:
    text = say(none=NONE | {"rank": 1})
    assert text.startswith("Only `none` has been measured: its mean validation nll is 0.1200 (lower is better).")
    assert "Add a regularizer to `recipes`" in text
    assert "Add a regularizer to `recipes`" not in say(none=NONE | {"rank": 1}, l2={})


def test_what_makes_no_difference_is_left_out(
    say: Any, make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    timed = {"fit_seconds": 2.0, "best_epoch": 5.2}
    assert "best epoch" not in say(dropout=DROPOUT | SURE | timed, none=NONE | timed)
    made = replace(
        make_leaderboard([make_row("dropout", **DROPOUT | SURE), make_row("none", **NONE)]), shrunk_gain=0.03
    )
    assert "luck" not in str(judge_recipes(made, [], make_comparison()))


def test_an_ensemble_costs_with_every_prediction(say: Any) -> None:
    many = {"recipe": "ensemble(3)", "parameters": 300, "fit_seconds": 3.0}
    text = say(ensemble=DROPOUT | SURE | many, none=NONE | {"parameters": 100})
    assert "uses 3 times as many parameters as one of `none`." in text
    assert "times as many parameters" not in say(
        ensemble=DROPOUT | SURE | many | {"parameters": 149}, none=NONE | {"parameters": 100}
    )


def test_the_gain_without_luck_and_the_chance_to_win(
    make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    better = {"p_better": 0.8, "p_better_low": 0.5, "p_better_high": 0.9, "verdict": "conclusive"}
    made = replace(
        make_leaderboard([make_row("dropout", **DROPOUT | SURE | better), make_row("none", **NONE)]), shrunk_gain=0.025
    )
    text = str(judge_recipes(made, [], make_comparison()))
    assert (
        "beats `none` in 80 % of the paired runs (95 % interval of this probability 50 % to 90 %, over 5 trainings of "
        "one search's choice); the verdict is `better`." in text
    )
    assert "On fresh seeds, expect a gain of 0.0250 instead of 0.0300" in text


def test_a_gain_known_more_finely_than_the_scores_keeps_its_digits(say: Any) -> None:
    wide = {"mean": 1.2, "low": 0.7, "high": 1.7}
    gain = {"gain": 0.025, "gain_low": -0.013, "gain_high": 0.063, "p_holm": 0.4, "verdict": "inconclusive"}
    text = say(dropout=DROPOUT | wide | gain | {"tier": 1}, none=NONE | wide | {"mean": 1.225, "tier": 1})
    assert "1.200 (lower is better), 0.025 better than `none`" in text
    assert "(95 % interval of the gain -0.013 to 0.063, over" in text


@pytest.mark.parametrize(
    ("shrunk", "expected"),
    [(0.025, "expect a gain of 0.0250"), (-5.4e-07, "expect no gain"), (-0.004, "expect a loss of 0.0040")],
)
def test_what_luck_leaves_may_be_no_gain(
    shrunk: float, expected: str, make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    board = make_leaderboard([make_row("dropout", **DROPOUT | SURE), make_row("none", **NONE)])
    text = str(judge_recipes(replace(board, shrunk_gain=shrunk), [], make_comparison()))
    assert f"On fresh seeds, {expected} instead of 0.0300: " in text


def test_all_that_share_the_first_tier_are_counted(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    """With several searches a recipe may share the tier of one from which it differs significantly."""
    doubt = DROPOUT | SURE | {"p_holm": 0.2}
    rows = [make_row("dropout", **doubt), make_row("l2", **NONE | {"tier": 1}), make_row("none", **NONE | {"tier": 1})]
    board = replace(make_leaderboard(rows), pairs=(RecipePair("dropout", "l2", 0.03, 0.01, True),))
    assert "3 recipes share the first tier." in str(judge_recipes(board, [], make_comparison()))
