"""``regzoo compare-runs``: show what changed between two comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.options import AsJson, Folder
from regzoo.cli.terminal import print_json, print_table


def compare_runs(
    before: Folder,
    after: Annotated[Path, typer.Argument(help="the other comparison's folder", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show what changed between two comparisons: config, model, data, versions, ranking."""
    from regzoo.cli.tables.difference import make_difference_tables
    from regzoo.report import diff
    from regzoo.result import Result

    difference = diff.compare_runs(Result(before).side, Result(after).side)
    if as_json:
        print_json(json.dumps(difference.to_dict(), indent=2, allow_nan=False))
    else:
        print_table(make_difference_tables(difference))
