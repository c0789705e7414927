"""A sweep in words, in the terminal and on the page."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from regzoo.cli.tables.sweep import make_response_table
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.findings.sweep import describe_response, make_headline, read_response
from regzoo.report.findings.verdict import judge_recipes, make_verdict
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""

SCORE = {0.0: 2.0, 0.2: 1.0, 0.4: 1.0001, 0.6: 3.0, 0.8: 0.5}


def drawn(found: Any) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(make_response_table(found))
    return console.export_text()


def test_the_headline_names_the_best_and_the_flat_region(swept: Any) -> None:
    leaderboard, records, comparison = swept(["dropout.rate"], SCORE.__getitem__, values=[[0, 0.2, 0.4, 0.6]])
    found = read_response(records, comparison)
    assert found is not None
    assert make_headline(found).startswith("Best `dropout.rate`: 0.")
    assert make_headline(found).endswith("; 0.2 to 0.4 are within one standard error.")
    verdict = make_verdict(leaderboard, records, comparison)
    assert verdict.headline == make_headline(found)
    assert judge_recipes(leaderboard, [], comparison).headline in verdict.details


def test_the_end_of_the_values_and_lost_replicates_are_mentioned(swept: Any) -> None:
    found = read_response(*swept(["dropout.rate"], SCORE.__getitem__, values=[list(SCORE)], lost=(0.6,))[1:])
    assert found is not None
    assert make_headline(found).endswith("; no other value is within one standard error.")
    text = " ".join(describe_response(found))
    assert "0.8 is the largest value of `dropout.rate` tried: the best may lie beyond." in text
    assert "Replicates diverged or failed at 0.6 (2 of 5)" in text
    assert "2 of 5 lost" in drawn(found)


@pytest.mark.parametrize(
    ("strength", "ends"),
    [
        ("dropout.rate", "at which the regularizer does nothing."),
        ("l1_l2.l1", "at which the regularizer does nothing if its other strengths are neutral too."),
    ],
)
def test_the_neutral_value_of_one_of_several_strengths_may_not_be_the_baseline(
    strength: str, ends: str, swept: Any
) -> None:
    found = read_response(
        *swept([strength], {0.0: 0.5, 0.001: 1.0, 0.2: 2.0}.__getitem__, values=[[0, 0.001, 0.2]])[1:]
    )
    assert found is not None
    assert f"The best `{strength}` is its neutral value, {ends}" in " ".join(describe_response(found))


def test_the_table_has_a_line_for_each_value_and_the_baseline(swept: Any) -> None:
    found = read_response(*swept(["dropout.rate"], SCORE.__getitem__, values=[[0, 0.2, 0.4, 0.6]])[1:])
    assert found is not None
    lines = drawn(found).splitlines()
    assert [line.split()[0] for line in lines[1:6]] == ["0", "0.2", "0.4", "0.6", "none"]
    assert sum("best" in line for line in lines[1:6]) == 1
    assert lines[5].rstrip().endswith("baseline")


def test_gaps_in_the_flat_region_are_not_talked_over(swept: Any) -> None:
    score = {0.0: 1.0, 0.1: 1.0, 0.2: 5.0, 0.3: 1.0}
    found = read_response(*swept(["dropout.rate"], lambda rate: score[rate], values=[list(score)], seeds=40)[1:])
    assert found is not None
    assert [point.values[0] for point in found.flat] == [0.0, 0.1, 0.3]
    assert "0 to 0.1 and 0.3 are within" in make_headline(found)


@pytest.mark.slow
def test_the_page_shows_the_curve_of_a_sweep_and_nothing_of_it_otherwise(
    write_page: Any, swept: Any, quick: Ranked, make_comparison: Any, tmp_path: Path
) -> None:
    write_page(tmp_path / "one", *swept(["dropout.rate"], lambda rate: 1 + rate))
    write_page(tmp_path / "two", *swept(["dropout.rate", "l2.strength"], lambda r, s: 1 + r + s))
    write_page(tmp_path / "other", *quick, make_comparison())
    names = {path.name: {file.stem for file in (path / "figures").iterdir()} for path in tmp_path.iterdir()}
    assert {name: found & {"sweep", "sweep_grid"} for name, found in names.items()} == {
        "one": {"sweep"}, "two": {"sweep_grid"}, "other": set(),
    }  # fmt: skip
    html = {path.name: (path / "report.html").read_text() for path in tmp_path.iterdir()}
    assert "Score against strength" in html["one"]
    assert "Best <code>dropout.rate</code>: 0" in html["one"]
    assert "Score against two strengths" not in html["one"]
    assert "Score against" not in html["other"]
