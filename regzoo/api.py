"""The Python face: build and compare. The command line goes the same way, through `regzoo.comparison.runner`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regzoo import config as configs
from regzoo.comparison.runner import make_progress, prepare_dataset, read_data, run_comparison
from regzoo.config import Experiment
from regzoo.core import Backbone, InputError, Recipe, Regularizer
from regzoo.core.parsing import as_recipe
from regzoo.data.preprocess import PreparedData
from regzoo.data.sources import from_python
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.result import Result
from regzoo.storage.folder import TemporaryFolder
from regzoo.training.task import shape_of, task_for

if TYPE_CHECKING:
    from regzoo.training.model.model import RegularizedModel


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
            act, or it is several models (an ensemble: use `compare`).

    Example:
        model = regzoo.build("mlp(widths=[64, 64])", "dropout(0.5) + l2(1e-4)", input_shape=(18,), classes=4)
        model.fit(x, y, epochs=20, validation_data=(xv, yv))

        model = regzoo.build("mlp", "dropout(0.5) + mc_dropout(50)", input_shape=(18,), classes=4)
        model.fit(x, y, epochs=20)
        model.finished().uncertainty(x)
    """
    recipe = as_recipe(recipe)
    shape = shape_of(input_shape)
    asked = task_for(classes, outputs, labels, task, shape)
    import_tensorflow()
    from regzoo.training.model.build import build_model
    from regzoo.training.model.insertion import refuse_ranges, refuse_several

    refuse_ranges(recipe)
    refuse_several(recipe)
    model = build_model(backbone, recipe, asked, shape, seed)
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
    with make_progress(verbose) as progress:
        run_comparison(experiment, read, folder, workers=workers, fresh=fresh, progress=progress, command=command)
    return Result(folder, keep)


def asked(
    x: Any, y: Any, roles: dict[str, Any], keywords: dict[str, Any]
) -> tuple[Experiment, Callable[[], PreparedData]]:
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

    def read() -> PreparedData:
        if x is None:
            return read_data(experiment)
        return prepare_dataset(experiment, from_python(x, y, given, experiment.task))

    return experiment, read


def folder_for(experiment: Experiment, out: str | Path | None) -> tuple[Path, TemporaryFolder | None]:
    """``out``, or a folder of its own that goes when nobody holds the second any more."""
    if out is not None:
        return Path(out), None
    keep = TemporaryFolder()
    return keep.path / experiment.name, keep
