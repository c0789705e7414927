"""Prepare a data set for training: validate it, split it, fit a preprocessor, standardize; once for each fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.core.escaping import escape_control_characters
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.facts import DataFacts
from regzoo.data.feature_checks import warn_features
from regzoo.data.input_rules import require_reconstructable
from regzoo.data.inputs import InputSpec, ModelInputs, map_inputs
from regzoo.data.matching import match_inputs
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocessor import Preprocessor, Scale
from regzoo.data.preprocessor_fitting import fit_preprocessor
from regzoo.data.splitting.label_noise import flip_labels
from regzoo.data.splitting.redraw import LEAVE_OUT, require_different_splits, require_redrawable
from regzoo.data.splitting.split import Split, SplitSettings, fold_seed, split_dataset
from regzoo.data.table import Table
from regzoo.data.validate import validate_dataset, warn_constant_labels, warn_shared_rows, warn_small_parts

MAX_HELD_OUT = 64
"""Raw test rows that are kept at most to verify an exported model with."""

MIN_HELD_OUT = 8
MAX_HELD_OUT_VALUES = 1_000_000
"""Numbers that these rows may hold: the ledger keeps them as text."""


def prepare_fold(
    dataset: Dataset,
    settings: SplitSettings,
    seed: int,
    task: TaskName | None = None,
    fold: int = 0,
    repetition: int = 0,
    *,
    inputs: tuple[InputSpec, ...] | None = None,
    scale: Scale = "standardize",
) -> PreparedData:
    """Split ``dataset``, fit a `Preprocessor` on the training part and apply it to all three parts.

    Args:
        dataset: the raw data.
        settings: shares of the parts, and folds.
        seed: the experiment's seed.
        task: the task to learn; by default inferred from the targets.
        fold: which fold validates, from 0, where ``settings.folds`` is above 1.
        repetition: which division into folds, or which draw of the validation part, from 0.
        inputs: the inputs of a user's own model, empty if they are not known yet: the data then says what they are;
            None for a backbone of regzoo.
        scale: ``standardize``; or ``none`` to hand over inputs and numeric targets as they are.

    Raises:
        InputError: with everything that `validate_dataset` and `split_dataset` report and nothing can repair; if the
            targets do not fit the task, or the data the ``inputs``; if the training part has no column to learn from.
    """
    task = dataset.resolve_task(task)
    dataset, specs = match_inputs(dataset, inputs, scale)
    if task == "reconstruction":
        require_reconstructable(specs, dataset.name, dataset.form)
    y = np.zeros(len(dataset.x)) if dataset.y is None else dataset.y
    findings = validate_dataset(dataset, task)
    errors = ErrorCollector(findings.errors)
    with errors.collect():
        split = split_dataset(dataset, settings, seed, task, fold, repetition)
    errors.raise_if_any()
    rows = {"train": split.train, "validation": split.validation, "test": split.test}
    preprocessor, repairs = fit_preprocessor(dataset, split.train, task, specs or inputs, scale)
    x = preprocessor.transform(dataset.x)
    targets = x if isinstance(x, np.ndarray) and task == "reconstruction" else preprocessor.encode_targets(y)
    stream = fold_seed(settings, seed, fold, repetition)
    noisy, handicaps = _add_label_noise(targets[split.train], settings, preprocessor.classes, stream)
    repairs, left_out = split_repairs(dataset, preprocessor, repairs)
    warnings = [*left_out, *dataset.warnings, *findings.warnings, *_warn_parts(dataset, rows, task)]
    warnings += [f"{dataset.name}: {handicap}" for handicap in handicaps]
    warnings += warn_features(dataset, preprocessor, x, scaled=scale == "standardize")
    kept = split.test[: count_held_out(preprocessor.values)]
    return PreparedData(
        train=(_take(x, split.train), noisy),
        validation=(_take(x, split.validation), targets[split.validation]),
        test=(_take(x, split.test), targets[split.test]),
        preprocessor=preprocessor,
        digest=dataset.digest,
        held_out=(preprocessor.select_columns(dataset.x)[kept], y[kept]),
        split=split,
        weights=None if dataset.weight is None else {part: dataset.weight[numbers] for part, numbers in rows.items()},
        facts=_collect_facts(dataset, preprocessor, split, [*dataset.notes, *repairs], warnings, settings.label_noise),
    )


def split_repairs(
    dataset: Dataset, preprocessor: Preprocessor, repairs: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences of `fit_preprocessor` about columns that are used, and warnings of those left out."""
    kept = set(preprocessor.columns or ())
    gone = [name for name in dataset.x.columns if name not in kept] if isinstance(dataset.x, Table) else []
    beginnings = tuple(f"column {name!r}: " for name in gone)
    left_out = tuple(f"{dataset.name}: {sentence}" for sentence in repairs if sentence.startswith(beginnings))
    return tuple(sentence for sentence in repairs if not sentence.startswith(beginnings)), left_out


def _take(x: ModelInputs, rows: Array) -> ModelInputs:
    taken: ModelInputs = map_inputs(lambda values: values[rows], x)
    return taken


def prepare_folds(
    dataset: Dataset,
    settings: SplitSettings,
    seed: int,
    task: TaskName | None = None,
    count: int = 1,
    *,
    redraw: bool = False,
    inputs: tuple[InputSpec, ...] | None = None,
    scale: Scale = "standardize",
) -> PreparedData:
    """Prepare one fold for each of ``count`` replicates; a single one without folds, unless they ``redraw``.

    Fold i is fold i mod k of repetition i // k. With ``redraw`` and without folds, fold i is the i-th draw of the
    validation part from the rows outside the test part; fold 0 is the split without ``redraw``. With folds, ``redraw``
    changes nothing: they vary anyway. The test rows are the same in all folds, standardized by the preprocessor of
    each. All folds are in memory at once: each takes as much as the data. ``inputs`` and ``scale`` are as for
    `prepare_fold`.

    Raises:
        InputError: as `prepare_fold` does; if there are fewer folds than replicates in the order of time, where every
            repetition has the same folds; if nothing can be redrawn, see `regzoo.data.splitting.redraw`.
    """
    first = prepare_fold(dataset, settings, seed, task, inputs=inputs, scale=scale)
    if settings.folds == 1:
        return _redraw_folds(first, dataset, settings, seed, task, count, inputs, scale) if redraw else first
    if first.split.facts["kind"] == "time-ordered" and count > settings.folds:
        raise InputError(
            f"replicates: {count} are more than the {settings.folds} of split.folds; in the order of time every "
            f"repetition has the same folds, so set replicates to {settings.folds} at most, or raise split.folds"
        )
    places = (divmod(number, settings.folds) for number in range(1, count))
    folds = [
        prepare_fold(dataset, settings, seed, task, fold, repetition, inputs=inputs, scale=scale)
        for repetition, fold in places
    ]
    return replace(first, folds=tuple(folds))


def _redraw_folds(
    first: PreparedData,
    dataset: Dataset,
    settings: SplitSettings,
    seed: int,
    task: TaskName | None,
    count: int,
    inputs: tuple[InputSpec, ...] | None,
    scale: Scale,
) -> PreparedData:
    """Return ``first`` with ``count`` - 1 further draws of the validation part as its folds."""
    require_redrawable(dataset)
    folds = []
    for number in range(1, count):
        try:
            folds.append(prepare_fold(dataset, settings, seed, task, 0, number, inputs=inputs, scale=scale))
        except InputError as error:  # of the rows that this draw trains on: the first draw was fine
            raise InputError(f"{error} (so in the split that replicate {number} draws; or {LEAVE_OUT})") from None
    warnings = require_different_splits([fold.split.facts for fold in (first, *folds)])
    facts: DataFacts = {**first.facts, "warnings": [*first.facts["warnings"], *warnings]}
    return replace(first, folds=tuple(folds), facts=facts)


def count_held_out(values: int) -> int:
    """Return how many raw rows are kept to verify an exported model with: 64, fewer where one row has many ``values``.

    >>> count_held_out(8 * 8), count_held_out(224 * 224 * 3)
    (64, 8)
    """
    return min(MAX_HELD_OUT, max(MIN_HELD_OUT, MAX_HELD_OUT_VALUES // values))


def _warn_parts(dataset: Dataset, rows: dict[str, Array], task: TaskName) -> list[str]:
    warnings = [*warn_shared_rows(dataset, rows), *warn_small_parts(dataset, rows)]
    return [*warnings, *(warn_constant_labels(dataset, rows) if task == "multilabel" else ())]


def _add_label_noise(targets: Array, settings: SplitSettings, classes: int, seed: int) -> tuple[Array, list[str]]:
    """Return training ``targets`` (n,) with the requested label noise, and what makes the training part worse."""
    handicaps = [] if settings.train_size is None else [f"only {len(targets)} rows train, as split.train_size says"]
    if not classes or not settings.label_noise:
        return targets, handicaps
    noisy = flip_labels(targets, settings.label_noise, classes, seed)
    wrong = f"{np.count_nonzero(noisy != targets)} of {len(targets)} training labels were made wrong"
    return noisy, [*handicaps, f"{wrong}, as split.label_noise says"]


def _collect_facts(
    dataset: Dataset,
    preprocessor: Preprocessor,
    split: Split,
    repairs: list[str],
    warnings: list[str],
    label_noise: float,
) -> DataFacts:
    facts: DataFacts = {
        "source": escape_control_characters(dataset.name),
        "digest": dataset.digest,
        "rows": len(dataset.x),
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "inputs": _describe_inputs(dataset, preprocessor),
        "task": preprocessor.task,
        "target": dataset.target,
        "labels": list(preprocessor.labels),
        "split": split.facts,
        "repairs": repairs,
        "warnings": warnings,
        "label_noise": label_noise,
    }
    if dataset.rare is not None:
        facts["rare"] = dataset.rare
    return facts


def _describe_inputs(dataset: Dataset, preprocessor: Preprocessor) -> str:
    if dataset.form is not None:
        (rule,) = preprocessor.inputs
        what = "text of up to {} words" if dataset.form.kind == "text" else "sequences of {} tokens"
        return f"{rule.spec.name!r}, {what.format(rule.spec.shape[0])}"
    if preprocessor.inputs:
        listed = ", ".join(str(spec) for spec in preprocessor.specs)
        return f"{len(preprocessor.inputs)} input{'s' * (len(preprocessor.inputs) > 1)}: {listed}"
    if preprocessor.rules:
        return f"{dataset.x.shape[1]} columns ({preprocessor.input_shape[0]} features)"
    size = " x ".join(str(length) for length in dataset.x.shape[1:])
    return f"{size} columns" if dataset.kind == "rows" else f"{size} {dataset.kind}"
