"""A report of several searches: what is covered, who ties, how strong, and what to buy next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from regzoo.comparison.coverage import read_coverage
from regzoo.report import tables
from regzoo.report.figures import load_figures
from regzoo.report.findings.audit import audit_comparison
from regzoo.report.findings.methods_section import write_limitations, write_methods
from regzoo.report.findings.spread import choose_purchase, describe_spread, find_purchase, measure_spread, pool_gains
from regzoo.report.findings.verdict import judge_recipes
from regzoo.report.references import list_statistics, make_bibtex
from regzoo.report.render import render_files
from regzoo.report.spread_table import build_spread_table
from regzoo.report.tensorboard import name_run
from regzoo.storage.info import ModelInfo

Make = Callable[..., Any]
COVERED = "over 5 searches of 3 trials, 10 trainings"


def cells(table: tables.ReportTable, start: str) -> dict[str, str]:
    """Return the row of the recipe that starts so, by column."""
    at = table.headers.index("recipe")
    row = next(row for row in table.rows if row.cells[at].startswith(start))
    return dict(zip(table.headers, row.cells, strict=True))


def test_the_page_says_everywhere_what_is_covered(searched: Make, sparing: Any) -> None:
    content = searched()
    with sparing(proof=False):
        files = render_files(*content)
    for name in ("report.html", "report.md"):
        page = files[name] or ""
        assert page.count(COVERED) >= 7
        assert "another search may choose other strengths" not in page
        assert "Where the spread comes from" in page
        for verdict in ("conclusive,", "conclusive.", ">conclusive<", "| conclusive |"):
            assert verdict not in page


def test_better_worse_and_tie_in_the_table(searched: Make) -> None:
    leaderboard, _, comparison = searched()
    table = tables.build_leaderboard_table(leaderboard, comparison)
    assert cells(table, "dropout")["verdict"] == "better"
    assert cells(table, "l2")["verdict"] == "tie"
    assert "loses only by an unlucky search" in table.caption


@pytest.mark.parametrize("vary", [("seed",), ("seed", "search")])
def test_a_loss_counts_where_there_was_one_search(vary: tuple[str, ...], searched: Make) -> None:
    leaderboard, _, comparison = searched(searches=1, vary=vary)
    table = tables.build_leaderboard_table(leaderboard, comparison)
    assert cells(table, "l2")["verdict"] == "worse"
    assert "unlucky" not in table.caption


def test_the_verdict_names_ties_and_the_range_of_strengths(searched: Make) -> None:
    text = str(judge_recipes(*searched()))
    assert "`l2` counts as a tie with `none`: its search space holds the point at which it does nothing, so" in text
    assert "only a search that missed it makes it lose." in text
    assert "How strong: `dropout.rate` 0.27 to 0.51 in 5 searches" in text
    assert "the verdict is `better`" in text
    assert "In fresh searches, expect" in text or "expect" not in text


def test_the_strengths_are_those_of_the_best_search_with_their_range(searched: Make) -> None:
    leaderboard, records, _ = searched()
    row = cells(tables.build_strengths_table(leaderboard, records), "dropout")
    assert "0.27 to 0.51 in 5 searches; searched 0.05 to 0.7" in row["strengths"]
    assert row["trials"] == "15"
    assert row["confirmations"] == "10"


def test_methods_and_limitations(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    text = " ".join(write_methods(leaderboard, records, comparison))
    for phrase in (
        "5 independent searches with random numbers of their own tried, each, 3 settings, the points of a Latin",
        "The 2 best trials of each search were run again on a fresh random seed",
        "no choice is the luck of a single run",
        "shared out among its 5 searches",
        "moderated t over searches (Smyth 2004",
        "the 4 degrees of freedom of each",
        "Bouthillier et al. 2021",
    ):
        assert phrase in text
    assert "bootstrap" not in text
    assert "between random seeds and between searches" in write_limitations(leaderboard, comparison)[0]


def test_new_rows_are_named_with_their_correction(searched: Make) -> None:
    content = searched(vary=("seed", "split", "search"), test_train_ratio=1 / 3)
    text = " ".join(write_methods(*content))
    split = "split again for each replicate, with the same test part (stratified; search k has the rows of replicate k)"
    assert f"{split} into 1,078" in text
    assert "each time on new training and validation rows (the test part stayed the same)" in text
    assert "corrected variance of repeated splits (Nadeau and Bengio 2003; 0.333 validation rows" in text
    limits = write_limitations(content[0], content[2])[0]
    assert "between splits of these rows" in limits
    assert "Each search chose its strengths on one split, whose training rows validate in other splits." in limits
    assert list_statistics(content[2]) == ["smyth2004", "bouthillier2021", "shaffer1986", "nadeau2003"]
    assert "@article{nadeau2003," in make_bibtex([], list_statistics(content[2]))


def test_one_search_cites_no_more_than_before(make_comparison: Make) -> None:
    assert list_statistics(make_comparison()) == []


def test_the_audit_counts_searches_and_confirmations(searched: Make) -> None:
    audit = audit_comparison(*searched())
    texts = [finding.text for finding in audit.findings]
    assert audit.inequalities == ()
    assert all(finding.passed for finding in audit.findings)
    assert "Every recipe had 5 searches with 15 trials in all, of at most 4 epochs each." in texts
    assert "All strengths were chosen after a second run on a fresh seed: none by one run." in texts
    assert cells(tables.build_audit_table(audit), "dropout")["confirmations"] == "10"


def test_the_audit_finds_a_choice_that_was_not_confirmed(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    kept = [r for r in records if r.run.stage != "confirmation" or r.run.search != 2 or r.run.name != "dropout"]
    findings = audit_comparison(leaderboard, kept, comparison).findings
    assert any(f.passed is False and "`dropout`" in f.text and "single runs" in f.text for f in findings)


def test_a_confirmation_without_a_score_confirms_nothing(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    lost = [
        replace(r, status="failed", metrics={}) if r.run.stage == "confirmation" and r.run.name == "dropout" else r
        for r in records
    ]
    findings = audit_comparison(leaderboard, lost, comparison).findings
    assert any(f.passed is False and "`dropout`" in f.text and "single runs" in f.text for f in findings)


def test_the_audit_finds_a_confirmation_that_read_the_test_part(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    peeked = [replace(r, metrics={**r.metrics, "test": {"nll": 1.0}}) if r.run.stage == "confirmation" else r
              for r in records]  # fmt: skip
    texts = [finding.text for finding in audit_comparison(leaderboard, peeked, comparison).findings]
    assert "The test part was read by 30 confirmations." in texts


def test_runs_of_all_searches_have_names_of_their_own(searched: Make) -> None:
    records = searched()[1]
    assert len({name_run(record) for record in records}) == len(records)


@pytest.mark.parametrize("name", ["leaderboard", "forest", "expected_best", "strength_response"])
def test_figures_say_what_their_intervals_cover(name: str, searched: Make) -> None:
    info = load_figures()[name].info(*searched())
    assert not info.missing
    shown = {"expected_best": "all 5 searches", "strength_response": "5 searches"}.get(name, COVERED)
    assert shown in info.reading


def test_every_chosen_value_is_marked(searched: Make) -> None:
    info: Any = load_figures()["strength_response"].info(*searched())
    panel = next(panel for panel in info.panels if panel.strength == "dropout.rate")
    assert sorted((panel.chosen, *panel.others)) == [0.27, 0.33, 0.39, 0.45, 0.51]


def test_the_variance_table_names_what_varied(searched: Make) -> None:
    leaderboard, records, comparison = searched(search_sd=0.05)
    spreads = measure_spread(leaderboard, records, comparison)
    coverage = read_coverage(leaderboard, comparison)
    table = build_spread_table(leaderboard, spreads, coverage, comparison)
    assert table is not None
    assert "from the seed" in table.headers
    assert int(cells(table, "dropout")["from the search"].removesuffix(" %")) > 90
    assert cells(table, "none")["gain: from the search"] == cells(table, "none")["sd of gain"]
    split = replace(comparison, vary=("seed", "split", "search"))
    found = build_spread_table(leaderboard, spreads, coverage, split)
    assert found is not None
    assert "from the seed and the split" in found.headers


def test_there_is_no_spread_to_tell_with_one_search_or_one_training_each(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    assert measure_spread(leaderboard, records, replace(comparison, searches=1)) == ()
    leaderboard, records, comparison = searched(replicates=5)
    spreads = measure_spread(leaderboard, records, comparison)
    coverage = read_coverage(leaderboard, comparison)
    assert build_spread_table(leaderboard, spreads, coverage, comparison) is None
    assert "`replicates: 10` would show them" in describe_spread(leaderboard, spreads, coverage, comparison)


def test_a_settled_verdict_needs_no_purchase(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    spreads, coverage = measure_spread(leaderboard, records, comparison), read_coverage(leaderboard, comparison)
    found = find_purchase(leaderboard, spreads, coverage, comparison)
    assert found is not None
    assert found.kind == "nothing"
    assert "nothing needs to be bought" in describe_spread(leaderboard, spreads, coverage, comparison)


def test_the_larger_source_is_what_to_buy_against(searched: Make) -> None:
    """From the variances: 20 replicates in 10 searches reach (s + r / 2) / 10.

    With s = 0 that is r / 20, which 20 replicates in the same 5 searches reach as well. With r = 0 it is s / 10, and no
    number of replicates in 5 searches gets below s / 5.
    """
    leaderboard, records, comparison = searched()
    coverage = read_coverage(leaderboard, comparison)
    pooled = pool_gains(measure_spread(leaderboard, records, comparison))
    assert pooled is not None
    row = replace(leaderboard.recipes[0], verdict="inconclusive", replicates_needed=20)
    seeds = choose_purchase(row, replace(pooled, search=0.0, rest=1.0), coverage, comparison)
    assert (seeds.kind, seeds.replicates, seeds.searches) == ("replicates", 20, 5)
    luck = choose_purchase(row, replace(pooled, search=1.0, rest=0.0), coverage, comparison)
    assert (luck.kind, luck.replicates, luck.searches) == ("searches", 20, 10)
    shared = replace(pooled, search=0.0, rest=1.0, test_train_ratio=1 / 3)
    assert choose_purchase(row, shared, coverage, comparison).kind == "data"
    hopeless = replace(row, replicates_needed=1000)
    assert choose_purchase(hopeless, pooled, coverage, comparison).kind == "nothing"
    few = replace(coverage, searches=2)
    assert choose_purchase(row, replace(pooled, search=0.0, rest=1.0), few, comparison).kind == "searches"


def only_first_trials(records: list[Any]) -> list[Any]:
    """Return what a comparison whose time is up after one trial has made."""
    return [r for r in records if r.run.stage == "replicate" or (r.run.stage == "trial" and r.run.number == 0)]


def test_what_time_cut_off_is_not_claimed(searched: Make, sparing: Any) -> None:
    leaderboard, records, comparison = searched()
    content = replace(leaderboard, trials=1), only_first_trials(records), comparison
    with sparing(proof=False):
        files = render_files(*content)
    for page in (files["report.html"] or "", files["report.md"] or ""):
        assert "5 searches of 1 trial, 10 trainings" in page
        for false in ("of 3 trials", "were run again", "after a second run", "the points of", "Chosen by validation"):
            assert false not in page
        assert "tried, each, 1 setting, of the 3 points of a Latin hypercube" in page
        assert "There was one setting in each search, so nothing was chosen." in page


def test_confirmations_that_were_not_made_are_not_claimed(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    text = " ".join(write_methods(leaderboard, [r for r in records if r.run.stage != "confirmation"], comparison))
    assert "were run again" not in text
    assert "The strengths with the best validation nll were chosen, by each search for itself." in text


def test_where_nothing_is_searched_no_search_is_told(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    fixed = [replace(row, name="none" if row.name == "none" else row.recipe) for row in leaderboard.recipes]
    model = ModelInfo("mlp", 4, 32, "adam", "0.01")
    rows = [replace(row, recipe=row.name) for row in fixed]
    found = [replace(r, run=replace(r.run, learning_rate=0.01, search=0)) for r in only_first_trials(records)]
    content = replace(leaderboard, recipes=tuple(rows), trials=1), found, replace(comparison, searches=1, model=model)
    text = " ".join(write_methods(*content))
    assert "Nothing was searched: every recipe has the strengths that its name gives, with the learning rate" in text
    assert "tried" not in text
    assert "run again" not in text
    assert not any("second run" in finding.text for finding in audit_comparison(*content).findings)


def test_the_search_has_no_part_where_all_replicates_have_one_setting(searched: Make) -> None:
    """The scores differ between searches by chance only; nothing was searched for `none` and `dropout` here."""
    leaderboard, records, comparison = searched(search_sd=0.05)
    same = [replace(r, run=replace(r.run, recipe_text=r.run.name)) if r.run.name == "dropout" else r for r in records]
    spreads = {spread.name: spread for spread in measure_spread(leaderboard, same, comparison)}
    for found in (spreads["none"].score, spreads["dropout"].score, spreads["dropout"].gain):
        assert found is not None
        assert found.search == 0.0
        assert found.rest > 0
    assert spreads["l2"].score is not None
    assert spreads["l2"].score.search > 0
    assert (spreads["dropout"].searched, spreads["l2"].searched) == (False, True)
    row = leaderboard.recipes[0]
    assert row.name == "dropout"
    board = replace(
        leaderboard, recipes=(replace(row, verdict="inconclusive", replicates_needed=20), *leaderboard.recipes[1:])
    )
    text = describe_spread(board, tuple(spreads.values()), read_coverage(board, comparison), comparison)
    assert "0 % of the variance of this gain comes from the search" in text
    assert "buy more seeds next, `replicates: 20` of the same searches" in text


def test_a_tie_is_not_called_settled(searched: Make) -> None:
    leaderboard, records, comparison = searched()
    rows = tuple(row for row in leaderboard.recipes if row.name != "dropout")
    board = replace(leaderboard, recipes=rows)
    spreads = measure_spread(board, records, comparison)
    text = describe_spread(board, spreads, read_coverage(board, comparison), comparison)
    assert "`l2` counts as a tie with `none`" in text
    assert "settled" not in text


def test_searches_on_folds_of_their_own_are_not_said_to_share_the_first(searched: Make) -> None:
    for vary, chosen, limit in (
        (("seed", "split", "search"), "over both runs on the fold of replicate k in search k", "Each search chose its"),
        (("seed", "search"), "over both runs on the first fold", "The strengths were chosen on the first fold, whose"),
    ):
        leaderboard, records, comparison = searched(vary=vary, test_train_ratio=1 / 2, folds=3)
        assert chosen in " ".join(write_methods(leaderboard, records, comparison))
        limits = write_limitations(leaderboard, comparison)[0]
        assert limit in limits
        assert limits.count("whose training rows validate in other folds") == 1
