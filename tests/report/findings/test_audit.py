"""The audit counts each recipe's budget in the records, and reports unequal ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.report.findings.audit import audit_comparison, has_collapsed
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""


def add_row(leaderboard: Leaderboard, row: Row) -> Leaderboard:
    return replace(leaderboard, recipes=(*leaderboard.recipes, row))


@pytest.fixture
def fair(make_leaderboard: Any, make_row: Any, make_record: Any) -> Ranked:
    """Two recipes with two trials of four epochs and two replicates each, tested once."""
    records = []
    for name in ("none", "l2"):
        for number in (0, 1):
            run = {"number": number, "seed": 9, "learning_rate": 0.1 ** (number + 1)}
            records.append(make_record(name, 0.1, stage="trial", fit_seconds=1.5, **run))
            metrics = {"validation": {"nll": 0.1, "balanced_accuracy": 0.9}, "test": {"nll": 0.2}}
            records.append(make_record(name, 0.1, number=number, seed=100 + number, metrics=metrics))
    return make_leaderboard([make_row("none"), make_row("l2")]), records


def test_budget_of_a_recipe(fair: Ranked, make_comparison: Any) -> None:
    found = audit_comparison(*fair, make_comparison()).recipes[1]
    assert (
        found.name,
        found.trials,
        found.settings,
        found.max_epochs,
        found.evaluations,
        found.seconds,
        found.replicates,
    ) == (
        ("l2", 2, 2, 4, 8, 3.0, 2)  # two trials of 4 epochs
    )


def test_a_fair_table_says_nothing_in_its_heading(fair: Ranked, make_comparison: Any) -> None:
    found = audit_comparison(*fair, make_comparison())
    assert found.heading == ""
    assert [finding.passed for finding in found.findings] == [True] * 6
    assert "2 trials of at most 4 epochs each" in found.findings[0].text
    assert "read by 4 replicates, once each" in found.findings[2].text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"stage": "trial", "number": 2}, "unequal budgets (trials: `none` had 2, the others 3"),
        ({"number": 2, "seed": 102}, "replicates: `none` had 2, the others 3"),
    ],
)
def test_unequal_numbers_are_in_the_heading(
    fair: Ranked, make_record: Any, make_comparison: Any, given: Any, expected: str
) -> None:
    leaderboard, records = fair
    found = audit_comparison(leaderboard, [*records, make_record("l2", 0.1, **given)], make_comparison())
    assert expected in found.heading
    assert found.findings[0].passed is False


def test_more_replicates_on_purpose_are_fair(fair: Ranked, make_record: Any, make_comparison: Any) -> None:
    leaderboard, records = fair
    assert (
        audit_comparison(
            leaderboard,
            [*records, make_record("l2", 0.1, number=2, seed=102)],
            make_comparison(interim_analyses=(5, 10)),
        ).heading
        == ""
    )


def test_seeds_of_placebos_are_their_own(fair: Ranked, make_record: Any, make_row: Any, make_comparison: Any) -> None:
    leaderboard, records = fair
    found = audit_comparison(add_row(leaderboard, make_row("placebo 1")), records, make_comparison())
    assert "The replicates of all recipes have the same seeds; placebos have their own seeds on purpose." in [
        finding.text for finding in found.findings
    ]


def test_a_recipe_without_a_search_among_searched_ones(
    make_leaderboard: Any, make_row: Any, make_record: Any, make_comparison: Any
) -> None:
    names = ["none", "l2", "dropout(0.5)"]
    records = [make_record(n, 0.1, stage="trial", number=i, learning_rate=0.1**i) for n in names[:2] for i in range(8)]
    records.append(make_record("dropout(0.5)", 0.1, stage="trial"))
    heading = audit_comparison(make_leaderboard([make_row(name) for name in names]), records, make_comparison()).heading
    assert heading == "unequal budgets (trials: `dropout(0.5)` had 1, the others 8)"


def test_fewer_epochs_and_a_fixed_learning_rate_are_unequal(
    fair: Ranked, make_leaderboard: Any, make_row: Any, make_record: Any, make_comparison: Any
) -> None:
    records = [
        replace(r, run=replace(r.run, epochs=9, learning_rate=0.5)) if r.run.name == "l2" else r for r in fair[1]
    ]
    heading = audit_comparison(fair[0], records, make_comparison()).heading
    assert "max epochs: `none` had 4, the others 9" in heading
    assert "the learning rate of `l2` was not searched" in heading


def test_a_trial_that_read_the_test_part_is_found(fair: Ranked, make_record: Any, make_comparison: Any) -> None:
    leaderboard, records = fair
    peek = make_record("l2", 0.1, stage="trial", number=1, metrics={"test": {"nll": 0.1}})
    found = audit_comparison(leaderboard, [*records, peek], make_comparison()).findings[2]
    assert found.passed is False
    assert "read by 1 trial" in found.text


def test_replicates_on_other_seeds_are_found_but_placebos_have_their_own(
    fair: Ranked, make_row: Any, make_record: Any, make_comparison: Any
) -> None:
    leaderboard, records = fair
    placebo = add_row(leaderboard, make_row("placebo 1"))
    own = [make_record("placebo 1", 0.1, number=n, seed=500 + n) for n in (0, 1)]
    assert audit_comparison(placebo, [*records, *own], make_comparison()).findings[3].passed is True
    other = add_row(leaderboard, make_row("l1"))
    own = [make_record("l1", 0.1, number=n, seed=500 + n) for n in (0, 1)]
    assert audit_comparison(other, [*records, *own], make_comparison()).findings[3].passed is False


def test_lost_and_collapsed_runs_are_counted(fair: Ranked, make_record: Any, make_comparison: Any) -> None:
    leaderboard, records = fair
    same_class = {"validation": {"nll": 2.3, "accuracy": 0.12, "balanced_accuracy": 0.1}}  # 10 classes
    lost = [
        make_record("l2", None, stage="trial", number=2, status="diverged"),
        make_record("l2", None, stage="trial", number=3, status="pruned"),
        make_record("l2", 2.3, stage="trial", number=4, metrics=same_class),
    ]
    found = audit_comparison(leaderboard, [*records, *lost], make_comparison())
    account = found.recipes[1]
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
def test_collapsed(make_record: Any, metrics: Any, classes: int, expected: bool) -> None:
    run = make_record("l2", 0.1, metrics={"validation": metrics})
    assert has_collapsed(run, classes) is expected
    assert has_collapsed(make_record("l2", None, status="diverged", metrics={"validation": metrics}), classes) is False


def test_the_page_says_it_in_the_leaderboards_heading(
    write_page: Any, fair: Ranked, make_record: Any, make_comparison: Any, tmp_path: Any
) -> None:
    leaderboard, records = fair
    write_page(tmp_path, leaderboard, [*records, make_record("l2", 0.1, stage="trial", number=2)], make_comparison())
    assert "Leaderboard, unequal budgets (trials: <code>none</code> had 2" in (tmp_path / "report.html").read_text()
    assert "## Leaderboard, unequal budgets (trials: `none` had 2" in (tmp_path / "report.md").read_text()


def test_a_confirmation_that_was_made_again_after_the_replicates_came_too_late(searched: Any) -> None:
    leaderboard, records, comparison = searched()
    late = [r for r in records if r.run.stage == "confirmation" and r.run.name == "dropout"]
    again = [replace(r, attempts=({"error": "killed", "seconds": 1.0},)) for r in late]
    findings = audit_comparison(leaderboard, [*(r for r in records if r not in late), *again], comparison).findings
    assert any(f.passed is False and "`dropout`" in f.text and "single runs" in f.text for f in findings)
