"""``regzoo failures``: list the runs without a score."""

from __future__ import annotations

from regzoo.cli.options import Folder
from regzoo.cli.terminal import print_table, print_text


def failures(folder: Folder) -> None:
    """List the runs without a score (diverged, failed or pruned), each with its reason."""
    from regzoo.cli.tables.failures import make_failures_table
    from regzoo.result import Result

    failed = [record for record in Result(folder).records if record.status != "ok"]
    if failed:
        print_table(make_failures_table(failed))
    else:
        print_text("no run failed or diverged")
