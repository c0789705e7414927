"""Build, compare and sweep from Python; the command line runs comparisons in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo import config as configs
from regzoo.comparison.own_model import ReadData, Specs
from regzoo.comparison.progress import make_progress
from regzoo.comparison.runner import prepare_dataset, read_data, run_comparison
from regzoo.comparison.sweep import Sweep, make_sweep
from regzoo.config import Experiment
from regzoo.core import Backbone, InputError, Recipe, Regularizer
from regzoo.core.categorical_features import read_row_cells
from regzoo.core.parsing import as_recipe
from regzoo.core.random_state import keep_python_random
from regzoo.data.prepared import PreparedData
from regzoo.data.rows import Rows
from regzoo.data.sources import from_python
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.publish import publish
from regzoo.result import Result, SweepResult
from regzoo.system.paths import require_utf8
from regzoo.system.temporary_folder import TemporaryFolder
from regzoo.training.task import read_input_shape, read_vocabulary_size, select_task

if TYPE_CHECKING:
    from regzoo.training.model.build import RegularizedModel


def build(
    backbone: Backbone | str,
    recipe: Recipe | Regularizer | str = "none",
    input_shape: Sequence[int | None] = (),
    classes: int | None = None,
    outputs: int | None = None,
    *,
    labels: int | None = None,
    task: str | None = None,
    optimizer: Any = "adam",
    seed: int = 0,
    categorical_features: Any = None,
    vocabulary_size: int = 0,
) -> RegularizedModel:
    """Return a compiled Keras model with the recipe built in; its layers have Keras's dtype policy.

    Args:
        backbone: the network, such as ``"mlp(widths=[64, 64])"``.
        recipe: regularizers, such as ``"dropout(0.5) + l2(1e-4)"``; each strength is a number or a schedule.
        input_shape: shape of one example: (features,), (height, width, channels) or (steps, channels).
        classes: number of classes, for classification with labels 0, 1, 2, ...
        outputs: number of targets, for regression.
        labels: number of labels, for multilabel classification: y has the shape (rows, labels) and holds 0 and 1.
        task: ``"reconstruction"`` for an autoencoder, without classes or outputs; train it with ``fit(x, x)``.
        optimizer: any optimizer that ``keras.Model.compile`` takes.
        seed: seed of the initial weights and of every random stream of the recipe.
        categorical_features: columns of rows, counted from 0, that are not standardized numbers: for each category the
            list of its one-hot columns, and each column of 0 and 1 by itself; ``[[3, 4, 5], 6]`` or ``"3..5, 6"``.
            Regularizers of the batch change a category as a whole, and leave it possible.
        vocabulary_size: for tokens (steps,), whole numbers from 0 (padding) below it; 0 for inputs that are numbers.

    Raises:
        InputError: if a name or value is wrong, a strength is left to a search, a regularizer finds no place to
            act, or the recipe needs several models (an ensemble: use `compare`).

    Example:
        model = regzoo.build("mlp(widths=[64, 64])", "dropout(0.5) + l2(1e-4)", input_shape=(18,), classes=4)
        model.fit(x, y, epochs=20, validation_data=(xv, yv))

        model = regzoo.build("mlp", "dropout(0.5) + mc_dropout(50)", input_shape=(18,), classes=4)
        model.fit(x, y, epochs=20)
        model.finished().uncertainty(x)
    """
    recipe = as_recipe(recipe)
    shape = read_input_shape(input_shape)
    chosen_task = select_task(classes, outputs, labels, task, shape)
    import_tensorflow(any_precision=True)
    from regzoo.training.model.build import build_model
    from regzoo.training.model.requirements import reject_ranges, reject_several_models

    reject_ranges(recipe)
    reject_several_models(recipe)
    cells = read_row_cells(categorical_features, shape)
    size = read_vocabulary_size(vocabulary_size)
    model = build_model(backbone, recipe, chosen_task, shape, seed, cells, size)
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
    retry_failed: bool = False,
    verbose: bool = False,
    **keywords: Any,
) -> Result:
    """Compare recipes on ``x`` and ``y``; return the result.

    Args:
        x: inputs: lists, an array (rows, features), (rows, steps, channels) or (rows, height, width[, channels]), or a
            DataFrame; or a tf.data.Dataset of (x, y), which is read once, to its end. For a model of your own with
            several inputs, a dict of arrays by their names, or a list in their order. What is passed in is not changed.
        y: targets: class labels of any kind, or numbers; left out for ``task="reconstruction"``.
        groups: (n,) group of each row, such as a patient; all rows of a group go to the same part.
        sample_weight: (n,) weight of each row in the loss, above 0.
        time: (n,) numbers or dates; the earliest rows train, later ones validate, the last ones test.
        part: (n,) ``train``, ``validation`` or ``test``; None leaves the row to the split.
        out: folder of the comparison; by default a temporary one that is deleted together with the result.
        workers: number of processes; None for one per core, 0 to train in this process, with the threads that
            TensorFlow has here, so the last digits of scores may differ.
        fresh: start over; a comparison that is already in ``out`` is renamed, not deleted.
        retry_failed: make the failed runs of the comparison in ``out`` again.
        verbose: show progress.
        **keywords: every key of a config, in the same shape: backbone, recipes, task, split, training, search,
            replicates, rank_by, seed, name; or data= in place of x and y. With x, ``scale="none"`` hands over
            inputs and numeric targets as they are, and ``categorical_features`` names the columns of an array that
            are booleans or one-hot encoded categories, as for `build`; ``kind`` is ``"rows"``, ``"images"``,
            ``"sequences"``, ``"tokens"`` or ``"text"`` where x does not show it. ``backbone`` is a text such as
            ``"mlp"``, your own Keras model (functional or sequential), or a function ``build(input_shape, outputs)``
            that returns one. With your own, ``weights="fresh"`` (the default) draws the initial weights of each run by
            the layers' own initializers, ``weights="keep"`` starts from the model's, and ``expand_nested=True`` acts
            inside its nested models too.

    Raises:
        InputError: with every problem at once, before anything is trained or written; after the runs, if all diverged.
        EnvironmentFailure: if the folder is in use, the disk is full, workers cannot start, or no run gave a result.

    Example:
        result = regzoo.compare(x, y, backbone="mlp", recipes=["none", "dropout", "l2"], replicates=5)
        print(result.leaderboard)

        mine = keras.Sequential([keras.Input((4,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(3, "softmax")])
        result = regzoo.compare(x, y, backbone=mine, recipes=["none", "dropout(on=dense)", "l2"])
    """
    rows = Rows(x, y, groups, sample_weight, time, part)
    experiment, read = read_arguments(rows, keywords)
    folder, owner = choose_folder(experiment, out)
    run_and_publish(
        experiment,
        read,
        folder,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
        verbose=verbose,
        command="regzoo.compare(...)",
    )
    return Result(folder, owner)


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
    retry_failed: bool = False,
    verbose: bool = False,
    **keywords: Any,
) -> SweepResult:
    """Measure how the score depends on one strength, or on two.

    Args:
        x: inputs, as for `compare`.
        y: targets, as for `compare`.
        over: the strength to vary, ``"dropout.rate"``, or two of them for a grid. It is varied in the first of
            ``recipes`` that has it; if none has, the regularizer is used alone.
        values: the strength's values; a list of two lists for a grid. By default 9 values over the usual range of
            the strength, 5 for each of two.
        groups: as for `compare`.
        sample_weight: as for `compare`.
        time: as for `compare`.
        part: as for `compare`.
        out: folder of the sweep; by default a temporary one that is deleted together with the result.
        workers: as for `compare`.
        fresh: start over; a sweep that is already in ``out`` is renamed, not deleted.
        retry_failed: make the failed runs of the sweep in ``out`` again.
        verbose: show progress.
        **keywords: as for `compare`; ``recipes`` may be left out.

    Raises:
        InputError: with the strength or value that is wrong, and what is allowed.

    Example:
        result = regzoo.sweep(x, y, over="dropout.rate", values=[0, 0.2, 0.4], backbone="mlp", replicates=5)
        print(result.table, result.best)
    """
    rows = Rows(x, y, groups, sample_weight, time, part)
    names = [over] if isinstance(over, str) else list(over)
    value_lists = [] if values is None else [values] if isinstance(over, str) else list(values)
    base, read = read_arguments(rows, {"recipes": ["none"], **keywords})
    experiment, swept = make_sweep(base, names, value_lists)
    folder, owner = choose_folder(experiment, out)
    run_and_publish(
        experiment,
        read,
        folder,
        workers=workers,
        fresh=fresh,
        retry_failed=retry_failed,
        verbose=verbose,
        command="regzoo.sweep(...)",
        sweep=swept,
    )
    return SweepResult(folder, owner)


def read_arguments(rows: Rows, keywords: dict[str, Any]) -> tuple[Experiment, ReadData]:
    """Return the experiment that the arguments of `compare` describe, and a function that reads its data.

    Args:
        rows: the data; empty with ``data`` among the keywords.
        keywords: keys of a config.

    Raises:
        InputError: with every problem at once.
    """
    if (rows.x is None) != ("data" in keywords) or (rows.x is None and rows.y is not None):
        raise InputError('give x and y (x alone for task="reconstruction"), or data= as in a config')
    experiment = configs.from_keywords(**keywords)
    row_keywords = list(rows.to_keywords())
    if rows.x is None and row_keywords:
        raise InputError(f"{row_keywords[0]}: goes with x and y; with data=, name the column or array in it")

    def read(inputs: Specs) -> PreparedData:
        if rows.x is None:
            return read_data(experiment, inputs)
        return prepare_dataset(experiment, from_python(rows, experiment.task, inputs, experiment.data.form), inputs)

    return experiment, read


def choose_folder(experiment: Experiment, out: str | Path | None) -> tuple[Path, TemporaryFolder | None]:
    """Return ``out``; or a temporary folder and its owner, which deletes it."""
    if out is not None:
        require_utf8(out)
        return Path(out), None
    owner = TemporaryFolder()
    return owner.path / experiment.name, owner


def run_and_publish(
    experiment: Experiment,
    read: ReadData,
    folder: Path,
    *,
    workers: int | None,
    fresh: bool,
    verbose: bool,
    command: str,
    sweep: Sweep | None = None,
    retry_failed: bool = False,
) -> None:
    """Run the comparison in ``folder`` or resume it, then write leaderboard, report and the winner's model.

    Args:
        experiment: the comparison.
        read: returns its data.
        folder: folder of the comparison.
        workers: number of processes; None for one per core, 0 to train in this process.
        fresh: start over; a comparison that is already in ``folder`` is renamed.
        verbose: show progress on stderr.
        command: the command that the report names.
        sweep: the strengths that ``experiment`` sweeps, None for an ordinary comparison.
        retry_failed: make the failed runs in ``folder`` again.

    Raises:
        InputError: if config, data or folder cannot be used; nothing is written then.
        EnvironmentFailure: if the folder is in use, the disk is full, or workers cannot start.
    """
    with keep_python_random(), make_progress(verbose) as progress:
        run_comparison(
            experiment,
            read,
            folder,
            workers=workers,
            fresh=fresh,
            progress=progress,
            command=command,
            sweep=sweep,
            publish=publish,
            retry_failed=retry_failed,
        )
