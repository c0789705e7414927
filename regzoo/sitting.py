"""Sitting: one go at a comparison, from the data to the runs; a second one goes on where the first stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regzoo.comparison.compare import make_runs
from regzoo.comparison.folder import claimed, keep_config, refuse_busy, set_aside
from regzoo.comparison.ledger import FILE as LEDGER
from regzoo.comparison.ledger import Ledger
from regzoo.comparison.plan import looks_of, make_plan, placebos, study_of
from regzoo.comparison.progress import Screen, Silent
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.data.catalog import READ_BY_KERAS, in_cut
from regzoo.data.dataset import Dataset
from regzoo.data.prepare import Prepared, prepare_cuts
from regzoo.data.sources import load
from regzoo.language import InputError, Recipe
from regzoo.language.registry import read_backbone
from regzoo.result import write_outputs
from regzoo.training.in_process import InProcess
from regzoo.training.quiet import import_tensorflow
from regzoo.training.study import Study
from regzoo.training.workers import Workers
from regzoo.training.xla import measured_faster

XLA = "xla"
"""Where the ledger keeps what was measured about XLA."""

VERSIONS = ("regzoo", "tensorflow", "keras", "keras-tuner", "numpy", "scikit-learn")


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
        study, decision = compiled(experiment, study, data, None if fresh else folder)
        hall.open(study, data)
        check_models(experiment, study)
        plan = make_plan(experiment, prepared, study)
        if fresh:
            set_aside(folder)
        with claimed(folder):
            with Ledger(folder, create=True) as ledger:
                _refuse_other_data(ledger, study)
                keep_config(folder, experiment, (ledger.noted("study") or {}).get("config"))
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
    experiment: Experiment, study: Study, data: dict[str, Any], folder: Path | None
) -> tuple[Study, dict[str, Any] | None]:
    """Say in the study whether XLA compiles the steps; return also what was measured, if it was to be.

    It is measured once for a comparison: one that is resumed, in ``folder``, goes on as it began.
    """
    wanted = experiment.training.jit_compile
    if wanted != "auto":
        return dataclasses.replace(study, jit_compile=wanted), None
    noted: dict[str, Any] | None = None
    if folder is not None and (folder / LEDGER).is_file():
        with Ledger(folder, create=True) as ledger:  # it may be empty: interrupted while it was made
            noted = ledger.noted(XLA)
    if noted is None:
        recipes = [str(_with_numbers(recipe)) for recipe in experiment.built_recipes()]
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
            assemble(study.backbone, _with_numbers(recipe), study.task, study.input_shape)
        except InputError as error:
            problems.append(f"recipes: {name}: {error}")
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))


def _with_numbers(recipe: Recipe) -> Recipe:
    """The recipe with the first number of each range."""
    return recipe.fixed({field: where.values()[0] for field, (where, _) in recipe.space().items()})


def _refuse_other_data(ledger: Ledger, study: Study) -> None:
    held = ledger.noted("shared")
    if held is not None and held["data"].split()[0] != study.data.split()[0]:
        raise InputError("the data has changed since this comparison began: choose another --out, or use --fresh")


def _note(
    ledger: Ledger, experiment: Experiment, prepared: Prepared, study: Study, command: str, sweep: Sweep | None
) -> None:
    before = ledger.noted("study") or {}
    backbone = read_backbone(experiment.backbone)
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
            "model": _model(experiment),
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
            "notes": [note for recipe in experiment.built_recipes() for note in recipe.clashes(backbone)],
            "sweep": before.get("sweep") if sweep is None else sweep.to_dict(),
        },
    )


def _model(experiment: Experiment) -> dict[str, Any]:
    """What is trained, on what, and how: what a paper has to say of it."""
    backbone = read_backbone(experiment.backbone)
    training, split = experiment.training, experiment.split
    return {
        "backbone": backbone.in_full(),
        "epochs": training.epochs,
        "batch_size": training.batch_size,
        "optimizer": training.optimizer,
        "learning_rate": str(training.learning_rate),
        "train_size": split.train_size,
        "label_noise": split.label_noise,
        "seed": experiment.seed,
    }


def _note_cut(ledger: Ledger, number: int, cut: Prepared) -> None:
    """Keep what a model that was trained in this cut is exported with."""
    ledger.note(in_cut("preparation", number), cut.preparation.to_json())
    ledger.note(in_cut("held_out", number), cut.held_out[0].tolist())
    if number:
        ledger.note(in_cut("data", number), cut.facts)
