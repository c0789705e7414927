"""The table of the leaderboard, on wide and on narrow terminals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from regzoo.cli.tables.leaderboard import make_leaderboard_table
from regzoo.comparison.leaderboard import Leaderboard, build_leaderboard
from regzoo.storage.info import ComparisonInfo, DataInfo, SplitInfo
from regzoo.training.records import PartMetrics, Record, Run

Draw = Callable[..., str]


def record(name: str, number: int, score: float | None, recipe: str) -> Record:
    """A replicate; without a score it failed."""
    run = Run("replicate", name, recipe, number, 100 + number, 0.001, 60, "setup")
    if score is None:
        return Record(run, "failed", error="ValueError: out of luck")
    metrics: PartMetrics = {
        "validation": {"nll": score},
        "train": {"nll": score / 2},
        "test": {"nll": score + 0.5},
    }
    return Record(run, "ok", metrics=metrics, epochs=10 + number, best_epoch=5 + number)


INFO = ComparisonInfo(
    name="iris", rank_by="nll", direction="min", config="", versions={}, command="", trials=8, tuner="random",
    replicates=3,
    data=DataInfo("iris", "0", 150, 90, 30, 30, "4 columns", "classification", SplitInfo("stratified")),
)  # fmt: skip

NONE = [record("none", number, score, "none") for number, score in enumerate([0.30, 0.34, 0.32])]
DROPOUT = [record("dropout", number, score, "dropout(0.31)") for number, score in enumerate([0.21, 0.23, 0.22])]
SUM = [
    record("dropout + l2", 0, 0.1, "dropout(0.2) + l2(0.001)"),
    replace(record("dropout + l2", 1, 0.2, "dropout(0.2) + l2(0.001)"), status="diverged", metrics={}),
    record("dropout + l2", 2, None, "dropout(0.2) + l2(0.001)"),
]
L1 = [record("l1", number, None, "l1(0.5)") for number in range(3)]


@pytest.fixture
def leaderboard() -> Leaderboard:
    names = ["none", "dropout", "dropout + l2", "l1", "l2"]
    return build_leaderboard([*L1, *SUM, *DROPOUT, *NONE], "nll", "min", names)


def test_table_says_who_won_without_color(draw: Draw, leaderboard: Leaderboard) -> None:
    lines = draw(make_leaderboard_table(leaderboard, INFO, 140), 140).splitlines()
    won = next(line for line in lines if "dropout(0.31)" in line)
    assert won.split()[:2] == ["1", "1"]
    assert "winner" in won
    assert sum("winner" in line for line in lines) == 1
    # sd 0.01 shows two digits with three decimals; the interval is 0.1 +- 0.0248, so three as well.
    for part in ("0.220 ± 0.010", "+0.100 [+0.075, +0.125]", ".003", "0.720"):
        assert part in won


def test_table_says_what_is_open_and_how_far_the_winner_leads(draw: Draw, leaderboard: Leaderboard) -> None:
    # L2 gains -0.01, 0.03, 0.01: mean 0.01, sd 0.02, P(better) Phi(1/2) = 0.6915, (3.6048 / (sqrt6 x 0.1915))^2 = 59.1.
    close = [record("l2", number, score, "l2(0.1)") for number, score in enumerate([0.31, 0.31, 0.31])]
    lines = draw(
        make_leaderboard_table(build_leaderboard([*NONE, *close], "nll", "min", ["none", "l2"]), INFO, 100), 100
    ).splitlines()
    text = " ".join(" ".join(lines).split())  # notes wrap
    assert "60 needed" in next(line for line in lines if "l2(0.1)" in line)
    assert "l2 against none: +0.010 [-0.040, +0.060], 60 needed." in text
    assert "about this number of replicates, in all, would settle it" in text
    assert "Expected gain of l2 on fresh seeds, corrected for selection bias:" in text


def test_no_gain_has_no_sign_of_a_loss(draw: Draw, leaderboard: Leaderboard) -> None:
    text = " ".join(draw(make_leaderboard_table(replace(leaderboard, shrunk_gain=-1e-9), INFO, 100), 100).split())
    assert "corrected for selection bias: +0.0" in text
    assert "needed" not in draw(make_leaderboard_table(leaderboard, INFO, 100), 100)


def test_table_counts_what_went_wrong(draw: Draw, leaderboard: Leaderboard) -> None:
    text = draw(make_leaderboard_table(leaderboard, INFO, 140), 140)
    assert "1 diverged, 1 failed" in text
    assert "3 failed" in text
    assert "pending" in text


def test_table_fits_a_narrow_terminal(draw: Draw, leaderboard: Leaderboard) -> None:
    text = draw(make_leaderboard_table(leaderboard, INFO, 80), 80)
    assert max(map(len, text.splitlines())) <= 80
    for part in ("0.220 ± 0.010", "+0.100", "[+0.075, +0.125]", "winner"):
        assert part in text
    assert "epochs" not in text


def test_table_shows_brackets_in_recipes_as_they_are(draw: Draw) -> None:
    leaderboard = build_leaderboard([record("none", 0, 0.5, "mlp([64])")], "nll", "min", ["none"])
    assert "mlp([64])" in draw(make_leaderboard_table(leaderboard, INFO, 140), 140)


def test_table_names_placebos_and_counts_false_findings(draw: Draw) -> None:
    made = [record("placebo 1", number, score, "none") for number, score in enumerate([0.31, 0.33, 0.35])]
    made += [record("placebo 2", number, score, "none") for number, score in enumerate([0.30, 0.34])]
    leaderboard = build_leaderboard([*NONE, *made], "nll", "min", ["none", "placebo 1", "placebo 2"])
    text = " ".join(draw(make_leaderboard_table(leaderboard, INFO, 140), 140).split())
    assert "placebo 1 (none in disguise)" in text
    assert "Placebos, copies of none on other seeds: 0 of 2 wrongly found better, 0 wrongly found worse." in text


def test_notes_say_what_is_covered_and_who_ties(draw: Draw) -> None:
    """L2 loses by 0.02 in each of three searches, but its space holds the baseline's point."""
    several = replace(INFO, vary=("seed", "search"), searches=3)
    runs = [*NONE, *[record("l2", n, score, "l2(0.01)") for n, score in enumerate([0.321, 0.360, 0.339])]]
    runs = [replace(each, run=replace(each.run, search=each.run.number)) for each in runs]
    board = build_leaderboard(runs, "nll", "min", ["none", "l2"], nested=("l2",))
    text = " ".join(draw(make_leaderboard_table(board, several, 140), 140).split())
    assert "95 % interval of the gain, over 3 searches of 8 trials, 3 trainings." in text
    assert "l2 counts as a tie with none" in text
    assert "leave out the search" not in text
    row = next(
        line for line in draw(make_leaderboard_table(board, several, 140), 140).splitlines() if "l2(0.01)" in line
    )
    assert " tie " in row


def test_a_conclusive_verdict_says_which_is_better(draw: Draw) -> None:
    worse = [record("dropout", number, score, "dropout(0.9)") for number, score in enumerate([0.41, 0.43, 0.42])]
    board = build_leaderboard([*NONE, *worse], "nll", "min", ["none", "dropout"])
    text = draw(make_leaderboard_table(board, INFO, 140), 140)
    assert "worse" in next(line for line in text.splitlines() if "dropout" in line)
    assert "conclusive" not in text
    assert "The intervals leave out the search" in " ".join(text.split())
