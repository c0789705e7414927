"""``regzoo predict``: run an exported model on a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.terminal import print_text, print_warning
from regzoo.system.streams import make_stdout_optional


def predict(
    path: Annotated[Path, typer.Argument(help="an exported model such as reports/digits/model", show_default=False)],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="a CSV, Parquet or NPZ file", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="a new .csv or .npz file (default: print CSV on the screen)")] = None,
    encoding: Annotated[str, typer.Option(help="encoding of a CSV file")] = "utf-8-sig",
    trust: Annotated[
        bool, typer.Option("--trust", help="run a model whose files are changed or have no digests")
    ] = False,
) -> None:
    """Predict every row of INPUT with an exported model.

    A model is a program that runs with your rights: use only models from sources you trust. Its files are compared
    with the digests in its recipe.json before any of them is loaded; this shows damage, not who made the model.
    """
    if out is not None:
        make_stdout_optional()
    from regzoo.export.predict import predict_file

    to = sys.stdout if out is None else out
    rows = predict_file(path, source, to, encoding, notify=print_warning, trust=trust)
    if out is not None:
        print_text(f"{out}: {rows} rows")
