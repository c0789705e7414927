"""``regzoo bench``: time regzoo and Keras on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from regzoo.cli.options import AsJson
from regzoo.cli.terminal import print_json, print_table, print_text, print_warning
from regzoo.system.streams import make_stdout_optional


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="two short cases: about two minutes instead of ten")] = False,
    case: Annotated[
        list[str] | None, typer.Option(help="measure only this case; may be repeated", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(help="the JSON file to write")] = Path("reports/bench.json"),
    as_json: AsJson = False,
) -> None:
    """Time regzoo, KerasTuner and Keras's fit on this machine.

    All train the same networks on the same rows for the same steps; the tables show seconds and ratios.
    """
    if not as_json:
        make_stdout_optional()
    from regzoo.bench.bench import list_problems, run_benchmark
    from regzoo.bench.plan import choose_cases
    from regzoo.cli.tables.bench import make_bench_tables

    report = run_benchmark(choose_cases(case or [], quick), quick, print_warning, out)
    if as_json:
        print_json(json.dumps(report, indent=2, allow_nan=False))
    else:
        print_table(make_bench_tables(report))
        print_text(f"\nJSON: {out}")
    problems = list_problems(report)
    for sentence in problems:
        print_warning(sentence)
    if problems:
        raise typer.Exit(1)
