"""``regzoo failures``: list the runs without a score."""

from __future__ import annotations

from regzoo.cli.options import Folder
from regzoo.cli.terminal import print_table, print_text


def failures(folder: Folder) -> None:
    """List the runs without a score (diverged, failed or pruned), each with its reason, and how to make them again."""
    from regzoo.cli.tables.failures import describe_retry, make_failures_table
    from regzoo.storage.ledger import Ledger

    with Ledger(folder) as ledger:
        records, comparison = ledger.records(), ledger.get_comparison_info()
    failed = [record for record in records if record.status != "ok"]
    if failed:
        print_table(make_failures_table(failed))
    else:
        print_text("no run failed or diverged")
    for sentence in describe_retry(records, folder, "" if comparison is None else comparison.command):
        print_text(sentence)
