"""Refit: train a chosen recipe once more, on train plus validation, for the epochs that its replicates needed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from regzoo.comparison.plan import make_setup
from regzoo.config import Experiment
from regzoo.core import InputError, Recipe
from regzoo.data.dataset import Dataset
from regzoo.data.preprocess import count_held_out, prepare_fold
from regzoo.data.preprocessor import fit_preprocessor
from regzoo.export.candidate import Candidate, RefitInfo
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup

STOPS = "early_stopping"
"""What needs a validation part while it trains. Instead, its epochs are learned from the replicates."""


@dataclass(frozen=True, eq=False)
class RefitData:
    """What a refit is made from: the comparison's data, and its config, which says how it was split."""

    dataset: Dataset
    experiment: Experiment


def refit_recipe(best: Record, replicates: Sequence[Record], setup: TrainingSetup, material: RefitData) -> Candidate:
    """Train the recipe of ``best``, with its seed, on the training and the validation part of ``material``.

    With folds these are all rows that do not test. Preprocessing is fitted anew on these rows. The test part is read
    once, when the training is over.

    Args:
        best: the recipe's best replicate: its numbers, seed and learning rate are used.
        replicates: all of the recipe; the finished ones say for how many epochs.
        setup: of the comparison.
        material: its data.

    Raises:
        InputError: if the data is not that of the comparison, or the training diverges.
    """
    experiment, dataset = material.experiment, material.dataset
    last = experiment.split.folds - 1  # in the order of time, the fold whose two parts are all that does not test
    prepared = prepare_fold(dataset, experiment.split, experiment.seed, experiment.task, last)
    if make_setup(experiment, prepared).data != setup.data:
        raise InputError("refit: this is not the data of the comparison: give the same rows in the same order")
    split, task = prepared.split, prepared.preprocessor.task
    rows = np.concatenate([split.train, split.validation])
    preprocessor, repairs = fit_preprocessor(dataset, rows, task)
    asked = replace(make_setup(experiment, replace(prepared, preprocessor=preprocessor)), jit_compile=setup.jit_compile)
    recipe = best.run.recipe
    epochs, learned = choose_epochs(recipe, replicates)
    without = Recipe(tuple(part for part in recipe if part.name != STOPS))
    run = replace(best.run, recipe_text=str(without), epochs=epochs, setup=asked.digest, fold=0)
    x = preprocessor.transform(dataset.x)
    y = x if dataset.y is None or task == "reconstruction" else preprocessor.encode_targets(dataset.y)
    whole = replace(
        prepared,
        train=(x[rows], y[rows]),
        validation=(x[split.validation], y[split.validation]),  # a program measures some
        test=(x[split.test], y[split.test]),
        preprocessor=preprocessor,
        weights=None if dataset.weight is None else {"train": dataset.weight[rows]},
    )
    record, weights = execute_run(run, Trainer(asked, whole.arrays(experiment.training.class_weight)))
    if record.status != "ok":
        raise InputError(f"refit: {without} ended as {record.status} ({record.error}); export it without --refit")
    notes = (*dataset.notes, *repairs)
    noted = RefitInfo(len(rows), epochs, learned, without != recipe, bool(experiment.split.label_noise), notes)
    return Candidate(
        record=replace(record, metrics={part: record.metrics[part] for part in ("train", "test")}, history={}),
        weights=weights,
        setup=asked,
        preprocessor=preprocessor,
        raw=preprocessor.select_columns(dataset.x)[split.test[: count_held_out(preprocessor.input_shape)]],
        refit=noted,
    )


def choose_epochs(recipe: Recipe, replicates: Sequence[Record]) -> tuple[int, tuple[int, ...]]:
    """How many epochs to train ``recipe`` for, and what each finished replicate said.

    Recipes that stop early keep the weights of their best epoch: the median of these, rounded down. All others keep
    what they had at the end: the epochs they trained.
    """
    stops = any(part.name == STOPS for part in recipe)
    done = [record for record in replicates if record.status == "ok"]
    said = tuple(record.best_epoch if stops else record.epochs for record in done)
    return max(1, int(statistics.median(said))), said
