"""Sweeps from Python and for the command line: a comparison of one strength's values, and what it comes to."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo import api
from regzoo import config as configs
from regzoo.comparison import runner as sitting
from regzoo.comparison.strength_response import Response
from regzoo.comparison.sweep import make_sweep, read_values
from regzoo.core import InputError, Recipe, parse
from regzoo.report.findings.sweep import response_of
from regzoo.result import Result
from regzoo.storage.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SweepResult(Result):
    """A sweep, read from its folder; all that a comparison's `Result` tells, and the response to the strength."""

    @property
    def response(self) -> Response:
        """The scores at every value, the best one, its 95 % set, the flat region.

        Raises:
            InputError: if the folder holds a comparison that is no sweep.
        """
        with Ledger(self.folder) as ledger:
            found = response_of(ledger.records(), ledger.get_info("study"))
        if found is None:
            raise InputError(f"{self.folder} holds a comparison that is no sweep; regzoo sweep makes one")
        return found

    @property
    def table(self) -> pd.DataFrame:
        """One row for each value, or combination of two, in order: mean, sd, low, high, ..., best, flat, knee."""
        return self.response.to_frame()

    @property
    def best(self) -> Recipe:
        """The recipe at the best value, such as ``dropout(0.3)``.

        Raises:
            InputError: if no replicate has finished.
        """
        best = self.response.best
        if best is None:
            raise InputError("no value has a finished replicate yet; run the sweep again, it goes on")
        recipe = next(row.recipe for row in self.board.recipes if row.name == best.name)
        return parse(recipe)

    def figure(self, path: str | Path) -> Path:
        """Write the response as a picture, ``.svg``, ``.png`` or ``.pdf``; return the path."""
        from regzoo.report.figures import figures
        from regzoo.report.figures._style import save

        board = self.board.to_dict()
        with Ledger(self.folder) as ledger:
            records, comparison = ledger.records(), ledger.get_info("study")
        for name in ("sweep", "sweep_grid"):
            file = figures()[name]
            info = file.info(board, records, comparison)
            if info.fits and info.missing:
                raise InputError(info.missing)
            if info.fits:
                save(file.draw(info), Path(path), name, file.TITLE, info.alternative)
        return Path(path)


def sweep(
    x: Any = None,
    y: Any = None,
    *,
    over: str | Sequence[str],
    values: Sequence[Any] | None = None,
    groups: Any = None,
    sample_weight: Any = None,
    time: Any = None,
    part: Any = None,
    out: str | Path | None = None,
    workers: int | None = None,
    fresh: bool = False,
    verbose: bool = False,
    **keywords: Any,
) -> SweepResult:
    """Measure how the score answers to a strength, or to two.

    Args:
        x: inputs, as for `compare`.
        y: targets, as for `compare`.
        over: what is swept: ``"dropout.rate"``, or two such names for a grid. It is taken in the first of
            ``recipes`` that holds it, else alone.
        values: its numbers; two lists for two. By default 9 (5 each for two) over the strength's usual range.
        groups: as for `compare`, like all that follow.
        sample_weight: as for `compare`.
        time: as for `compare`.
        part: as for `compare`.
        out: the sweep's own folder; by default a temporary one that lives as long as the result.
        workers: processes; by default one per core. 0 makes the runs in this process, one after the other.
        fresh: begin anew; a sweep in ``out`` is moved aside.
        verbose: show progress.
        **keywords: every key of the config; ``recipes`` may be left out.

    Raises:
        InputError: with the strength or value that is wrong, and what is allowed.

    Example:
        result = regzoo.sweep(x, y, over="dropout.rate", values=[0, 0.2, 0.4], backbone="mlp", replicates=5)
        print(result.table, result.best)
    """
    roles = {"groups": groups, "sample_weight": sample_weight, "time": time, "part": part}
    names = [over] if isinstance(over, str) else list(over)
    lists = [] if values is None else [values] if isinstance(over, str) else list(values)
    asked, read = api.asked(x, y, roles, {"recipes": ["none"], **keywords})
    experiment, what = make_sweep(asked, names, lists)
    folder, keep = api.folder_for(experiment, out)
    command = "regzoo.sweep(...)"
    with sitting.make_progress(verbose) as progress:
        sitting.run_comparison(
            experiment, read, folder, workers=workers, fresh=fresh, progress=progress, command=command, sweep=what
        )
    return SweepResult(folder, keep)


def sweep_config(
    config: Path,
    over: Sequence[str],
    values: Sequence[str],
    out: Path | None,
    *,
    workers: int | None,
    fresh: bool,
    verbose: bool,
) -> SweepResult:
    """Sweep ``over`` in the experiment of a config file; ``values`` are lists as they are typed, ``0,0.1,0.2``.

    Raises:
        InputError: as `sweep`.
    """
    experiment, what = make_sweep(configs.load_config(config), over, [read_values(text) for text in values])
    folder = out or Path("reports") / experiment.name
    words = ["regzoo", "sweep", str(config), *(w for name in over for w in ("--over", name))]
    command = shlex.join([*words, *(w for text in values for w in ("--values", text))])
    with sitting.make_progress(verbose) as progress:
        sitting.run_comparison(
            experiment,
            lambda: sitting.read_data(experiment),
            folder,
            workers=workers,
            fresh=fresh,
            progress=progress,
            command=command,
            sweep=what,
        )
    return SweepResult(folder)


__all__ = ["SweepResult", "sweep", "sweep_config"]
