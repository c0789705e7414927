"""The difference between two comparisons."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

from rich.console import Console

from regzoo.cli.tables.difference import make_difference_tables
from regzoo.report.diff import Change, Side, compare_runs
from regzoo.storage.info import SplitInfo


def sides(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> tuple[Side, Side]:
    """Return two comparisons: the second has other data, seed and Keras, l2 before dropout, l1, but no mixup."""
    before = make_leaderboard([
        make_row("dropout", rank=1, tier=1, mean=0.1, gain=0.25, gain_low=0.125, gain_high=0.375, verdict="conclusive"),
        make_row("l2", rank=2, tier=1, mean=0.2, gain=0.125, gain_low=0.0, gain_high=0.25),
        make_row("none", rank=3, tier=2, mean=0.3),
        make_row("mixup", rank=4, tier=2, mean=0.4),
    ])  # fmt: skip
    after = make_leaderboard([
        make_row("l2", rank=1, tier=1, mean=0.1, gain=0.5, gain_low=0.25, gain_high=0.75, verdict="conclusive"),
        make_row("dropout", rank=2, tier=1, mean=0.2, gain=0.25),
        make_row("none", rank=3, tier=2, mean=0.3),
        make_row("l1"),
    ])  # fmt: skip
    data = replace(make_comparison().data, digest="ffff")
    other = make_comparison(config="name: digits\nseed: 1\n", data=data, versions={"regzoo": "0.1.0", "keras": "3.16"})
    return Side("a", before, make_comparison(config="name: digits\nseed: 0\n")), Side("b", after, other)


def test_config_data_and_versions(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    found = compare_runs(*sides(make_row, make_leaderboard, make_comparison))
    assert found.config == ("-seed: 0", "+seed: 1")
    assert found.data == (Change("digest", "0123abcd", "ffff"),)
    assert found.versions == (Change("keras", "3.15.1", "3.16"), Change("python", "3.11.2", None))
    assert found.winner == ("dropout", "l2")


def test_nested_facts_and_changed_strengths_are_named(
    make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    one, other = (
        Side(
            kind,
            make_leaderboard(
                [
                    make_row("dropout", recipe=recipe, rank=1, mean=0.1),
                    make_row("placebo 1", recipe="none", rank=2, mean=0.2),
                ]
            ),
            make_comparison(data=replace(make_comparison().data, split=SplitInfo(kind))),
        )
        for kind, recipe in (("random", "dropout(0.25)"), ("stratified", "dropout(0.5)"))
    )
    found = compare_runs(one, other)
    assert found.data == (Change("split.kind", "random", "stratified"),)
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(make_difference_tables(found))
    text = console.export_text()
    assert "dropout(0.25) -> dropout(0.5)" in text
    assert "placebo 1" in text


def test_ranks_move_and_gains_stand_side_by_side(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    found = {moved.name: moved for moved in compare_runs(*sides(make_row, make_leaderboard, make_comparison)).recipes}
    assert list(found) == ["l2", "dropout", "none", "l1", "mixup"]
    assert [moved.moved for moved in found.values()] == [1, -1, 0, None, None]
    assert found["l2"].gain == (0.125, 0.5)
    assert found["mixup"].rank == (4, None)


def test_equal_comparisons_differ_in_nothing(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    one = sides(make_row, make_leaderboard, make_comparison)[0]
    found = compare_runs(one, one)
    assert (found.config, found.data, found.versions) == ((), (), ())
    assert {moved.moved for moved in found.recipes} == {0}


def test_text_and_json(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    found = compare_runs(*sides(make_row, make_leaderboard, make_comparison))
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(make_difference_tables(found))
    text = console.export_text()
    for line in ("-seed: 0", "digest: 0123abcd -> ffff", "keras: 3.15.1 -> 3.16", "winner: dropout -> l2"):
        assert line in text
    assert "2 (+1)" in text
    assert "better" in text
    assert "conclusive" not in text
    assert "in brackets: 95 % intervals over 5 trainings of one search's choice" in " ".join(text.split())
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["recipes"][0]["moved"] == 1


def test_models_of_the_user_that_differ_are_named(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    """The config names the copy in the folder, which is called the same in every comparison."""
    board = make_leaderboard([make_row("none", rank=1, mean=0.1)])
    models: tuple[dict[str, object], ...] = (
        {"name": "mine", "parameters": 10, "digest": "aa"},
        {"name": "mine", "parameters": 20, "digest": "bb"},
        {},
    )
    one, two, none = (Side("a", board, make_comparison(), model) for model in models)
    found = compare_runs(one, two)
    assert found.model == (Change("parameters", 10, 20), Change("digest", "aa", "bb"))
    assert compare_runs(none, two).model[0] == Change("name", None, "mine")
    assert compare_runs(one, one).model == ()
    console = Console(file=io.StringIO(), width=100)
    console.print(make_difference_tables(found))
    assert "digest: aa -> bb" in console.file.getvalue()  # type: ignore[attr-defined]


def test_each_side_says_what_its_intervals_cover(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    one, other = sides(make_row, make_leaderboard, make_comparison)
    found = compare_runs(one, replace(other, comparison=replace(other.comparison, vary=("seed", "search"), searches=5)))
    assert found.covers == ("over 5 trainings of one search's choice", "over 5 searches of 6 trials, 5 trainings")
