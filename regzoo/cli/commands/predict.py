"""``regzoo predict``: run an exported model on a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.terminal import print_text, print_warning


def predict(
    path: Annotated[Path, typer.Argument(help="an exported model such as reports/digits/model", show_default=False)],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="a CSV or NPZ file", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="a new .csv or .npz file (default: print CSV on the screen)")] = None,
    encoding: Annotated[str, typer.Option(help="encoding of a CSV file")] = "utf-8-sig",
) -> None:
    """Predict every row of INPUT with an exported model."""
    from regzoo.export.predict import predict_file

    rows = predict_file(path, source, sys.stdout if out is None else out, encoding, notify=print_warning)
    if out is not None:
        print_text(f"{out}: {rows} rows")
