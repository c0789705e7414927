"""Claims that hold, tie and turn: every case worked by hand, and wrong implementations that the cases reject."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from regzoo.comparison import claims
from regzoo.comparison.claims import Claim, ClaimCheck, Kind, check_claims, read_states
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.comparison.progress import SilentProgress
from regzoo.comparison.repeat import repeat_comparison
from regzoo.core import InputError
from regzoo.data.rows import Rows
from regzoo.stats.recipe_pairs import RecipePair

Tiers = Mapping[str, int | None]


def make_board(tiers: Tiers, apart: str = "", verdicts: Mapping[str, str] | None = None) -> Leaderboard:
    """A leaderboard without numbers, ranked in the order of ``tiers``; None for a recipe that never finished.

    ``apart`` lists the pairs that differ significantly, the better one first: ``"ab cb"``.
    """
    empty = dict.fromkeys(field.name for field in dataclasses.fields(Row))
    rows = []
    for rank, (name, tier) in enumerate(tiers.items(), start=1):
        values: dict[str, Any] = {**empty, "name": name, "recipe": f"{name}(0.5)", "rank": rank, "tier": tier}
        rows.append(Row(**values | {"verdict": (verdicts or {}).get(name)}))
    finished = [name for name, tier in tiers.items() if tier is not None]
    pairs = []
    for one, other in itertools.combinations(finished, 2):
        gain = -0.1 if other + one in apart.split() else 0.1
        significant = one + other in apart.split() or other + one in apart.split()
        pairs.append(RecipePair(one, other, gain, 0.01 if significant else 0.5, significant))
    return Leaderboard("nll", "min", "a(0.5)", "z(0.5)", None, None, tuple(rows), tuple(pairs))


def list_outcomes(check: ClaimCheck) -> dict[str, str]:
    """The outcomes of each claim: ``difference ab`` by the first letters of held, tied, turned (x) and missing."""
    letters = {"held": "h", "tied": "t", "turned": "x", "missing": "m"}
    return {
        f"{'' if claim.made else 'new '}{claim.kind} {claim.recipe}{claim.other}": "".join(
            letters[outcome] for outcome in claim.outcomes
        )
        for claim in (*check.claims, *check.new)
    }


ORIGINAL = make_board({"a": 1, "b": 2, "z": 2, "c": 3}, "ab az ac bc zc", {"a": "conclusive", "b": "equivalent"})
REPETITIONS = {
    4: make_board({"a": 1, "b": 2, "z": 2, "c": 3}, "ab az ac bc zc", {"a": "conclusive", "b": "equivalent"}),
    5: make_board({"a": 1, "b": 1, "c": 1, "z": 2}, "az bz", {"b": "conclusive", "a": "conclusive", "c": "equivalent"}),
    6: make_board({"b": 1, "z": 2, "a": 2, "c": None}, "ba bz", {"b": "inconclusive", "a": "equivalent"}),
}
"""The comparison, itself again, one that ties most of it, and one that turns ``ab`` and has no result of ``c``."""

WORKED = {
    "difference ab": "htx",
    "difference az": "hht",
    "difference ac": "htm",
    "difference bc": "htm",
    "difference zc": "htm",
    "tier ab": "htx",
    "tier az": "hht",
    "tier ac": "htm",
    "tier bc": "htm",
    "tier zc": "hxm",
    "equivalence bz": "hxt",
    "new difference bz": "thh",
    "new tier bz": "thh",
    "new tier cz": "",  # turns zc: no claim of its own
    "new equivalence az": "xxh",
    "new equivalence cz": "mhm",
}


def test_every_outcome_by_hand() -> None:
    check = check_claims(ORIGINAL, REPETITIONS)
    assert list_outcomes(check) == {name: letters for name, letters in WORKED.items() if letters}
    assert check.seeds == (4, 5, 6)
    assert check.pairs == 6
    assert check.differences == (5, 5, 2, 2)


def test_the_worst_claim_comes_first_and_the_most_frequent_new_one() -> None:
    check = check_claims(ORIGINAL, REPETITIONS)
    assert [claim.worst for claim in check.claims] == ["turned"] * 4 + ["missing"] * 5 + ["tied"] * 2
    assert [(claim.kind, claim.recipe, claim.other) for claim in check.claims[:4]] == [
        ("tier", "z", "c"),  # turned once and missing once; the next three tied once
        ("difference", "a", "b"),
        ("tier", "a", "b"),
        ("equivalence", "b", "z"),
    ]
    assert [claim.count("held") for claim in check.new] == [2, 2, 1, 1]


def test_agreement_counts_each_comparison_against_each_other_by_hand() -> None:
    """Differences claimed: 5, 5, 2 and 2, each against three others.

    The first two confirm one another (10); 5 has az of theirs, which they have of it (4 in all), and 6 has bz of 5,
    which 5 has of it (2). ba of 6 against ab of the first two turns (4).
    """
    difference, tier, equivalence = check_claims(ORIGINAL, REPETITIONS).agreement
    assert (difference.kind, difference.claims) == ("difference", 3 * (5 + 5 + 2 + 2))
    assert difference.held == pytest.approx((10 + 4 + 2) / 42)
    assert difference.turned == pytest.approx(4 / 42)
    assert difference.tied == pytest.approx(1 - 20 / 42)
    assert (difference.claimed, difference.contradicted) == (6, 1)  # ab, az, ac, bc, zc and bz; ab both ways
    # tiers: ab az ac bc zc twice, az bz cz, ba bz; turned are ab and ba (4), zc and cz (4)
    assert (tier.claims, tier.claimed, tier.contradicted) == (3 * (5 + 5 + 3 + 2), 6, 2)
    assert tier.turned == pytest.approx(8 / 45)
    # b is equivalent in the first two, conclusive in 5; c in 5 only; a in 6, conclusive in the others
    assert (equivalence.claims, equivalence.claimed, equivalence.contradicted) == (12, 3, 2)
    assert equivalence.held == pytest.approx(2 / 12)
    assert equivalence.turned == pytest.approx(5 / 12)


def test_a_comparison_that_equals_its_repetition_agrees_with_it() -> None:
    check = check_claims(ORIGINAL, {1: ORIGINAL})
    assert check.new == ()
    assert {claim.worst for claim in check.claims} == {"held"}
    assert [(each.held, each.tied, each.turned, each.contradicted) for each in check.agreement] == [(1, 0, 0, 0)] * 3


def test_the_better_recipe_of_a_pair_is_the_one_with_the_gain_whatever_the_ranks() -> None:
    """A recipe of which runs diverged ranks below one that is worse."""
    states = read_states(make_board({"a": 1, "b": 2}, "ba"), "difference")
    assert states == {("a", "b"): -1, ("b", "a"): 1}


def test_a_pair_without_a_gain_does_not_differ() -> None:
    board = dataclasses.replace(ORIGINAL, pairs=(RecipePair("a", "b", math.nan, math.nan, False),))
    assert read_states(board, "difference") == {("a", "b"): 0, ("b", "a"): 0}


NOTHING = make_board({"a": 1, "z": 1})


@pytest.mark.parametrize(
    ("original", "repetitions", "headline"),
    [
        (
            ORIGINAL,
            REPETITIONS,
            "Of 11 claims (5 differences, 5 tier orders and 1 equivalence), none held in all 3 repetitions, "
            "2 tied in some, 5 had no result in some, 4 turned in some.",
        ),
        (
            ORIGINAL,
            {1: ORIGINAL, 2: ORIGINAL},
            "Of 11 claims (5 differences, 5 tier orders and 1 equivalence), 11 held in both repetitions, "
            "none tied, none turned.",
        ),
        (
            make_board({"a": 1, "z": 1}, "az"),
            {1: make_board({"a": 1, "z": 2}, "za")},
            "Of 1 claim (1 difference), none held in the repetition, none tied, 1 turned.",
        ),
        (NOTHING, {1: NOTHING, 2: NOTHING}, "The comparison makes no claim; its repetitions make none."),
        (NOTHING, {1: ORIGINAL}, "The comparison makes no claim; its repetition makes 11 claims."),
    ],
)
def test_the_answer_in_one_sentence(
    original: Leaderboard, repetitions: Mapping[int, Leaderboard], headline: str
) -> None:
    check = check_claims(original, repetitions)
    assert check.headline == str(check) == headline


def test_json_is_strict_and_csv_is_one_row_per_claim() -> None:
    check = check_claims(NOTHING, {1: ORIGINAL})
    read = json.loads(check.to_json(), parse_constant=pytest.fail)
    assert list(read) == ["headline", "seeds", "claims", "new", "pairs", "differences", "agreement"]
    check = check_claims(ORIGINAL, REPETITIONS)
    frame = pd.read_csv(io.StringIO(check.to_csv()))
    assert list(frame.columns[:8]) == ["kind", "recipe", "other", "made", "held", "tied", "turned", "missing"]
    assert list(frame.columns[8:]) == ["seed_4", "seed_5", "seed_6"]
    assert frame["made"].tolist() == [True] * 11 + [False] * 4
    assert (frame[["held", "tied", "turned", "missing"]].sum(axis=1) == 3).all()


def test_a_spreadsheet_runs_no_recipe() -> None:
    claim = Claim("difference", "=1+1", "none", True, ("held",))
    assert "'=1+1" in ClaimCheck((1,), (claim,), (), 1, (1, 1), ()).to_csv()


def _read_without_sign(board: Leaderboard) -> dict[tuple[str, str], int]:
    return {key: int(pair.significant) for pair in board.pairs for key in ((pair.recipe, pair.other),)}


def _read_by_rank(board: Leaderboard) -> dict[tuple[str, str], int]:
    states = {(pair.recipe, pair.other): int(pair.significant) for pair in board.pairs}
    return states | {(other, recipe): -state for (recipe, other), state in states.items()}


def _read_ranks(board: Leaderboard) -> dict[tuple[str, str], int]:
    names = [row.name for row in board.recipes if row.tier is not None]
    pairs = itertools.combinations(names, 2)
    return {key: sign for one, other in pairs for key, sign in (((one, other), 1), ((other, one), -1))}


def _read_all(board: Leaderboard) -> dict[tuple[str, str], int]:
    return {(row.name, "z"): int(row.verdict == "equivalent") for row in board.recipes}


def check_readings() -> None:
    test_every_outcome_by_hand()
    test_the_better_recipe_of_a_pair_is_the_one_with_the_gain_whatever_the_ranks()


SABOTEURS: dict[str, tuple[Kind, Callable[[Leaderboard], dict[tuple[str, str], int]]]] = {
    "a difference without a direction": ("difference", _read_without_sign),
    "the recipe that ranks higher is better": ("difference", _read_by_rank),
    "ranks in place of tiers": ("tier", _read_ranks),
    "an equivalence never turns": ("equivalence", _read_all),
}


@pytest.mark.parametrize("name", list(SABOTEURS))
def test_a_wrong_reading_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, reader = SABOTEURS[name]
    monkeypatch.setattr(claims, "_READERS", {**claims._READERS, kind: reader})
    with pytest.raises(AssertionError):
        check_readings()


@pytest.mark.parametrize(
    "swapped", [{0: "held"}, {0: "turned"}, {None: "tied"}, {-1: "tied"}, {-1: "held", 1: "turned"}]
)
def test_a_wrong_outcome_is_noticed(swapped: dict[int | None, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for state, outcome in swapped.items():
        monkeypatch.setitem(claims._OUTCOME, state, outcome)
    with pytest.raises(AssertionError):
        test_every_outcome_by_hand()


@pytest.mark.parametrize("searches", [0, -1, 2.5, "5", True, None])
def test_a_wrong_number_of_repetitions_is_refused_by_its_value(searches: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"searches must be a whole number, 1 or more, received {searches!r}"):
        repeat_comparison(tmp_path, Rows(), searches, workers=0, progress=SilentProgress(), command="")
