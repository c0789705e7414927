"""The difference of two comparisons: sections of changed lines, and both rankings in one table."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.comparison.leaderboard import is_placebo
from regzoo.core.formatting import (
    MISSING,
    choose_decimals,
    float_or_nan,
    format_fixed,
    format_interval,
    format_number,
    shorten_recipe,
)
from regzoo.report.diff import Change, Difference, RecipeChange
from regzoo.stats.paired import name_verdict

LONGEST_VALUE = 100
"""Characters of a changed value that are shown."""


def make_difference_tables(difference: Difference) -> Group:
    """Return the changes of config, model, data, versions and winner, then the table of both rankings."""
    before, after = difference.folders
    sections: list[RenderableType] = [Text(f"before: {before}\nafter:  {after}")]
    sections += _make_section("config", [Text(line) for line in difference.config])
    if difference.model:
        sections += _make_section("model", [_make_line(change) for change in difference.model])
    sections += _make_section("data", [_make_line(change) for change in difference.data])
    sections += _make_section("versions", [_make_line(change) for change in difference.versions])
    old, new = difference.rank_by
    if old != new:
        sections.append(Text(f"\nranked by {old} before, {new} after: gains cannot be compared"))
    old, new = (winner or "nothing yet" for winner in difference.winner)
    winner = f"winner: still {new}" if old == new else f"winner: {old} -> {new}"
    return Group(
        *sections,
        Text(f"\n{winner}\n", style="bold"),
        _make_ranking_table(difference),
        Text(f"\nin brackets: 95 % intervals {_describe_coverage(difference)}"),
    )


def _describe_coverage(difference: Difference) -> str:
    before, after = difference.covers
    return after if before == after else f"{before} before, {after} after"


def _make_section(name: str, lines: list[Text]) -> list[Text]:
    return [Text(f"\n{name}", style="bold"), *lines] if lines else [Text(f"\n{name}: the same")]


def _make_line(change: Change) -> Text:
    return Text(f"{change.what}: {_format_value(change.before)} -> {_format_value(change.after)}")


def _format_value(value: Any) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _make_ranking_table(difference: Difference) -> Table:
    table = make_table()
    for header in ("rank", "was", "recipe", "gain before", "gain after", "verdict before", "verdict after"):
        table.add_column(header, justify="left" if header == "recipe" or "verdict" in header else "right")
    half_widths = [
        (float_or_nan(high) - float_or_nan(low)) / 2
        for row in difference.recipes
        for low, high in zip(row.gain_low, row.gain_high, strict=True)
    ]
    decimals = choose_decimals(half_widths)
    for row in difference.recipes:
        move = {None: "", 0: "="}.get(row.moved, format_fixed(row.moved or 0, 0, "+"))
        ranks = [MISSING if rank is None else str(rank) for rank in row.rank]
        gains = [_format_gain(row, side, decimals) for side in (0, 1)]
        verdicts = [name_verdict(*side) or MISSING for side in zip(row.verdict, row.gain, strict=True)]
        cells = [ranks[1], f"{ranks[0]} ({move})" if move else ranks[0], _format_recipe(row), *gains, *verdicts]
        table.add_row(*map(Text, cells))
    return table


def _format_recipe(row: RecipeChange) -> str:
    """Return the recipe with its numbers, before and after where they differ; a placebo by its name."""
    if is_placebo(row.name):
        return row.name
    return " -> ".join(dict.fromkeys(shorten_recipe(recipe) for recipe in row.recipe if recipe is not None))


def _format_gain(row: RecipeChange, side: int, decimals: int) -> str:
    interval = format_interval(row.gain_low[side], row.gain_high[side], decimals)
    return format_number(row.gain[side], decimals) + (f" [{interval}]" if interval else "")
