"""``regzoo sweep``: measure how the score depends on a strength."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.commands.compare import exit_if_failed
from regzoo.cli.options import Config, Fresh, Quiet, RetryFailed, Workers
from regzoo.cli.terminal import print_table, print_text
from regzoo.system.streams import make_stdout_optional


def sweep(
    config: Config,
    over: Annotated[list[str], typer.Option(help="the strength to vary, such as dropout.rate; give two for a grid")],
    values: Annotated[
        list[str] | None,
        typer.Option(
            help="its values, such as 0,0.1,0.2; once for each --over (default: 9 over its range; 5 each for two)"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the sweep's folder (default: reports/NAME-dropout.rate)")] = None,
    workers: Workers = None,
    fresh: Fresh = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
) -> None:
    """Measure how the score depends on a strength; run the same command again to resume."""
    make_stdout_optional()
    from regzoo.api import run_and_publish
    from regzoo.cli.tables.sweep import make_response_table
    from regzoo.comparison.runner import read_data
    from regzoo.comparison.sweep import make_sweep, read_values
    from regzoo.result import SweepResult
    from regzoo.storage.config_file import load_experiment

    experiment, swept = make_sweep(load_experiment(config, out), over, [read_values(text) for text in values or []])
    folder = out or Path("reports") / experiment.name
    run_and_publish(
        experiment,
        lambda inputs: read_data(experiment, inputs),
        folder,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
        verbose=not quiet,
        command=write_command(config, over, values or []),
        sweep=swept,
    )
    result = SweepResult(folder)
    if not quiet:
        print_table(make_response_table(result.response))
        print_text(f"\n{result.verdict}\n")
        print_text(f"Report: {folder / 'report.html'}")
    exit_if_failed(result)


def write_command(config: Path, over: Sequence[str], values: Sequence[str]) -> str:
    """Return the command line that makes the sweep, for the report."""
    words = ["regzoo", "sweep", str(config)]
    words += [word for name in over for word in ("--over", name)]
    return shlex.join(words + [word for text in values for word in ("--values", text)])
