"""``regzoo check-claims``: repeat a comparison with other searches, and show which of its claims hold."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from regzoo.cli.commands.compare import exit_if_failed
from regzoo.cli.options import AsCsv, AsJson, Folder, Quiet, RetryFailed, Workers
from regzoo.cli.terminal import print_json, print_table, print_text
from regzoo.system.streams import make_stdout_optional


def check_claims(
    folder: Folder,
    searches: Annotated[int, typer.Option(min=1, help="number of repetitions, each with other searches")] = 5,
    workers: Workers = None,
    retry_failed: RetryFailed = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    quiet: Quiet = False,
) -> None:
    """Check which claims of a comparison hold in other searches; run the same command again to resume.

    Repeat the whole comparison with other random numbers of the search, everything else equal, in DIR/claims, and show
    which differences and tier orders hold in the repetitions, which are tied and which have turned.
    """
    if not (as_json or as_csv):
        make_stdout_optional()
    from regzoo.cli.tables.claims import make_claim_tables
    from regzoo.data.rows import Rows
    from regzoo.publish import check_and_write_claims
    from regzoo.result import Result
    from regzoo.storage.placement import choose_repetition_folder

    command = shlex.join(["regzoo", "check-claims", str(folder)])
    check = check_and_write_claims(
        folder, Rows(), searches, command, workers=workers, retry_failed=retry_failed, verbose=not quiet
    )
    if as_json:
        print_json(check.to_json())
    elif as_csv:
        print_text(check.to_csv().rstrip("\n"))
    elif not quiet:
        print_table(make_claim_tables(check))
        print_text(f"\nClaims: {folder / 'claims.md'}")
    for seed in check.seeds:
        exit_if_failed(Result(choose_repetition_folder(folder, seed)))
