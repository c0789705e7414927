"""The Python face: build, compare, check and read comparisons. The command line calls the same functions."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo import config as configs
from regzoo.comparison import leaderboard
from regzoo.comparison.compare import make_runs
from regzoo.comparison.folder import CONFIG, Scratch, claimed, keep_config, refuse_busy, set_aside
from regzoo.comparison.ledger import FILE as LEDGER
from regzoo.comparison.ledger import Ledger
from regzoo.comparison.plan import Plan, looks_of, make_plan, placebos, study_of
from regzoo.comparison.progress import Screen, Silent
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.data.catalog import ARRAYS, READ_BY_KERAS, in_cut
from regzoo.data.dataset import Dataset
from regzoo.data.prepare import Prepared, prepare_cuts
from regzoo.data.sources import from_python, load
from regzoo.language import AfterTraining, Backbone, InputError, Recipe, Regularizer, Schedule, parse
from regzoo.language.fields import Strength
from regzoo.report import page
from regzoo.report.compare_runs import Side
from regzoo.report.sweep import response_of, verdict_of
from regzoo.training.in_process import InProcess
from regzoo.training.quiet import import_tensorflow
from regzoo.training.record import Record
from regzoo.training.study import Study
from regzoo.training.task import task_for
from regzoo.training.workers import Workers
from regzoo.training.xla import measured_faster

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from regzoo.export.refit import Material
    from regzoo.training.model import RegularizedModel

MODEL = "model"
XLA = "xla"
"""Where the ledger keeps what was measured about XLA."""

VERSIONS = ("regzoo", "tensorflow", "keras", "keras-tuner", "numpy", "scikit-learn")


def build(
    backbone: Backbone | str,
    recipe: Recipe | Regularizer | str = "none",
    input_shape: Sequence[int] = (),
    classes: int | None = None,
    outputs: int | None = None,
    *,
    labels: int | None = None,
    task: str | None = None,
    optimizer: Any = "adam",
    seed: int = 0,
) -> RegularizedModel:
    """Return an ordinary compiled Keras model with the recipe built in.

    Args:
        backbone: such as ``"mlp(widths=[64, 64])"``.
        recipe: such as ``"dropout(0.5) + l2(1e-4)"``, with a number or a schedule for every strength.
        input_shape: of one example: (features,) or (height, width, channels).
        classes: for classification of whole-number labels, how many classes.
        outputs: for regression, how many numbers.
        labels: for several labels at once, each true or false (y of shape (rows, labels)), how many.
        task: ``"reconstruction"`` for an autoencoder: no classes, no outputs; train it with ``fit(x, x)``.
        optimizer: as Keras takes it.
        seed: of initial weights and every random stream of the recipe.

    Raises:
        InputError: if a name or value is wrong, a strength is left to a search, a regularizer finds no place to
            act, or it acts after training (an ensemble is several models: use `compare`).

    Example:
        model = regzoo.build("mlp(widths=[64, 64])", "dropout(0.5) + l2(1e-4)", input_shape=(18,), classes=4)
        model.fit(x, y, epochs=20, validation_data=(xv, yv))
    """
    recipe = Recipe.of(recipe)
    asked = task_for(classes, outputs, labels, task, tuple(input_shape))
    for part in recipe:
        if isinstance(part, AfterTraining):
            raise InputError(f"{part.name} acts on trained models, so one model cannot hold it: use regzoo.compare")
    import_tensorflow()
    from regzoo.training.assemble import assemble

    model = assemble(backbone, recipe, asked, tuple(input_shape), seed)
    model.compile(optimizer=optimizer)
    return model


def compare(
    x: Any = None,
    y: Any = None,
    *,
    groups: Any = None,
    sample_weight: Any = None,
    time: Any = None,
    part: Any = None,
    out: str | Path | None = None,
    workers: int | None = None,
    fresh: bool = False,
    verbose: bool = False,
    **keywords: Any,
) -> Result:
    """Compare recipes on ``x`` and ``y`` and return the result.

    Args:
        x: inputs: lists, an array (rows, features) or (rows, height, width[, channels]), or a DataFrame; or a
            tf.data.Dataset of (x, y), which is read once, to its end.
        y: targets: class labels of any kind, or numbers; left out for ``task="reconstruction"``. Neither is changed.
        groups: (n,) the group of each row, such as a patient; no group is in two parts.
        sample_weight: (n,) how much each row counts, above 0.
        time: (n,) numbers or dates; earlier rows train, later ones validate and test.
        part: (n,) ``train``, ``validation``, ``test``, or None where the split may choose.
        out: the comparison's own folder; by default a temporary one that lives as long as the result.
        workers: processes; by default one per core. 0 makes the runs in this process, one after the other.
        fresh: begin anew; a comparison in ``out`` is moved aside.
        verbose: show progress.
        **keywords: every key of the config, of the same shape: backbone, recipes, task, split, training, search,
            replicates, rank_by, seed, name; or data= in place of x and y.

    Raises:
        InputError: with every problem at once, before anything is trained or written.

    Example:
        result = regzoo.compare(x, y, backbone="mlp", recipes=["none", "dropout", "l2"], replicates=5)
        print(result.leaderboard)
    """
    roles = {"groups": groups, "sample_weight": sample_weight, "time": time, "part": part}
    experiment, read = asked(x, y, roles, keywords)
    folder, keep = folder_for(experiment, out)
    command = "regzoo.compare(...)"
    with quiet_or_screen(verbose) as progress:
        run(experiment, read, folder, workers=workers, fresh=fresh, progress=progress, command=command)
    return Result(folder, keep)


def asked(x: Any, y: Any, roles: dict[str, Any], keywords: dict[str, Any]) -> tuple[Experiment, Callable[[], Prepared]]:
    """The experiment that `compare`'s arguments describe, and what reads its data.

    Raises:
        InputError: with every problem at once.
    """
    if (x is None) != ("data" in keywords) or (x is None and y is not None):
        raise InputError('give x and y (x alone for task="reconstruction"), or data= as in a config')
    experiment = configs.from_keywords(**keywords)
    given = {key: values for key, values in roles.items() if values is not None}
    if x is None and given:
        raise InputError(f"{next(iter(given))}: goes with x and y; with data=, name the column or array in it")

    def read() -> Prepared:
        if x is None:
            return read_data(experiment)
        return prepared_for(experiment, from_python(x, y, given, experiment.task))

    return experiment, read


def folder_for(experiment: Experiment, out: str | Path | None) -> tuple[Path, Scratch | None]:
    """``out``, or a folder of its own that goes when nobody holds the second any more."""
    if out is not None:
        return Path(out), None
    keep = Scratch()
    return keep.path / experiment.name, keep


def quiet_or_screen(verbose: bool) -> contextlib.AbstractContextManager[Screen | Silent]:
    """Progress on stderr, or none."""
    from rich.console import Console

    return Screen(Console(stderr=True)) if verbose else Silent()


def read_data(experiment: Experiment) -> Prepared:
    """Load, split and prepare the data that ``experiment`` names."""
    if experiment.data.keras in READ_BY_KERAS:
        import_tensorflow()
    return prepared_for(experiment, load(experiment.data, experiment.task))


def prepared_for(experiment: Experiment, dataset: Dataset) -> Prepared:
    """Split and prepare ``dataset`` as ``experiment`` asks; with folds, once for each replicate."""
    count = looks_of(experiment)[0]
    prepared = prepare_cuts(dataset, experiment.split, experiment.seed, experiment.task, count)
    prepared.parts(experiment.training.class_weight)  # refuses weights of classes that there are not
    return prepared


def run(
    experiment: Experiment,
    read: Callable[[], Prepared],
    folder: Path,
    *,
    workers: int | None,
    fresh: bool,
    progress: Screen | Silent,
    command: str,
    outputs: bool = True,
    sweep: Sweep | None = None,
) -> None:
    """Make every run that ``folder`` does not hold yet; then, for ``outputs``, write report and the winner's model.

    Args:
        experiment: what to compare.
        read: gives the data; called when the workers are on their way.
        folder: the comparison's own.
        workers: how many; None for one per core, 0 for this process.
        fresh: move a comparison that is there aside.
        progress: is told.
        command: what the report says the comparison was made with.
        outputs: whether leaderboard, report and model are written.
        sweep: what ``experiment`` sweeps; the report then shows the response to it.

    Raises:
        InputError: if config, data or folder cannot be used; nothing is written then.
        EnvironmentFailure: if the folder is in use, the disk is full, or workers cannot start.
    """
    began = time.monotonic()
    refuse_busy(folder)
    with executor(workers, experiment.run_limit) as hall:
        prepared = read()
        study = study_of(experiment, prepared)
        data = prepared.parts(experiment.training.class_weight)
        study, decision = compiled(experiment, study, data, folder)
        hall.open(study, data)
        check_models(experiment, study)
        plan = make_plan(experiment, prepared, study)
        if fresh:
            set_aside(folder)
        with claimed(folder):
            with Ledger(folder, create=True) as ledger:
                _refuse_other_data(ledger, study)
                keep_config(folder, experiment)
                _note(ledger, experiment, prepared, study, command, sweep)
                ledger.note(XLA, decision)
                progress.planned(plan)
                make_runs(plan, hall, ledger, progress)
                facts = ledger.noted("study")
                ledger.note("study", {**facts, "seconds": (facts["seconds"] or 0.0) + time.monotonic() - began})
            if outputs:
                progress.phase("writing the report, verifying the winner's model")
                write_outputs(folder)


def executor(workers: int | None, limit: float) -> Workers | InProcess:
    """Where runs are made: ``workers`` processes, or this process if 0; ``limit`` is for one run, in seconds.

    Raises:
        InputError: if ``workers`` is negative.
    """
    if workers is not None and workers < 0:
        raise InputError(f"workers must be 0 or more, received {workers}")
    return InProcess() if workers == 0 else Workers(workers, limit)


def compiled(
    experiment: Experiment, study: Study, data: dict[str, Any], folder: Path
) -> tuple[Study, dict[str, Any] | None]:
    """Say in the study whether XLA compiles the steps; return also what was measured, if it was to be.

    It is measured once for a comparison: one that is resumed goes on as it began.
    """
    wanted = experiment.training.jit_compile
    if wanted != "auto":
        return dataclasses.replace(study, jit_compile=wanted), None
    noted: dict[str, Any] | None = None
    if (folder / LEDGER).is_file():
        with Ledger(folder) as ledger:
            noted = ledger.noted(XLA)
    if noted is None:
        recipes = [str(_in_the_middle(recipe)) for recipe in experiment.built_recipes()]
        noted = dataclasses.asdict(measured_faster(study, data, recipes))
    return dataclasses.replace(study, jit_compile=noted["jit_compile"]), noted


def check_models(experiment: Experiment, study: Study) -> None:
    """Assemble every recipe once, untrained, so that one that finds no place to act is refused now.

    Raises:
        InputError: with every such recipe.
    """
    import_tensorflow()
    from regzoo.training.assemble import assemble

    problems = []
    for name, recipe in zip(experiment.recipes, experiment.built_recipes(), strict=True):
        try:
            assemble(study.backbone, _in_the_middle(recipe), study.task, study.input_shape)
        except InputError as error:
            problems.append(f"recipes: {name}: {error}")
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))


def _in_the_middle(recipe: Recipe) -> Recipe:
    """The recipe with numbers from within its ranges."""
    return recipe.fixed({field: _somewhere(where) for field, (where, _) in recipe.space().items()})


def _somewhere(strength: Strength) -> float:
    if isinstance(strength, Schedule | float | int):
        raise TypeError(strength)
    return strength.values()[0]


def _refuse_other_data(ledger: Ledger, study: Study) -> None:
    held = ledger.noted("shared")
    if held is not None and held["data"].split()[0] != study.data.split()[0]:
        raise InputError("the data has changed since this comparison began: choose another --out, or use --fresh")


def _note(
    ledger: Ledger, experiment: Experiment, prepared: Prepared, study: Study, command: str, sweep: Sweep | None
) -> None:
    before = ledger.noted("study") or {}
    ledger.note("shared", dataclasses.asdict(study))
    ledger.note("names", [*experiment.recipes, *placebos(experiment)])
    for number, cut in enumerate((prepared, *prepared.cuts)):
        _note_cut(ledger, number, cut)
    ledger.note(
        "study",
        {
            "name": experiment.name,
            "rank_by": study.rank_by,
            "direction": study.task.objective(study.rank_by).direction,
            "data": prepared.facts,
            "config": experiment.to_yaml(),
            "versions": {name: version(name) for name in VERSIONS},
            "seconds": before.get("seconds"),
            "command": command,
            "trials": experiment.search.trials,
            "tuner": experiment.search.tuner,
            "replicates": looks_of(experiment)[0],
            "looks": looks_of(experiment),
            "rope": experiment.rope,
            "budget": experiment.budget,
            "pruner": experiment.search.pruner,
            "class_weight": experiment.training.class_weight,
            "folds": experiment.split.folds,
            "test_train_ratio": prepared.test_train_ratio,
            "notes": [note for recipe in experiment.built_recipes() for note in recipe.clashes()],
            "sweep": before.get("sweep") if sweep is None else sweep.to_dict(),
        },
    )


def _note_cut(ledger: Ledger, number: int, cut: Prepared) -> None:
    """Keep what a model that was trained in this cut is exported with."""
    ledger.note(in_cut("preparation", number), cut.preparation.to_json())
    ledger.note(in_cut("held_out", number), cut.held_out[0].tolist())
    if number:
        ledger.note(in_cut("data", number), cut.facts)


def read_board(ledger: Ledger, records: list[Record]) -> leaderboard.Leaderboard:
    """The leaderboard as far as the ledger reaches.

    Raises:
        InputError: if the comparison has begun this very moment.
    """
    facts = ledger.noted("study")
    if facts is None:
        raise InputError("the comparison has only just begun: there is nothing to show yet")
    return leaderboard.of(
        records,
        facts["rank_by"],
        facts["direction"],
        ledger.noted("names"),
        rope=facts.get("rope"),
        test_train_ratio=facts.get("test_train_ratio"),
        looks=len(facts.get("looks", (1,))),
    )


def write_report(folder: Path, ledger: Ledger) -> None:
    """Write ``leaderboard.csv``, ``report.html``, ``report.md`` and the figures; of a sweep ``sweep.json`` too."""
    records, study = ledger.records(), ledger.noted("study")
    board = read_board(ledger, records)
    _replace(folder / "leaderboard.csv", board.to_csv())
    found = response_of(records, study)
    if found is not None:
        _replace(folder / "sweep.json", json.dumps(found.to_dict(), indent=2, allow_nan=False, ensure_ascii=False))
    page.write(folder, board.to_dict(), records, study)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_outputs(folder: Path) -> None:
    """Write everything that follows from the ledger: leaderboard, report and the winner's SavedModel."""
    with Ledger(folder) as ledger:
        write_report(folder, ledger)
        board = read_board(ledger, ledger.records())
        if board.winner is not None:
            from regzoo.export.export import export

            export(ledger, board, folder / MODEL)


@dataclass(frozen=True)
class Result:
    """A comparison, read from its folder.

    Args:
        folder: what `compare` or ``regzoo compare`` wrote.
    """

    folder: Path
    _keep: Any = None

    @property
    def board(self) -> leaderboard.Leaderboard:
        """The leaderboard, as far as the comparison has come."""
        with Ledger(self.folder) as ledger:
            return read_board(ledger, ledger.records())

    @property
    def leaderboard(self) -> pd.DataFrame:
        """One row a recipe, best first."""
        return self.board.to_frame()

    @property
    def verdict(self) -> str:
        """What it comes to, in one sentence."""
        with Ledger(self.folder) as ledger:
            records, study = ledger.records(), ledger.noted("study")
            return verdict_of(read_board(ledger, records).to_dict(), records, study).headline.replace("`", "")

    @property
    def side(self) -> Side:
        """What `regzoo.report.compare_runs` sets beside another comparison."""
        with Ledger(self.folder) as ledger:
            board = read_board(ledger, ledger.records())
            return Side(str(self.folder), board.to_dict(), ledger.noted("study"))

    @property
    def records(self) -> list[Record]:
        """Every trial and replicate."""
        with Ledger(self.folder) as ledger:
            return ledger.records()

    @property
    def best(self) -> Recipe:
        """The winning recipe, with numbers.

        Raises:
            InputError: if no replicate has finished.
        """
        winner = self.board.winner
        if winner is None:
            raise InputError("no recipe has a finished replicate yet")
        return parse(winner)

    @property
    def model(self) -> keras.Model:
        """The winner's best replicate, for inputs standardized by its own rule; `export` gives a model for raw ones."""
        import_tensorflow()
        from regzoo.export.export import study_from
        from regzoo.training.run import finished

        with Ledger(self.folder) as ledger:
            record, weights = ledger.weights(self.board.recipes[0].name)
            return finished(study_from(ledger, record.run.fold), parse(record.run.recipe), weights)

    def write_report(self) -> None:
        """Write leaderboard, report and figures anew, into the folder."""
        with Ledger(self.folder) as ledger:
            write_report(self.folder, ledger)

    def report(self, path: str | Path) -> Path:
        """Write the report, one offline HTML file, to ``path``."""
        self.write_report()
        made, path = self.folder / "report.html", Path(path)
        return path if path.exists() and path.samefile(made) else Path(shutil.copyfile(made, path))

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
            path: it may exist if it holds an older export.
            recipe: as the leaderboard writes it.
            format: ``saved_model``; ``onnx`` (`pip install 'regzoo[onnx]'`); ``litert`` (``regzoo[litert]``).
            refit: train the recipe on train plus validation, for the epochs that its replicates needed. That needs the
                data again: the config of the comparison says where it is, unless it was handed over in Python.
            x: these very inputs, for ``refit``.
            y: these very targets; so with ``groups``, ``sample_weight``, ``time`` and ``part``.

        Raises:
            InputError: if there is no such recipe or format, the model cannot be written in it, ``path`` holds
                something else, or the data is not that of the comparison.
        """
        from regzoo.export.formats import format_of

        format_of(format)
        roles = {"groups": groups, "sample_weight": sample_weight, "time": time, "part": part}
        given = {key: values for key, values in roles.items() if values is not None}
        if not refit and (x is not None or y is not None or given):
            raise InputError("x and y are for refit=True: an export as it is needs no data")
        import_tensorflow()
        from regzoo.export.export import export

        with Ledger(self.folder) as ledger:
            material = self._material(x, y, given) if refit else None
            return export(ledger, read_board(ledger, ledger.records()), Path(path), recipe, format, material)

    def _material(self, x: Any, y: Any, roles: dict[str, Any]) -> Material:
        """The data of the comparison: ``x`` and ``y``, or what its config names."""
        from regzoo.export.refit import Material

        experiment = configs.load(self.folder / CONFIG)
        if x is not None:
            return Material(from_python(x, y, roles, experiment.task), experiment)
        if experiment.data.source == ARRAYS:
            raise InputError("refit: this data was handed over in Python: call export(..., refit=True, x=x, y=y)")
        return Material(load(experiment.data, experiment.task), experiment)


__all__ = ["LEDGER", "Plan", "Result", "build", "compare"]
