"""``regzoo leaderboard``: print the ranking of a comparison."""

from __future__ import annotations

from regzoo.cli.options import AsCsv, AsJson, Folder
from regzoo.cli.terminal import get_width, print_json, print_table, print_text


def leaderboard(
    folder: Folder,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Print the leaderboard of a finished or unfinished comparison."""
    from regzoo.cli.tables.leaderboard import make_leaderboard_table
    from regzoo.result import Result

    result = Result(folder)
    ranked = result.board
    if as_json:
        print_json(ranked.to_json())
    elif as_csv:
        print_text(ranked.to_csv().rstrip("\n"))
    else:
        print_table(make_leaderboard_table(ranked, result.side.comparison, get_width()))
