"""Where the spread comes from: what is said of a gain that nothing can settle, and of searches with one training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regzoo.comparison.coverage import read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.findings.spread import describe_spread, measure_spread


def describe(leaderboard: Leaderboard, records: Any, comparison: Any) -> str:
    spreads = measure_spread(leaderboard, records, comparison)
    return describe_spread(leaderboard, spreads, read_coverage(leaderboard, comparison), comparison)


def test_an_open_verdict_without_a_way_to_settle_it_is_not_called_settled(searched: Any) -> None:
    """All gains of the best recipe are exactly 0, so no number of runs is known to settle it."""
    leaderboard, records, comparison = searched()
    best = replace(leaderboard.recipes[0], gain=0.0, verdict="inconclusive", replicates_needed=None)
    text = describe(replace(leaderboard, recipes=(best, *leaderboard.recipes[1:])), records, comparison)
    assert text.endswith("; nothing that can be bought would settle whether `dropout` differs from `none`.")


def test_searches_are_named_with_the_replicates_that_would_show_them(searched: Any) -> None:
    """`replicates: 6` alone would make more than three searches, where `search.repeats` asks for more."""
    assert "`repeats: 3` with `replicates: 6` would show them" in describe(*searched(searches=3, replicates=3))
