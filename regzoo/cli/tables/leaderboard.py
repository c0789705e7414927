"""The table of the leaderboard."""

from __future__ import annotations

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.comparison.coverage import read_coverage
from regzoo.comparison.leaderboard import Leaderboard, Row, is_placebo
from regzoo.core.formatting import choose_cell_decimals, compute_half_width, format_fixed, format_gain, format_p_value
from regzoo.report.descriptions import TIE, describe_nested_ties, format_verdict, list_nested_ties
from regzoo.storage.info import ComparisonInfo

WIDE = 120
"""Terminal columns from which the leaderboard shows every column."""


def make_leaderboard_table(leaderboard: Leaderboard, comparison: ComparisonInfo, width: int = WIDE) -> Table:
    """Return the leaderboard for a terminal of ``width`` columns; below 120 without p, test score and epochs."""
    ties = list_nested_ties(leaderboard, comparison)
    wide = width >= WIDE
    table = make_table()
    table.caption = Text("\n".join(_make_notes(leaderboard, comparison)), style="table.caption")
    rank_by = leaderboard.rank_by
    headers = ["rank", "tier", "recipe", f"{rank_by} ± sd", f"gain over {leaderboard.baseline}", "verdict"]
    headers += ["p", f"test {rank_by}", "epochs"] if wide else []
    for header in headers:
        justify: JustifyMethod = "left" if header in ("recipe", "verdict") else "right"
        # Text, not strings: brackets in a recipe are no markup.
        table.add_column(Text(header), justify=justify, overflow="fold", no_wrap=header != "recipe")
    table.add_column("status")
    for row in leaderboard.recipes:
        won = row.rank == 1 and leaderboard.winner is not None
        cells = [
            *_format_cells(row, wide, tie=row in ties),
            *(_format_wide_cells(row, rank_by) if wide else ()),
            _format_status(row, won),
        ]
        table.add_row(*map(Text, cells), style="bold green" if won else None)
    return table


def _format_cells(row: Row, wide: bool, tie: bool) -> list[str]:
    places = choose_cell_decimals(row.sd, row.mean)
    score = format_fixed(row.mean, places) + ("" if row.sd is None else f" ± {format_fixed(row.sd, places)}")
    gain = format_gain(row.gain, row.gain_low, row.gain_high, " " if wide else "\n")
    recipe = f"{row.name} ({row.recipe} in disguise)" if is_placebo(row.name) else row.recipe
    verdict = TIE if tie else format_verdict(row.verdict, row.gain, row.replicates_needed)
    return [format_fixed(row.rank, 0), format_fixed(row.tier, 0), recipe, score, gain, verdict]


def _format_wide_cells(row: Row, rank_by: str) -> list[str]:
    test = format_fixed(row.metrics["test"].get(rank_by), choose_cell_decimals(row.sd, row.mean))
    return ["" if row.p_holm is None else format_p_value(row.p_holm), test, format_fixed(row.epochs, 0)]


def _format_status(row: Row, won: bool) -> str:
    """Return the outcome in words, so that it does not depend on color."""
    counts = [f"{count} {word}" for count, word in ((row.diverged, "diverged"), (row.failed, "failed")) if count]
    if won:
        return ", ".join(["winner", *counts])
    return ", ".join(counts) or row.status


def _make_notes(leaderboard: Leaderboard, comparison: ComparisonInfo) -> list[str]:
    """Return the lines below the table: how to read it, and how far the winner leads."""
    coverage = read_coverage(leaderboard, comparison)
    notes = [f"{coverage.explain_tiers()} In brackets: 95 % interval of the gain, {coverage}."]
    notes += [limits] if (limits := coverage.explain_limits()) else []
    notes += [sentence.replace("`", "") for sentence in describe_nested_ties(leaderboard, comparison)]
    if any(row.replicates_needed for row in leaderboard.recipes):
        more = ", in more searches of as many each," if coverage.searches > 1 else ", in all,"
        notes.append(f"`needed`: no verdict yet; about this number of replicates{more} would settle it.")
    lead, best = leaderboard.lead, leaderboard.recipes[0]
    if lead is not None and lead.pairs:
        gain = format_gain(lead.gain, lead.gain_low, lead.gain_high)
        verdict = format_verdict(lead.verdict, lead.gain, lead.replicates_needed)
        notes.append(f"{lead.recipe} against {lead.other}: {gain}, {verdict}.")
    if leaderboard.shrunk_gain is not None:
        places = choose_cell_decimals(compute_half_width(best.gain_low, best.gain_high), best.gain)
        fresh = "in fresh searches" if coverage.searches > 1 else "on fresh seeds"
        shrunk = format_fixed(round(leaderboard.shrunk_gain, places) + 0.0, places, "+")  # never -0
        notes.append(f"Expected gain of {best.name} {fresh}, corrected for selection bias: {shrunk}.")
    return [*notes, *_make_placebo_note(leaderboard)]


def _make_placebo_note(leaderboard: Leaderboard) -> list[str]:
    placebos = [row for row in leaderboard.recipes if is_placebo(row.name) and row.gain is not None]
    if not placebos:
        return []
    false_gains = [row.gain or 0.0 for row in placebos if row.verdict == "conclusive"]
    better = sum(gain > 0 for gain in false_gains)
    return [
        f"Placebos, copies of {leaderboard.baseline} on other seeds: {better} of {len(placebos)} wrongly found better, "
        f"{len(false_gains) - better} wrongly found worse."
    ]
