"""Results of a comparison and of a sweep, read from their folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo.comparison.claims import ClaimCheck
from regzoo.comparison.leaderboard import Leaderboard, read_leaderboard
from regzoo.comparison.strength_response import StrengthResponse
from regzoo.core import InputError, Recipe, parse
from regzoo.data.catalog import ARRAYS
from regzoo.data.rows import Rows
from regzoo.data.sources import from_python, load_dataset
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.publish import check_and_write_claims, read_comparison, write_report
from regzoo.report.diff import Side
from regzoo.report.findings.sweep import read_response
from regzoo.report.findings.verdict import make_verdict
from regzoo.report.render import render_html
from regzoo.report.seal import REPORT
from regzoo.storage.config_file import load_experiment
from regzoo.storage.folder import CONFIG
from regzoo.storage.ledger import Ledger
from regzoo.system.paths import require_utf8
from regzoo.system.replace import replace_output, require_replaceable
from regzoo.training.records import Record

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from regzoo.data.inputs import InputSpec
    from regzoo.export.refit import RefitData


@dataclass(frozen=True)
class Result:
    """A comparison, finished or not, read from its folder.

    Args:
        folder: the folder that `compare` or ``regzoo compare`` wrote.
    """

    folder: Path
    _owner: Any = field(default=None, repr=False, compare=False)

    @property
    def board(self) -> Leaderboard:
        """The leaderboard as an object, as far as the comparison has come."""
        with Ledger(self.folder) as ledger:
            return read_leaderboard(ledger)

    @property
    def leaderboard(self) -> pd.DataFrame:
        """The leaderboard as a table: one row per recipe, best first."""
        return self.board.to_frame()

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        with Ledger(self.folder) as ledger:
            return make_verdict(*read_comparison(ledger)).headline.replace("`", "")

    @property
    def side(self) -> Side:
        """The comparison as `regzoo.report.diff` compares it with another."""
        with Ledger(self.folder) as ledger:
            leaderboard, _, comparison = read_comparison(ledger)
            model = (ledger.get_setup_json() or {}).get("model") or {}
        facts = {key: model[key] for key in ("name", "parameters", "digest") if key in model}
        return Side(str(self.folder), leaderboard, comparison, facts)

    @property
    def records(self) -> list[Record]:
        """The record of every trial and replicate."""
        with Ledger(self.folder) as ledger:
            return ledger.records()

    @property
    def best(self) -> Recipe:
        """The winning recipe, with a number for every strength.

        Raises:
            InputError: if no replicate has finished.
        """
        winner = self.board.winner
        if winner is None:
            raise InputError("no recipe has a finished replicate yet; run the comparison again to continue it")
        return parse(winner)

    @property
    def model(self) -> keras.Model:
        """The winner's best replicate as a Keras model.

        It takes inputs prepared as its training rows were; `export` writes a model that takes raw inputs.
        """
        import_tensorflow()
        from regzoo.export.candidate import load_setup
        from regzoo.training.engine.make_model import load_finished_model

        with Ledger(self.folder) as ledger:
            record, weights = ledger.load_best_replicate(self.board.recipes[0].name)
            return load_finished_model(load_setup(ledger, record.run.fold), record.run.recipe, weights)

    def write_report(self) -> None:
        """Write leaderboard, report and figures again, into the comparison's folder."""
        with Ledger(self.folder) as ledger:
            write_report(self.folder, ledger)

    def report(self, path: str | Path) -> Path:
        """Write the report, one offline HTML file, to ``path``, and nothing else; return the path.

        `write_report` writes the report and its figures into the comparison's folder.

        Raises:
            InputError: if there is anything at ``path`` but an older report that nobody changed.
        """
        require_replaceable(Path(path), REPORT)
        with Ledger(self.folder) as ledger:
            html = render_html(*read_comparison(ledger))
        replace_output(Path(path), html.encode("utf-8"), REPORT)
        return Path(path)

    def export(
        self,
        path: str | Path,
        recipe: str | None = None,
        format: str = "saved_model",
        *,
        refit: bool = False,
        x: Any = None,
        y: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
        time: Any = None,
        part: Any = None,
    ) -> Path:
        """Write a verified model of the winner, or of ``recipe``, to the folder ``path``.

        Args:
            path: the folder to write, outside the comparison's own. An unchanged older export there is renamed to
                the first free of ``path.1``, ``path.2``, ...; anything else is left alone and refused.
            recipe: a recipe as the leaderboard writes it; by default the winner.
            format: ``saved_model``, ``onnx`` (`pip install 'regzoo[onnx]'`) or ``litert`` (``regzoo[litert]``).
            refit: first train the recipe on the training and validation rows together, for as many epochs as its
                replicates needed. The rows are read as the config of the comparison says; pass them again if the
                comparison was made from Python objects.
            x: inputs of the comparison, for ``refit``.
            y: targets of the comparison, for ``refit``.
            groups: as for `compare`, for ``refit``.
            sample_weight: as for `compare`, for ``refit``.
            time: as for `compare`, for ``refit``.
            part: as for `compare`, for ``refit``.

        Raises:
            InputError: if there is no such recipe or format, the model cannot be written in it, ``path`` holds
                something else, or the data is not that of the comparison.
            BusyError: if another process is exporting to ``path``.
        """
        from regzoo.export.formats import find_format
        from regzoo.export.target import check_target

        require_utf8(path)
        find_format(format)
        rows = Rows(x, y, groups, sample_weight, time, part)
        if not refit and rows.to_keywords():
            raise InputError("x and y are for refit=True: an export without refit needs no data")
        check_target(Path(path), self.folder)  # before anything is loaded
        import_tensorflow()
        from regzoo.export.candidate import load_setup
        from regzoo.export.export import export_model

        with Ledger(self.folder) as ledger:
            data = self._load_refit_data(rows, load_setup(ledger).inputs or None) if refit else None
            return export_model(ledger, read_leaderboard(ledger), Path(path), recipe, format, data)

    def check_claims(
        self,
        searches: int = 5,
        *,
        x: Any = None,
        y: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
        time: Any = None,
        part: Any = None,
        workers: int | None = None,
        retry_failed: bool = False,
        verbose: bool = False,
    ) -> ClaimCheck:
        """Repeat the comparison with other random numbers of the search; return which of its claims hold.

        Everything else is equal: data, split, seeds of the replicates. The repetitions are comparisons of their own in
        ``claims/seed_1``, ``claims/seed_2``, ... of the folder; those that are there are not made again. ``claims.csv``
        and ``claims.md`` are written next to the ledger.

        Args:
            searches: number of repetitions; each takes as long as the comparison.
            x: inputs of the comparison, if it was made from Python objects; else its config names the data.
            y: targets of the comparison.
            groups: as for `compare`.
            sample_weight: as for `compare`.
            time: as for `compare`.
            part: as for `compare`.
            workers: as for `compare`.
            retry_failed: make the failed runs of the repetitions again.
            verbose: show progress.

        Raises:
            InputError: if the comparison is unfinished, searches nothing, or its data is missing or has changed.
            EnvironmentFailure: if the folder is in use, the disk is full, or workers cannot start.
        """
        rows = Rows(x, y, groups, sample_weight, time, part)
        command = "regzoo.Result(...).check_claims(...)"
        return check_and_write_claims(
            self.folder, rows, searches, command, workers=workers, retry_failed=retry_failed, verbose=verbose
        )

    def _load_refit_data(self, rows: Rows, inputs: tuple[InputSpec, ...] | None) -> RefitData:
        """Return the data of the comparison: ``rows``, or what its config names, for the model's ``inputs``."""
        from regzoo.export.refit import RefitData

        experiment = load_experiment(self.folder / CONFIG, self.folder)
        if rows.x is not None:
            return RefitData(from_python(rows, experiment.task, inputs, experiment.data.form), experiment)
        if experiment.data.source == ARRAYS:
            raise InputError("refit: this data was passed in Python: call export(..., refit=True, x=x, y=y)")
        return RefitData(load_dataset(experiment.data, experiment.task, inputs), experiment)


@dataclass(frozen=True)
class SweepResult(Result):
    """A sweep, read from its folder: all of `Result`, and how the score depends on the strength."""

    @property
    def response(self) -> StrengthResponse:
        """The score at every value, the best value, its 95 % set and the flat region around it.

        Raises:
            InputError: if the folder holds a comparison that is no sweep.
        """
        with Ledger(self.folder) as ledger:
            _, records, comparison = read_comparison(ledger)
        response = read_response(records, comparison)
        if response is None:
            raise InputError(f"{self.folder} holds a comparison that is no sweep; regzoo sweep makes one")
        return response

    @property
    def table(self) -> pd.DataFrame:
        """The response as a table, one row per value or pair of values: mean, sd, low, high, ..., best, flat, knee."""
        return self.response.to_frame()

    @property
    def best(self) -> Recipe:
        """The recipe at the best value, such as ``dropout(0.3)``.

        Raises:
            InputError: if no replicate has finished.
        """
        best = self.response.best
        if best is None:
            raise InputError("no value has a finished replicate yet; run the sweep again to continue it")
        recipe = next(row.recipe for row in self.board.recipes if row.name == best.name)
        return parse(recipe)

    def figure(self, path: str | Path) -> Path:
        """Draw the response into an ``.svg``, ``.png`` or ``.pdf`` file; return its path.

        Raises:
            InputError: if there is anything at ``path`` but an older figure.
        """
        from regzoo.report.figures import load_figures
        from regzoo.report.figures._output import save_figure

        with Ledger(self.folder) as ledger:
            content = read_comparison(ledger)
        for name in ("sweep", "sweep_grid"):
            module = load_figures()[name]
            info = module.info(*content)
            if info.fits and info.missing:
                raise InputError(info.missing)
            if info.fits:
                save_figure(module.draw(info), Path(path), name, module.TITLE, info.alternative)
        return Path(path)
