"""``regzoo export``: write a model to serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.options import Folder
from regzoo.cli.terminal import print_text
from regzoo.system.streams import make_stdout_optional


def export(
    folder: Folder,
    to: Annotated[
        Path, typer.Option(help="the folder to write; an older export there is moved aside", show_default=False)
    ],
    recipe: Annotated[str | None, typer.Option(help="a recipe of the leaderboard (default: the winner)")] = None,
    form: Annotated[str, typer.Option("--format", help="saved_model, onnx or litert")] = "saved_model",
    refit: Annotated[
        bool, typer.Option("--refit", help="first train it on the training and validation rows together")
    ] = False,
) -> None:
    """Export a recipe as a model to serve.

    The best replicate is served in a process of its own first; if its answers differ, nothing is written. An unchanged
    older export at the same path is renamed to path.1, path.2, ...; anything else there is left alone and refused.
    """
    make_stdout_optional()
    from regzoo.result import Result

    print_text(f"Model: {Result(folder).export(to, recipe, form, refit=refit)}")
