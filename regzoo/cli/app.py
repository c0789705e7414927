"""The command line: parse, call, print - no logic.

Exit codes: 0 done; 1 some runs failed and the rest is ranked; 2 the input is wrong; 3 the environment failed;
130 interrupted, and the same command goes on.
"""

from __future__ import annotations

import errno
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from regzoo.result import Result

app = typer.Typer(
    name="regzoo",
    help="Which regularizer, how strong, how sure - and the Keras model, ready to serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130

Config = Annotated[Path, typer.Argument(help="a config such as configs/quickstart.yaml", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="a comparison's folder such as reports/digits", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def zoo(
    name: Annotated[str | None, typer.Argument(help="one of them, for its card", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List regularizers, backbones and data sources; with NAME print its card."""
    from regzoo.cli import cards

    if as_json:
        _print(json.dumps(cards.catalogue() if name is None else cards.card(name), indent=2))
    else:
        _rich(cards.listing() if name is None else cards.card_text(name))


@app.command()
def check(config: Config) -> None:
    """Validate config and data without training; say every problem at once."""
    from regzoo import config as configs
    from regzoo.cli.cards import split_in_words
    from regzoo.comparison import runner as sitting
    from regzoo.comparison.plan import make_plan, make_setup
    from regzoo.report.formatting import task

    experiment = configs.load_config(config)
    prepared = sitting.read_data(experiment)
    sitting.check_models(experiment, make_setup(experiment, prepared))
    make_plan(experiment, prepared)  # refuses a search that cannot be made
    facts = prepared.facts
    _print(
        f"{config}: fine. {facts['source']}: {facts['rows']} rows of {facts['inputs']}, {task(facts)}; "
        f"{facts['train']} train, {facts['validation']} validation, {facts['test']} test, {split_in_words(facts)}; "
        f"{len(experiment.recipes)} recipes."
    )
    for kind in ("repairs", "warnings"):
        for sentence in facts[kind]:
            _print(f"{kind.removesuffix('s')}: {sentence}")


@app.command()
def plan(config: Config, as_json: AsJson = False) -> None:
    """Show what would be trained: runs per recipe, search space, estimated time."""
    from regzoo import config as configs
    from regzoo.cli import cards
    from regzoo.comparison import runner as sitting
    from regzoo.comparison.plan import estimate_seconds, make_plan, make_setup
    from regzoo.execution.resources import count_cores

    experiment = configs.load_config(config)
    prepared = sitting.read_data(experiment)
    sitting.check_models(experiment, make_setup(experiment, prepared))
    made = make_plan(experiment, prepared)
    described = made.to_dict() | {"seconds": round(estimate_seconds(made, prepared, count_cores()), 1)}
    if as_json:
        _print(json.dumps(described, indent=2))
    else:
        _rich(cards.plan_table(described))


@app.command()
def compare(
    config: Config,
    out: Annotated[Path | None, typer.Option(help="the comparison's folder (reports/<name> if left out)")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes (one per core if left out)")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin anew; what is there is moved aside")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing but errors")] = False,
) -> None:
    """Search, replicate and rank the recipes of CONFIG; run again after an interruption to go on."""
    from regzoo import config as configs
    from regzoo.cli.tables import leaderboard_table
    from regzoo.comparison import runner as sitting
    from regzoo.core.errors import printable
    from regzoo.result import MODEL, Result

    experiment = configs.load_config(config)
    folder = out or Path("reports") / experiment.name
    with sitting.make_progress(not quiet) as progress:
        sitting.run_comparison(
            experiment,
            lambda: sitting.read_data(experiment),
            folder,
            workers=workers,
            fresh=fresh,
            progress=progress,
            command=printable(f"regzoo compare {config}"),
        )
    result = Result(folder)
    if not quiet:
        _rich(leaderboard_table(result.board, _width()))
        _print(f"\n{result.verdict}\n")
        _print(f"Report: {folder / 'report.html'}")
        if (folder / MODEL).is_dir():
            _print(f"Model:  {folder / MODEL} (a verified SavedModel)")
    _end(result)


@app.command()
def sweep(
    config: Config,
    over: Annotated[list[str], typer.Option(help="the strength, such as dropout.rate; twice for a grid of two")],
    values: Annotated[
        list[str] | None,
        typer.Option(
            help="numbers such as 0,0.1,0.2; once for each --over (default: 9 over its range; 5 each for two)"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the sweep's folder (default: reports/NAME-dropout.rate)")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes (one per core if left out)")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin anew; what is there is moved aside")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="print nothing but errors")] = False,
) -> None:
    """Measure how the score answers to one strength, or two; run again after an interruption to go on."""
    from regzoo.report.findings import sweep as words
    from regzoo.sweeps import sweep_config

    result = sweep_config(config, over, values or [], out, workers=workers, fresh=fresh, verbose=not quiet)
    if not quiet:
        _rich(words.table(result.response))
        _print(f"\n{result.verdict}\n")
        _print(f"Report: {result.folder / 'report.html'}")
    _end(result)


@app.command()
def leaderboard(
    folder: Folder,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="print CSV")] = False,
) -> None:
    """Print the leaderboard of a finished or half-finished comparison."""
    from regzoo.cli.tables import leaderboard_table
    from regzoo.result import Result

    board = Result(folder).board
    if as_json:
        _print(board.to_json())
    elif as_csv:
        _print(board.to_csv().rstrip("\n"))
    else:
        _rich(leaderboard_table(board, _width()))


@app.command()
def failures(folder: Folder) -> None:
    """List the runs that diverged or failed, with the reason."""
    from regzoo.cli import cards
    from regzoo.result import Result

    bad = [record for record in Result(folder).records if record.status != "ok"]
    if bad:
        _rich(cards.failures_table(bad))
    else:
        _print("no run failed or diverged")


@app.command()
def report(
    folder: Folder,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="LOGDIR", help="also write every run for TensorBoard's HParams, there")
    ] = None,
) -> None:
    """Write report.html, report.md, the figures and leaderboard.csv anew from the records."""
    from regzoo.result import Result

    result = Result(folder)
    result.write_report()
    _print(f"Report: {folder / 'report.html'}")
    if tensorboard is not None:
        from regzoo.report.tensorboard import write

        count = write(tensorboard, result.board.to_dict(), result.records)
        _print(f"TensorBoard: {count} runs; look at them with: tensorboard --logdir {tensorboard}")


@app.command()
def compare_runs(
    before: Folder,
    after: Annotated[Path, typer.Argument(help="the other comparison's folder", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say what changed between two comparisons: config, data, versions, ranking."""
    from regzoo.report import diff as runs
    from regzoo.result import Result

    found = runs.compare_runs(Result(before).side, Result(after).side)
    if as_json:
        _print(json.dumps(found.to_dict(), indent=2, allow_nan=False))
    else:
        _rich(runs.text(found))


@app.command()
def export(
    folder: Folder,
    to: Annotated[Path, typer.Option(help="the folder to write", show_default=False)],
    recipe: Annotated[str | None, typer.Option(help="a recipe of the comparison (the winner if left out)")] = None,
    form: Annotated[str, typer.Option("--format", help="saved_model, onnx or litert")] = "saved_model",
    refit: Annotated[bool, typer.Option("--refit", help="train it on train plus validation first")] = False,
) -> None:
    """Write a recipe's best replicate as a model to serve, verified before it appears under its name."""
    from regzoo.result import Result

    _print(f"Model: {Result(folder).export(to, recipe, form, refit=refit)}")


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="two cases, shortened: about two minutes, not ten")] = False,
    case: Annotated[list[str] | None, typer.Option(help="only this; repeat it for more", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="the JSON file to write")] = Path("reports/bench.json"),
    as_json: AsJson = False,
) -> None:
    """Time regzoo beside KerasTuner and Keras's fit on this machine: the same work, the ratios."""
    from regzoo.bench import bench as benching
    from regzoo.bench.plan import chosen
    from regzoo.bench.table import tables

    report = benching.run(chosen(case or [], quick), quick, _warn, out)
    if as_json:
        _print(json.dumps(report, indent=2, allow_nan=False))
    else:
        _rich(tables(report))
        _print(f"\nJSON: {out}")
    wrong = benching.failed(report)
    for sentence in wrong:
        _warn(sentence)
    if wrong:
        raise typer.Exit(1)


@app.command()
def predict(
    path: Annotated[Path, typer.Argument(help="an exported model such as reports/digits/model", show_default=False)],
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="a CSV or NPZ file", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="a new CSV or .npz file (CSV on the screen if left out)")] = None,
    encoding: Annotated[str, typer.Option(help="of a CSV file")] = "utf-8-sig",
) -> None:
    """Answer every row of INPUT with an exported model."""
    from regzoo.export.predict import predict_file as answer

    rows = answer(path, source, sys.stdout if out is None else out, encoding, note=_warn)
    if out is not None:
        _print(f"{out}: {rows} rows")


def _end(result: Result) -> None:
    """Exit with 1 if a run failed."""
    if any(record.status == "failed" for record in result.records):
        _warn(f"some runs failed; see: regzoo failures {result.folder}")
        raise typer.Exit(1)


def _print(text: str) -> None:
    from regzoo.core.errors import printable

    typer.echo(printable(text))


def _warn(text: str) -> None:
    from regzoo.core.errors import printable

    typer.echo(printable(text), err=True)


def _rich(what: Any) -> None:
    from rich.console import Console

    Console(width=_width()).print(what)


def _width() -> int:
    from rich.console import Console

    console = Console()
    return console.width if console.is_terminal else 160


def main() -> None:
    """Run the command line; errors become sentences and exit codes."""
    try:
        app()
    except SystemExit as done:
        if done.code == INTERRUPTED:  # typer turns Ctrl-C into this code
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
            _warn("\nInterrupted. Nothing is lost: run the same command again and it goes on.")
        raise
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        _warn(f"{'Error' if code == 2 else 'Failed'}: {error}{_advice(error)}")
        sys.exit(code)


def _advice(error: Exception) -> str:
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return ". Nothing that was finished is lost: make room and run the same command again" if full else ""


def _code(error: Exception) -> int | None:
    """The exit code of an error that is no fault of regzoo's."""
    from regzoo.core import EnvironmentFailure, InputError

    if isinstance(error, InputError):
        return 2
    return 3 if isinstance(error, EnvironmentFailure | OSError | MemoryError) else None
