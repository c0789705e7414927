"""The audit counts in the records what every recipe was given, and says so where it was not the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.report import render as page
from regzoo.report.findings.audit import audit, collapsed


@pytest.fixture
def fair(board: Any, row: Any, record: Any) -> Any:
    """Two recipes, two trials of four epochs and two replicates each, tested once."""
    records = []
    for name in ("none", "l2"):
        for number in (0, 1):
            run = {"number": number, "seed": 9, "learning_rate": 0.1 ** (number + 1)}
            records.append(record(name, 0.1, stage="trial", fit_seconds=1.5, **run))
            metrics = {"validation": {"nll": 0.1, "balanced_accuracy": 0.9}, "test": {"nll": 0.2}}
            records.append(record(name, 0.1, number=number, seed=100 + number, metrics=metrics))
    return board([row("none"), row("l2")]), records


def test_what_a_recipe_was_given(fair: Any, comparison: Any) -> None:
    found = audit(*fair, comparison()).accounts[1]
    assert (found.name, found.trials, found.points, found.epochs, found.looks, found.seconds, found.replicates) == (
        ("l2", 2, 2, 4, 8, 3.0, 2)  # two trials of 4 epochs: 8 looks
    )


def test_a_fair_table_says_nothing_in_its_heading(fair: Any, comparison: Any) -> None:
    found = audit(*fair, comparison())
    assert found.heading == ""
    assert [finding.good for finding in found.findings] == [True] * 6
    assert "2 trials of at most 4 epochs each" in found.findings[0].text
    assert "read by 4 replicates, once each" in found.findings[2].text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"stage": "trial", "number": 2}, "not tuned alike: trials: `none` had 2, the others 3"),
        ({"number": 2, "seed": 102}, "replicates: `none` had 2, the others 3"),
    ],
)
def test_unequal_numbers_are_in_the_heading(fair: Any, record: Any, comparison: Any, given: Any, said: str) -> None:
    board, records = fair
    found = audit(board, [*records, record("l2", 0.1, **given)], comparison())
    assert said in found.heading
    assert found.findings[0].good is False


def test_more_replicates_on_purpose_are_fair(fair: Any, record: Any, comparison: Any) -> None:
    board, records = fair
    assert audit(board, [*records, record("l2", 0.1, number=2, seed=102)], comparison(looks=[5, 10])).heading == ""


def test_seeds_of_placebos_are_their_own(fair: Any, record: Any, row: Any, comparison: Any) -> None:
    board, records = fair
    found = audit(board | {"recipes": [*board["recipes"], row("placebo 1")]}, records, comparison())
    assert "The replicates of all recipes have the same seeds; placebos have seeds of their own, on purpose." in [
        finding.text for finding in found.findings
    ]


def test_a_recipe_without_a_search_beside_searched_ones(board: Any, row: Any, record: Any, comparison: Any) -> None:
    names = ["none", "l2", "dropout(0.5)"]
    records = [record(n, 0.1, stage="trial", number=i, learning_rate=0.1**i) for n in names[:2] for i in range(8)]
    records.append(record("dropout(0.5)", 0.1, stage="trial"))
    heading = audit(board([row(name) for name in names]), records, comparison()).heading
    assert heading == "not tuned alike: trials: `dropout(0.5)` had 1, the others 8"


def test_fewer_epochs_and_a_fixed_learning_rate_are_unequal(
    fair: Any, board: Any, row: Any, record: Any, comparison: Any
) -> None:
    records = [
        replace(r, run=replace(r.run, epochs=9, learning_rate=0.5)) if r.run.name == "l2" else r for r in fair[1]
    ]
    heading = audit(fair[0], records, comparison()).heading
    assert "epochs at most: `none` had 4, the others 9" in heading
    assert "the learning rate of `l2` was not searched" in heading


def test_a_trial_that_read_the_test_part_is_found(fair: Any, record: Any, comparison: Any) -> None:
    board, records = fair
    peek = record("l2", 0.1, stage="trial", number=1, metrics={"test": {"nll": 0.1}})
    found = audit(board, [*records, peek], comparison()).findings[2]
    assert found.good is False
    assert "read by 1 trial" in found.text


def test_replicates_on_other_seeds_are_found_but_placebos_have_their_own(
    fair: Any, row: Any, record: Any, comparison: Any
) -> None:
    board, records = fair
    placebo = board | {"recipes": [*board["recipes"], row("placebo 1")]}
    own = [record("placebo 1", 0.1, number=n, seed=500 + n) for n in (0, 1)]
    assert audit(placebo, [*records, *own], comparison()).findings[3].good is True
    other = board | {"recipes": [*board["recipes"], row("l1")]}
    own = [record("l1", 0.1, number=n, seed=500 + n) for n in (0, 1)]
    assert audit(other, [*records, *own], comparison()).findings[3].good is False


def test_lost_and_collapsed_runs_are_counted(fair: Any, record: Any, comparison: Any) -> None:
    board, records = fair
    same_class = {"validation": {"nll": 2.3, "accuracy": 0.12, "balanced_accuracy": 0.1}}  # 10 classes
    lost = [
        record("l2", None, stage="trial", number=2, status="diverged"),
        record("l2", None, stage="trial", number=3, status="pruned"),
        record("l2", 2.3, stage="trial", number=4, metrics=same_class),
    ]
    found = audit(board, [*records, *lost], comparison())
    account = found.accounts[1]
    assert (account.diverged, account.pruned, account.failed, account.collapsed) == (1, 1, 0, 1)
    assert "1 run diverged: 1 of `l2`." in [finding.text for finding in found.findings]
    assert "1 run collapsed: 1 of `l2`." in [finding.text for finding in found.findings]


@pytest.mark.parametrize(
    ("metrics", "classes", "expected"),
    [
        ({"balanced_accuracy": 0.5}, 2, True),  # one class for all rows, however frequent it is
        ({"balanced_accuracy": 0.51}, 2, False),
        ({"accuracy": 0.95}, 2, False),  # an older ledger: it does not tell
        ({"r2": -0.01}, 0, True),
        ({"r2": 0.2}, 0, False),
        ({"rmse": 1.0}, 0, False),
    ],
)
def test_collapsed(record: Any, metrics: Any, classes: int, expected: bool) -> None:
    run = record("l2", 0.1, metrics={"validation": metrics})
    assert collapsed(run, classes) is expected
    assert collapsed(record("l2", None, status="diverged", metrics={"validation": metrics}), classes) is False


def test_the_page_says_it_in_the_leaderboards_heading(fair: Any, record: Any, comparison: Any, tmp_path: Any) -> None:
    board, records = fair
    page.write(tmp_path, board, [*records, record("l2", 0.1, stage="trial", number=2)], comparison())
    assert "Leaderboard, not tuned alike: trials: <code>none</code> had 2" in (tmp_path / "report.html").read_text()
    assert "## Leaderboard, not tuned alike: trials: `none` had 2" in (tmp_path / "report.md").read_text()
