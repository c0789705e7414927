"""``regzoo report``: write the report again from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.options import Folder
from regzoo.cli.terminal import print_text
from regzoo.system.streams import make_stdout_optional


def report(
    folder: Folder,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="LOGDIR", help="also write every run to LOGDIR, for TensorBoard's HParams")
    ] = None,
) -> None:
    """Write report.html, report.md, the figures and leaderboard.csv again from the records."""
    make_stdout_optional()
    from regzoo.result import Result

    result, runs = Result(folder), 0
    if tensorboard is not None:  # first, because LOGDIR may hold other files, and then nothing is written
        from regzoo.report.tensorboard import write_tensorboard

        runs = write_tensorboard(tensorboard, result.records, result.board.rank_by)
    result.write_report()
    print_text(f"Report: {folder / 'report.html'}")
    if tensorboard is not None:
        print_text(f"TensorBoard: {runs} runs; look at them with: tensorboard --logdir {tensorboard}")
