"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(help="a config file such as configs/quickstart.yaml", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="a comparison's folder such as reports/digits", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
AsCsv = Annotated[bool, typer.Option("--csv", help="print CSV")]
Workers = Annotated[int | None, typer.Option(min=1, help="number of processes (default: one per core)")]
Fresh = Annotated[bool, typer.Option("--fresh", help="start over; what is already there is renamed, not deleted")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="make the failed runs again")]
Quiet = Annotated[bool, typer.Option("--quiet", help="print nothing but errors")]
