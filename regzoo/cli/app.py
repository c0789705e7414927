"""The command line: its commands, and the exit code of each outcome.

Exit codes: 0 done; 1 some runs failed and the rest is ranked; 2 the input is wrong; 3 the environment failed;
130 interrupted, and the same command resumes.
"""

from __future__ import annotations

import errno
import signal
import sys

import typer

from regzoo.cli.commands.bench import bench
from regzoo.cli.commands.check import check
from regzoo.cli.commands.compare import compare
from regzoo.cli.commands.compare_runs import compare_runs
from regzoo.cli.commands.export import export
from regzoo.cli.commands.failures import failures
from regzoo.cli.commands.leaderboard import leaderboard
from regzoo.cli.commands.plan import plan
from regzoo.cli.commands.predict import predict
from regzoo.cli.commands.report import report
from regzoo.cli.commands.sweep import sweep
from regzoo.cli.commands.zoo import zoo
from regzoo.cli.terminal import print_warning

INPUT_ERROR = 2
ENVIRONMENT_ERROR = 3
INTERRUPTED = 130

app = typer.Typer(
    name="regzoo",
    help="Which regularizer, how strong, how sure - and the Keras model, ready to serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (zoo, check, plan, compare, sweep, leaderboard, failures, report, compare_runs, export, bench, predict):
    app.command()(command)


def main() -> None:
    """Run the command line; turn errors into sentences and exit codes."""
    try:
        app()
    except SystemExit as exited:
        if exited.code == INTERRUPTED:  # typer turns Ctrl-C into this code
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would interrupt the exit
            print_warning("\nInterrupted. Nothing is lost: run the same command again to resume.")
        raise
    except Exception as error:
        code = find_exit_code(error)
        if code is None:
            raise
        print_warning(f"{'Error' if code == INPUT_ERROR else 'Failed'}: {error}{suggest_way_out(error)}")
        sys.exit(code)


def find_exit_code(error: Exception) -> int | None:
    """Return the exit code of an error in the input or the environment; None for a defect of regzoo."""
    from regzoo.core import EnvironmentFailure, InputError

    if isinstance(error, InputError):
        return INPUT_ERROR
    return ENVIRONMENT_ERROR if isinstance(error, EnvironmentFailure | OSError | MemoryError) else None


def suggest_way_out(error: Exception) -> str:
    """Return what to do if the disk is full, else nothing."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return ". Nothing that was finished is lost: make room and run the same command again" if full else ""
