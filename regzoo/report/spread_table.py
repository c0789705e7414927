"""The table of the report that says where the spread of the scores comes from."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.comparison.coverage import Coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_number, format_percent, is_known
from regzoo.report.descriptions import choose_leaderboard_decimals
from regzoo.report.findings.spread import RecipeSpread, get_share, name_other_sources
from regzoo.report.tables import ReportRow, ReportTable
from regzoo.stats.variance import VarianceComponents
from regzoo.storage.info import ComparisonInfo


def build_spread_table(
    leaderboard: Leaderboard, spreads: Sequence[RecipeSpread], coverage: Coverage, comparison: ComparisonInfo
) -> ReportTable | None:
    """Return how much of each recipe's variance comes from the search and from the rest; None if it is unknown."""
    if all(spread.score is None for spread in spreads):
        return None
    decimals, others = choose_leaderboard_decimals(leaderboard) + 1, name_other_sources(comparison)
    headers = ("recipe", "sd", "from the search", f"from the {others}", "sd of gain", "gain: from the search",
               f"gain: from the {others}", "standard error of gain", "with twice the searches",
               "with twice the replicates")  # fmt: skip
    rows = [
        ReportRow(
            (spread.name, *_format_components(spread.score, decimals), *_format_components(spread.gain, decimals),
             *_format_errors(spread.gain, decimals))
        )
        for spread in spreads
    ]  # fmt: skip
    caption = (
        f"Where the variance of one training's validation {leaderboard.rank_by}, and of its paired gain over the "
        f"baseline, comes from: the search that chose the strengths, or the {others} of the training ({coverage}). The "
        "shares are estimates from few searches, good for a rough answer only. On the right, the standard error of the "
        "mean gain now, with twice the searches, and with twice the replicates of the same searches."
    )
    return ReportTable(caption, headers, tuple(rows))


def _format_components(found: VarianceComponents | None, decimals: int) -> tuple[str, str, str]:
    sd = None if found is None else found.total**0.5
    shares = (get_share(found, name) for name in ("search", "rest"))
    search, rest = (format_percent(share) if is_known(share) else format_number(None) for share in shares)
    return format_number(sd, decimals), search, rest


def _format_errors(found: VarianceComponents | None, decimals: int) -> tuple[str, ...]:
    errors: tuple[float | None, ...] = (None, None, None)
    if found is not None:
        errors = (found.standard_error, found.standard_error_twice_searches, found.standard_error_twice_replicates)
    return tuple(format_number(error, decimals) for error in errors)
