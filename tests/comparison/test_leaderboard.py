"""The leaderboard: the JSON that is promised, frames, and CSV that repeats to the byte."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import pytest

from regzoo.comparison.leaderboard import FROM_RANKING, Leaderboard, build_leaderboard
from regzoo.core.errors import InputError
from regzoo.stats.rank import rank
from regzoo.training.records import Record, Run

PROMISED = [
    *("recipe", "name", "rank", "tier", "mean", "sd", "low", "high", "gain", "gain_low", "gain_high", "p_holm"),
    *("p_better", "replicates", "diverged", "failed", "metrics", "epochs", "fit_seconds", "predict_ms"),
    *("parameters", "status"),
]
NAMES = ["none", "dropout", "dropout + l2", "l1", "l2"]


def record(
    name: str,
    number: int,
    score: float | None = None,
    recipe: str | None = None,
    stage: Literal["trial", "replicate"] = "replicate",
) -> Record:
    """Return a replicate with a simple number in each field; without a score it failed."""
    run = Run(stage, name, recipe or name, number, 100 + number, 0.001, 60, "setup")
    if score is None:
        return Record(run, "failed", error="ValueError: out of luck")
    return Record(
        run,
        "ok",
        metrics={
            "validation": {"nll": score, "error": score / 10},
            "train": {"nll": score / 2, "error": 0.0},
            "test": {"nll": score + 0.5, "error": 0.25},
        },
        epochs=10 + number,
        best_epoch=5 + number,
        fit_seconds=2.0 + number,
        predict_ms=0.5,
        parameters=1234,
    )


NONE = [record("none", number, score) for number, score in enumerate([0.30, 0.34, 0.32])]
DROPOUT = [record("dropout", number, score, "dropout(0.31)") for number, score in enumerate([0.21, 0.23, 0.22])]
SUM = [
    record("dropout + l2", 0, 0.1, "dropout(0.2) + l2(0.001)"),
    replace(record("dropout + l2", 1, 0.2, "dropout(0.2) + l2(0.001)"), status="diverged", metrics={}),
    record("dropout + l2", 2, None, "dropout(0.2) + l2(0.001)"),
]
L1 = [record("l1", number, None, "l1(0.5)") for number in range(3)]
TRIAL = [record("none", 9, 0.0001, stage="trial")]
RECORDS = [*TRIAL, *L1, *SUM, *DROPOUT, *NONE]


@pytest.fixture
def leaderboard() -> Leaderboard:
    return build_leaderboard(RECORDS, "nll", "min", NAMES)


def test_it_has_the_numbers_of_the_ranking(leaderboard: Leaderboard) -> None:
    frame = pd.DataFrame(
        [(r.run.name, r.run.seed, r.score("nll")) for r in [*NONE, *DROPOUT, *SUM, *L1]],
        columns=["recipe", "seed", "score"],
    )
    table = rank(frame).table
    assert [row.name for row in leaderboard.recipes] == ["dropout", "none", "dropout + l2", "l1", "l2"]
    assert list(table.index) == ["dropout", "none", "dropout + l2", "l1"]
    for row in leaderboard.recipes[:4]:
        for column in FROM_RANKING:
            expected: Any = table.loc[row.name, column]
            assert getattr(row, column) == (None if pd.isna(expected) else expected)


def test_json_has_every_promised_key_and_no_nan(leaderboard: Leaderboard) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    read = json.loads(leaderboard.to_json(), parse_constant=refuse)
    assert list(read) == [
        "rank_by",
        "direction",
        "winner",
        "baseline",
        "lead",
        "shrunk_gain",
        "recipes",
        "pairs",
        "trials",
    ]
    assert (read["rank_by"], read["direction"]) == ("nll", "min")
    assert (read["winner"], read["baseline"]) == ("dropout(0.31)", "none")
    for row in read["recipes"]:
        assert set(PROMISED) <= set(row)
        assert list(row["metrics"]) == ["validation", "train", "test"]
    assert read == leaderboard.to_dict()
    lead, first, last = read["lead"], read["recipes"][0], read["recipes"][-1]
    assert (lead["recipe"], lead["other"], lead["pairs"], lead["verdict"]) == ("dropout", "none", 3, "conclusive")
    assert (lead["gain"], read["shrunk_gain"]) == pytest.approx((0.1, 0.1))
    assert (first["p_wilcoxon"], first["verdict"], first["replicates_needed"]) == (0.25, "conclusive", None)
    assert (first["p_better_low"], first["p_better_high"]) == pytest.approx((0.4385, 1.0), abs=1e-4)
    assert (last["verdict"], last["p_better_low"]) == (None, None)
    assert list(read["pairs"][0]) == ["recipe", "other", "gain", "p_adjusted", "significant"]
    assert (read["pairs"][0]["recipe"], read["pairs"][0]["other"]) == ("dropout", "none")
    assert leaderboard.to_json().startswith('{\n  "rank_by"')


def test_means_over_finished_replicates_by_hand(leaderboard: Leaderboard) -> None:
    first = leaderboard.recipes[0]
    assert first.recipe == "dropout(0.31)"
    assert first.mean == pytest.approx(0.22)
    assert first.gain == pytest.approx(0.1)
    assert first.metrics["validation"] == pytest.approx({"nll": 0.22, "error": 0.022})
    assert first.metrics["train"] == pytest.approx({"nll": 0.11, "error": 0.0})
    assert first.metrics["test"] == pytest.approx({"nll": 0.72, "error": 0.25})
    assert (first.epochs, first.best_epoch, first.fit_seconds) == (11.0, 6.0, 3.0)
    assert (first.predict_ms, first.parameters) == (0.5, 1234)


def test_diverged_and_failed_replicates_are_counted_apart(leaderboard: Leaderboard) -> None:
    rows = {row.name: row for row in leaderboard.recipes}
    summed, dead = rows["dropout + l2"], rows["l1"]
    assert (summed.replicates, summed.diverged, summed.failed, summed.status) == (3, 1, 1, "diverged")
    assert summed.mean == 0.1
    assert summed.metrics["test"]["nll"] == pytest.approx(0.6)
    assert (dead.replicates, dead.diverged, dead.failed, dead.status) == (3, 0, 3, "failed")
    assert (dead.rank, dead.mean, dead.epochs, dead.parameters) == (4, None, None, None)


def test_a_recipe_without_a_replicate_is_pending_and_last(leaderboard: Leaderboard) -> None:
    last = leaderboard.recipes[-1]
    assert (last.name, last.recipe, last.status, last.rank, last.tier) == ("l2", "l2", "pending", None, None)
    assert (last.replicates, last.diverged, last.failed) == (0, 0, 0)


def test_a_score_that_is_not_finite_counts_as_diverged() -> None:
    lost = replace(NONE[2], metrics={"validation": {"nll": None, "error": 0.1}})
    row = build_leaderboard([*NONE[:2], lost], "nll", "min", ["none"]).recipes[0]
    assert (row.replicates, row.diverged, row.failed) == (3, 1, 0)
    assert row.mean == pytest.approx(0.32)


def test_a_metric_that_one_finished_replicate_lacks_has_no_mean() -> None:
    lost = replace(NONE[2], metrics={**NONE[2].metrics, "test": {"nll": None, "error": 0.25}})
    row = build_leaderboard([*NONE[:2], lost], "nll", "min", ["none"]).recipes[0]
    assert row.metrics["test"] == {"nll": None, "error": 0.25}


def test_before_anything_finished_there_is_no_winner() -> None:
    for records in ([], TRIAL, L1):
        leaderboard = build_leaderboard(records, "nll", "min", NAMES)
        assert leaderboard.winner is None
        assert len(leaderboard.recipes) == len(NAMES)
        assert {row.status for row in leaderboard.recipes} <= {"pending", "failed"}
        assert json.loads(leaderboard.to_json())["winner"] is None
        assert len(leaderboard.to_frame()) == len(NAMES)


def test_before_the_baseline_has_replicates_there_are_no_gains() -> None:
    leaderboard = build_leaderboard(DROPOUT, "nll", "min", ["none", "dropout"])
    assert leaderboard.winner == "dropout(0.31)"
    assert leaderboard.baseline == "none"
    assert leaderboard.recipes[0].gain is None
    assert leaderboard.recipes[1].status == "pending"


def test_the_baseline_alone_wins() -> None:
    leaderboard = build_leaderboard(NONE, "nll", "min", ["none"])
    assert (leaderboard.winner, leaderboard.recipes[0].rank, leaderboard.recipes[0].gain) == ("none", 1, None)


def test_large_is_good_with_direction_max() -> None:
    leaderboard = build_leaderboard([*NONE, *DROPOUT], "nll", "max", ["none", "dropout"])
    assert leaderboard.winner == "none"
    assert leaderboard.recipes[1].gain == pytest.approx(-0.1)


def test_gains_within_the_rope_are_equivalent() -> None:
    rows = build_leaderboard([*NONE, *DROPOUT], "nll", "min", ["none", "dropout"], rope=0.13).recipes
    assert [row.verdict for row in rows] == ["equivalent", None]


def test_repeated_splits_widen_the_intervals() -> None:
    # Two training rows for each validation row: sqrt(1/3 + 1/2) against sqrt(1/3), with t either way at three pairs.
    plain, wide = (
        build_leaderboard([*NONE, *DROPOUT], "nll", "min", ["none", "dropout"], test_train_ratio=ratio).recipes[0]
        for ratio in (None, 0.5)
    )
    assert plain.gain_high is not None
    assert wide.gain_high is not None
    assert wide.gain_high - 0.1 == pytest.approx((plain.gain_high - 0.1) * 2.5**0.5)


def test_names_that_found_the_same_numbers_stay_two_recipes() -> None:
    twin = [record("dropout(0.31)", i, score, "dropout(0.31)") for i, score in enumerate([0.21, 0.23, 0.22])]
    leaderboard = build_leaderboard([*NONE, *DROPOUT, *twin], "nll", "min", ["none", "dropout", "dropout(0.31)"])
    assert [(row.rank, row.tier) for row in leaderboard.recipes] == [(1, 1), (2, 1), (3, 2)]


def test_neither_the_order_of_records_nor_other_recipes_matter(leaderboard: Leaderboard) -> None:
    stranger = record("mixup", 0, 0.0001)
    assert build_leaderboard([stranger, *reversed(RECORDS)], "nll", "min", NAMES) == leaderboard


def test_of_two_records_of_one_run_the_last_counts() -> None:
    first = replace(NONE[0], status="failed", metrics={})
    leaderboard = build_leaderboard([first, *NONE], "nll", "min", ["none"])
    assert (leaderboard.recipes[0].replicates, leaderboard.recipes[0].failed) == (3, 0)


# Frame and CSV


def test_frame_is_flat_with_metrics_as_columns(leaderboard: Leaderboard) -> None:
    frame = leaderboard.to_frame()
    assert len(frame) == 5
    assert frame.loc[0, "test_nll"] == pytest.approx(0.72)
    assert frame["validation_error"].notna().tolist() == [True, True, True, False, False]
    assert frame["rank"].tolist()[:4] == [1, 2, 3, 4]
    assert frame["rank"].isna().tolist() == [False] * 4 + [True]
    assert "metrics" not in frame.columns


def test_csv_is_equal_to_the_byte_whatever_the_times(leaderboard: Leaderboard) -> None:
    slower = [replace(r, fit_seconds=9.75, predict_ms=8.5) for r in RECORDS]
    again = build_leaderboard(slower, "nll", "min", NAMES)
    assert again.to_csv() == leaderboard.to_csv()
    assert again.to_json() != leaderboard.to_json()


def test_csv_reads_back(leaderboard: Leaderboard) -> None:
    text = leaderboard.to_csv()
    assert "\r" not in text
    read = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])
    assert read["name"].tolist() == ["dropout", "none", "dropout + l2", "l1", "l2"]
    assert read["mean"].tolist()[:2] == [leaderboard.recipes[0].mean, leaderboard.recipes[1].mean]
    assert read["rank"].isna().tolist() == [False] * 4 + [True]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_csv_runs_no_formula(start: str) -> None:
    name = f"{start}HYPERLINK(1)"
    text = build_leaderboard([*NONE, record(name, 0, 0.5)], "nll", "min", ["none", name]).to_csv()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert rows[1]["name"] == rows[1]["recipe"] == "'" + name
    assert float(rows[1]["gain"]) < 0  # numbers keep their sign


# What users get wrong


def test_a_metric_that_nobody_measured_is_named() -> None:
    with pytest.raises(InputError, match=r"'nl'.*Did you mean 'nll'\?"):
        build_leaderboard(NONE, "nl", "min", ["none"])


def test_a_baseline_that_is_no_recipe_is_named() -> None:
    with pytest.raises(InputError, match=r"'nnoe'.*Did you mean 'none'\?"):
        build_leaderboard(NONE, "nll", "min", ["none"], baseline="nnoe")


def test_placebos_are_paired_by_number_though_their_seeds_are_their_own() -> None:
    """By seed there would be no pair. Gains by hand: the mean of 0.30 - 0.31, 0.34 - 0.33 and 0.32 - 0.35."""
    made = [record("placebo 1", number, score, "none") for number, score in enumerate([0.31, 0.33, 0.35])]
    made += [record("placebo 2", number, score, "none") for number, score in enumerate([0.30, 0.34])]
    own = [replace(r, run=replace(r.run, seed=1000 * int(r.run.name[-1]) + r.run.number)) for r in made]
    leaderboard = build_leaderboard([*NONE, *own], "nll", "min", ["none", "placebo 1", "placebo 2"])
    rows = {row.name: row for row in leaderboard.recipes}
    assert rows["placebo 1"].gain == pytest.approx(-0.01)
    assert rows["placebo 2"].gain == pytest.approx(0.0)
    low, high = rows["placebo 1"].gain_low, rows["placebo 1"].gain_high
    assert low is not None
    assert high is not None
    assert low < -0.01 < high
    assert rows["placebo 1"].verdict == "inconclusive"
    assert rows["placebo 1"].recipe == "none"


def test_folds_widen_the_interval_by_the_corrected_variance() -> None:
    """Nadeau and Bengio: 1 / J + ratio in place of 1 / J, so by sqrt(1 + 3 x 0.5) for three replicates; t, 2 df."""
    in_folds = [replace(r, run=replace(r.run, fold=r.run.number)) for r in [*NONE, *DROPOUT]]
    narrow, wide = (
        build_leaderboard(in_folds, "nll", "min", ["none", "dropout"], test_train_ratio=ratio).recipes[0]
        for ratio in (1e-12, 0.5)
    )
    assert narrow.name == wide.name == "dropout"
    gains = [0.30 - 0.21, 0.34 - 0.23, 0.32 - 0.22]
    reach = 4.302653 * pd.Series(gains).std() / 3**0.5
    for row, factor in ((narrow, 1.0), (wide, 2.5**0.5)):
        assert (row.gain_low, row.gain_high) == pytest.approx((0.1 - factor * reach, 0.1 + factor * reach))


def test_recipes_are_found_by_name_and_sorted_by_what_is_known() -> None:
    made = build_leaderboard([*NONE, *DROPOUT], "nll", "min", ["none", "dropout", "l1"])
    dropout, none, l1 = made.recipes
    assert (made.measured, made.unmeasured, made.placebos) == ((dropout, none), (l1,), ())
    assert made.find("dropout") is made.find("dropout(0.31)") is dropout
    assert made.find("l2") is None
    assert made.is_baseline(none)
    assert not made.is_baseline(dropout)
    assert dropout.beats_baseline
    assert made.tier_mates(dropout) == ()
    assert dropout.metric("test", "nll") == pytest.approx(0.72)
    assert math.isnan(l1.metric("test", "nll"))
