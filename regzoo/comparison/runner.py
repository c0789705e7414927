"""Sitting: one go at a comparison, from the data to the runs; a second one goes on where the first stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regzoo.comparison.plan import interim_analyses, make_plan, make_setup, placebo_names
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import LiveProgress, SilentProgress
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.core import InputError, Recipe
from regzoo.core.parsing import read_backbone
from regzoo.data.catalog import READ_BY_KERAS, fold_key
from regzoo.data.dataset import Dataset
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_folds
from regzoo.data.sources import load_dataset
from regzoo.execution.process_pool import ProcessPool
from regzoo.execution.serial import SerialExecutor
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.result import write_outputs
from regzoo.storage.folder import archive_existing, lock_folder, require_unlocked, write_config
from regzoo.storage.ledger import Ledger
from regzoo.training.setup import TrainingSetup

VERSIONS = ("regzoo", "tensorflow", "keras", "keras-tuner", "numpy", "scikit-learn")


def make_progress(verbose: bool) -> contextlib.AbstractContextManager[LiveProgress | SilentProgress]:
    """Progress on stderr, or none."""
    from rich.console import Console

    return LiveProgress(Console(stderr=True)) if verbose else SilentProgress()


def read_data(experiment: Experiment) -> PreparedData:
    """Load, split and prepare the data that ``experiment`` names."""
    if experiment.data.keras in READ_BY_KERAS:
        import_tensorflow()
    return prepare_dataset(experiment, load_dataset(experiment.data, experiment.task))


def prepare_dataset(experiment: Experiment, dataset: Dataset) -> PreparedData:
    """Split and prepare ``dataset`` as ``experiment`` asks; with folds, once for each replicate."""
    count = interim_analyses(experiment)[0]
    prepared = prepare_folds(dataset, experiment.split, experiment.seed, experiment.task, count)
    prepared.arrays(experiment.training.class_weight)  # refuses weights of classes that there are not
    return prepared


def run_comparison(
    experiment: Experiment,
    read: Callable[[], PreparedData],
    folder: Path,
    *,
    workers: int | None,
    fresh: bool,
    progress: LiveProgress | SilentProgress,
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
    require_unlocked(folder)
    with make_executor(workers, experiment.run_limit) as executor:
        prepared = read()
        setup = make_setup(experiment, prepared)
        data = prepared.arrays(experiment.training.class_weight)
        executor.open(setup, data)
        check_models(experiment, setup)
        plan = make_plan(experiment, prepared, setup)
        if fresh:
            archive_existing(folder)
        with lock_folder(folder):
            with Ledger(folder, create=True) as ledger:
                _refuse_other_data(ledger, setup)
                write_config(folder, experiment, ledger.trained_config())
                _note(ledger, experiment, prepared, setup, command, sweep)
                progress.planned(plan)
                make_runs(plan, executor, ledger, progress)
                facts = ledger.get_info("study")
                ledger.set_info("study", {**facts, "seconds": (facts["seconds"] or 0.0) + time.monotonic() - began})
            if outputs:
                progress.phase("writing the report, verifying the winner's model")
                write_outputs(folder)


def make_executor(workers: int | None, limit: float) -> ProcessPool | SerialExecutor:
    """Where runs are made: ``workers`` processes, or this process if 0; ``limit`` is for one run, in seconds.

    Raises:
        InputError: if ``workers`` is negative.
    """
    if workers is not None and workers < 0:
        raise InputError(f"workers must be 0 or more, received {workers}")
    return SerialExecutor() if workers == 0 else ProcessPool(workers, limit)


def check_models(experiment: Experiment, setup: TrainingSetup) -> None:
    """Assemble every recipe once, untrained, so that one that finds no place to act is refused now.

    Raises:
        InputError: with every such recipe.
    """
    import_tensorflow()
    from regzoo.training.model.build import build_model

    problems = []
    for name, recipe in zip(experiment.recipes, experiment.built_recipes(), strict=True):
        try:
            build_model(setup.backbone, _with_numbers(recipe), setup.task, setup.input_shape)
        except InputError as error:
            problems.append(f"recipes: {name}: {error}")
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))


def _with_numbers(recipe: Recipe) -> Recipe:
    """The recipe with the first number of each range."""
    return recipe.fixed({field: where.values()[0] for field, (where, _) in recipe.space().items()})


def _refuse_other_data(ledger: Ledger, setup: TrainingSetup) -> None:
    held = ledger.get_info("shared")
    if held is not None and held["data"].split()[0] != setup.data.split()[0]:
        raise InputError("the data has changed since this comparison began: choose another --out, or use --fresh")


def _note(
    ledger: Ledger,
    experiment: Experiment,
    prepared: PreparedData,
    setup: TrainingSetup,
    command: str,
    sweep: Sweep | None,
) -> None:
    before = ledger.get_info("study") or {}
    backbone = read_backbone(experiment.backbone)
    ledger.set_info("shared", setup.to_json())
    ledger.set_info("names", [*experiment.recipes, *placebo_names(experiment)])
    for number, cut in enumerate((prepared, *prepared.folds)):
        _note_cut(ledger, number, cut)
    ledger.set_info(
        "study",
        {
            "name": experiment.name,
            "rank_by": setup.rank_by,
            "direction": setup.task.objective(setup.rank_by).direction,
            "data": prepared.facts,
            "config": experiment.to_yaml(),
            "model": _model(experiment),
            "versions": {name: version(name) for name in VERSIONS},
            "seconds": before.get("seconds"),
            "command": command,
            "trials": experiment.search.trials,
            "tuner": experiment.search.tuner,
            "replicates": interim_analyses(experiment)[0],
            "looks": interim_analyses(experiment),
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


def _note_cut(ledger: Ledger, number: int, cut: PreparedData) -> None:
    """Keep what a model that was trained in this cut is exported with."""
    ledger.set_info(fold_key("preparation", number), cut.preprocessor.to_json())
    ledger.set_info(fold_key("held_out", number), cut.held_out[0].tolist())
    if number:
        ledger.set_info(fold_key("data", number), cut.facts)
