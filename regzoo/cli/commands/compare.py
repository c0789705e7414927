"""``regzoo compare``: run a comparison, or resume it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regzoo.cli.options import Config, Fresh, Quiet, RetryFailed, Workers
from regzoo.cli.terminal import get_width, print_table, print_text, print_warning
from regzoo.system.streams import make_stdout_optional

if TYPE_CHECKING:
    from regzoo.result import Result


def compare(
    config: Config,
    out: Annotated[Path | None, typer.Option(help="the comparison's folder (default: reports/NAME)")] = None,
    workers: Workers = None,
    fresh: Fresh = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
) -> None:
    """Compare recipes; run the same command again to resume.

    Search the strengths with equal budgets, train the best again on fresh seeds, rank them, export the winner.
    """
    make_stdout_optional()
    from regzoo.api import run_and_publish
    from regzoo.cli.tables.leaderboard import make_leaderboard_table
    from regzoo.comparison.runner import read_data
    from regzoo.publish import MODEL
    from regzoo.result import Result
    from regzoo.storage.config_file import load_experiment

    experiment = load_experiment(config, out)
    folder = out or Path("reports") / experiment.name
    run_and_publish(
        experiment,
        lambda inputs: read_data(experiment, inputs),
        folder,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
        verbose=not quiet,
        command=shlex.join(["regzoo", "compare", str(config)]),
    )
    result = Result(folder)
    if not quiet:
        print_table(make_leaderboard_table(result.board, result.side.comparison, get_width()))
        print_text(f"\n{result.verdict}\n")
        print_text(f"Report: {folder / 'report.html'}")
        if (folder / MODEL).is_dir():
            print_text(f"Model:  {folder / MODEL} (a verified SavedModel)")
    exit_if_failed(result)


def exit_if_failed(result: Result) -> None:
    """Exit with 1 if a run failed."""
    if any(record.status == "failed" for record in result.records):
        print_warning(f"some runs failed; see: regzoo failures {result.folder}")
        raise typer.Exit(1)
