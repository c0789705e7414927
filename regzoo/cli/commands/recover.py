"""``regzoo recover``: save what is intact of a damaged comparison."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.options import Folder
from regzoo.cli.terminal import print_text
from regzoo.system.streams import make_stdout_optional


def recover(
    folder: Folder,
    to: Annotated[Path, typer.Option(help="the folder to write; it must not exist yet", show_default=False)],
) -> None:
    """Save what is intact of a damaged comparison to a new folder.

    Nothing in the damaged folder is changed. `regzoo compare` then makes only the lost runs again.
    """
    make_stdout_optional()
    from regzoo.comparison.own_model import list_lost_parts
    from regzoo.storage.recovery import recover_comparison

    recovery = recover_comparison(folder, to)
    print_text(f"Recovered to {to}: {recovery.describe()}")
    if lost := list_lost_parts(to):
        print_text(
            f"{' and '.join(lost)} of your own model is missing or damaged. Run the comparison again from your own "
            f"model with --out {to}: that writes it, and makes again what is lost"
        )
        return
    command = shlex.join(["regzoo", "compare", str(to / "config.yaml"), "--out", str(to)])
    print_text(f"Make what is lost again: {command}")
