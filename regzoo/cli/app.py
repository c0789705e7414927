"""The command line: its commands, and the exit code of each outcome.

Exit codes: 0 done; 1 some runs failed and the rest is ranked; 2 the input is wrong; 3 the environment failed;
130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP: the same command resumes.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import typer

from regzoo.cli.commands.bench import bench
from regzoo.cli.commands.check import check
from regzoo.cli.commands.check_claims import check_claims
from regzoo.cli.commands.compare import compare
from regzoo.cli.commands.compare_runs import compare_runs
from regzoo.cli.commands.export import export
from regzoo.cli.commands.failures import failures
from regzoo.cli.commands.leaderboard import leaderboard
from regzoo.cli.commands.plan import plan
from regzoo.cli.commands.predict import predict
from regzoo.cli.commands.recover import recover
from regzoo.cli.commands.report import report
from regzoo.cli.commands.sweep import sweep
from regzoo.cli.commands.zoo import zoo
from regzoo.cli.terminal import print_moved_files, print_warning
from regzoo.core.escaping import shorten_lines
from regzoo.system.paths import require_utf8
from regzoo.system.signals import get_termination, ignore_interrupts, interrupt_on_termination
from regzoo.system.streams import get_lost_output
from regzoo.system.temporary_folder import remove_abandoned

INPUT_ERROR = 2
ENVIRONMENT_ERROR = 3
INTERRUPTED = 130

WRONG_PATH = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP)

TRACEBACK = "REGZOO_TRACEBACK"
"""Environment variable: if it is set, an error is printed with its traceback."""

UsageError: Any = typer.BadParameter.__mro__[1]
"""Click's, of which recent versions of Typer have a copy of their own."""

app = typer.Typer(
    name="regzoo",
    help="Which regularizer, how strong, how sure - and the Keras model, ready to serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    zoo,
    check,
    plan,
    compare,
    sweep,
    leaderboard,
    failures,
    report,
    compare_runs,
    check_claims,
    export,
    bench,
    predict,
    recover,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; turn errors into sentences and exit codes."""
    try:
        _run()
    finally:
        with contextlib.suppress(OSError):  # Python would flush it, and exit with a code of its own
            sys.stdout.flush()


def _run() -> NoReturn:
    """Run the command of `sys.argv`, and exit with its code."""
    interrupt_on_termination()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a home that it cannot write to
    code = 0
    try:
        with contextlib.suppress(OSError):  # if there is no temporary folder
            remove_abandoned()
        try:
            with print_moved_files():
                run_command(sys.argv[1:])
        except typer.Exit as done:
            code = done.exit_code
        sys.stdout.flush()
        warn_lost_output()
    except KeyboardInterrupt:
        exit_interrupted()
    except UsageError as error:
        print_usage_error(error)
        sys.exit(INPUT_ERROR)
    except Exception as error:
        if get_termination() is not None:  # what the signal broke off
            exit_interrupted()
        if os.environ.get(TRACEBACK):
            print_warning("".join(traceback.format_exception(error)))
        print_warning(shorten_lines(describe_error(error)))
        sys.exit(find_exit_code(error))
    sys.exit(code)


def warn_lost_output() -> None:
    """Say on stderr if stdout could not take all of a command whose product is in files."""
    error = get_lost_output()
    if error is not None:
        print_warning(f"stdout could not be written ({error.strerror}); the command's files are complete")


def exit_interrupted() -> NoReturn:
    """Say that nothing is lost, and exit with the code of the signal."""
    ignore_interrupts()  # a second one would interrupt the exit
    with contextlib.suppress(OSError):  # the terminal may be gone
        print_warning("\nInterrupted. Nothing is lost: run the same command again to resume.")
    termination = get_termination()
    sys.exit(INTERRUPTED if termination is None else 128 + termination)


def run_command(arguments: list[str]) -> None:
    """Run one command.

    Not by calling ``app``: that ends with 1 on EOFError and on a broken pipe, which a command of ours may meet
    anywhere, and shows usage errors with the control characters of the arguments.
    """
    for argument in arguments:
        require_utf8(argument)
    command = typer.main.get_command(app)
    with command.make_context("regzoo", arguments) as context:
        command.invoke(context)


def print_usage_error(error: Any) -> None:
    """Print a wrong use of a command on stderr, with how to use it; no arguments at all print the help."""
    context = error.ctx
    if type(error).__name__ == "NoArgsIsHelpError":
        return print_warning(error.message) if error.message else None
    usage = f"{context.get_usage()}\nTry '{context.command_path} --help'.\n" if context else ""
    return print_warning(shorten_lines(f"{usage}Error: {error.format_message()}"))


def find_exit_code(error: Exception) -> int:
    """Return the exit code of an error: 2 if the input is wrong, else 3."""
    from regzoo.core import InputError

    return INPUT_ERROR if isinstance(error, InputError) or _is_wrong_path(error) else ENVIRONMENT_ERROR


def _is_wrong_path(error: Exception) -> bool:
    """Return True if the error is in a path that was given: it is too long, or a file where a folder must be."""
    return isinstance(error, OSError) and error.filename is not None and error.errno in WRONG_PATH


def describe_error(error: Exception) -> str:
    """Return an error as the sentence that the user reads, with the way out."""
    from regzoo.core import EnvironmentFailure, InputError

    if isinstance(error, InputError):
        return f"Error: {error}"
    if isinstance(error, EnvironmentFailure):
        return f"Failed: {error}"
    if isinstance(error, OSError):
        if _is_wrong_path(error):
            return f"Error: {os.fsdecode(error.filename)}: {error.strerror}; give another path"
        return f"Failed: {error}{suggest_way_out(error)}"
    if isinstance(error, MemoryError):
        reason = str(error) or "not enough memory"
        return f"Failed: {reason}. Nothing that was finished is lost: free some memory and run the same command again"
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}, line {place[0].lineno})" if place else ""
    return (
        f"Failed: {type(error).__name__}: {error}{where}. This is a defect of regzoo, and nothing that was finished is "
        f"lost. Please report it with the traceback: {TRACEBACK}=1 in front of the same command shows it"
    )


def suggest_way_out(error: OSError) -> str:
    """Return what to do if the disk is full or the working directory is gone, else nothing."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ". Nothing that was finished is lost: make room and run the same command again"
    try:
        os.getcwd()  # noqa: PTH109
    except OSError:
        return ". The working directory no longer exists: change to one that does and run the same command again"
    return ""
