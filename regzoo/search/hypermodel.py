"""Hypermodel: the ranges of a recipe as hyperparameters of the user's own KerasTuner search."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from regzoo.core import AfterTraining, Backbone, InputError, Range, Recipe, Regularizer
from regzoo.core.categorical_features import read_row_cells
from regzoo.core.lazy import keras
from regzoo.core.parsing import as_recipe
from regzoo.core.seeds import derive
from regzoo.search.oracle import declare_axis, read_value, silence_tuner
from regzoo.search.space import LEARNING_RATE, RATES, Axis, make_axes, to_strengths
from regzoo.training.own_model.own_model import WEIGHTS, Weights
from regzoo.training.task import Shape, Task, read_input_shape, select_task

if TYPE_CHECKING:
    import keras_tuner

    from regzoo.training.model.build import RegularizedModel


def hypermodel(
    backbone: Any,
    recipe: Recipe | Regularizer | str,
    input_shape: tuple[int, ...] = (),
    classes: int | None = None,
    outputs: int | None = None,
    *,
    labels: int | None = None,
    task: str | None = None,
    learning_rate: float | Range = RATES,
    weights: Weights = "fresh",
    seed: int = 0,
    categorical_features: Any = None,
    steps: int | None = None,
) -> keras_tuner.HyperModel:
    """Return a `keras_tuner.HyperModel` for your own search: every range of the recipe becomes a hyperparameter.

    KerasTuner's own search needs ``pip install 'regzoo[tensorboard]'``: it imports tensorboard unconditionally.

    Args:
        backbone: the backbone as a config writes it; or a Keras model of your own, or a function that builds one,
            ``build(input_shape, outputs)``.
        recipe: its ranges, and that of the learning rate, make the search space.
        input_shape: shape of one example, without the batch axis; a Keras model has its own.
        classes: for classification, number of classes.
        outputs: for regression, number of outputs.
        labels: for several labels at once, each true or false, number of labels.
        task: ``"reconstruction"`` for an autoencoder.
        learning_rate: Adam's: a number, or a range to search on a logarithmic scale.
        weights: what each of your model's trainings starts from: ``fresh`` weights that its layers' own initializers
            draw, or ``keep`` for those that it has.
        seed: seed of initial weights and every random stream of the first model with some values; each further one
            has a seed derived from it.
        categorical_features: columns of rows that are booleans or one-hot encoded categories, as for `regzoo.build`;
            of a Keras model with several inputs, a dict of such by their names.
        steps: steps of a run, in whose terms ``weight_decay`` is searched; by default, learning rate times steps is 1.

    Raises:
        InputError: if a name or value is wrong, or a regularizer acts on trained models.

    Example:
        tuner = keras_tuner.RandomSearch(
            regzoo.hypermodel("mlp", "dropout", (64,), classes=10),
            keras_tuner.Objective("val_loss", "min"), max_trials=8)
        tuner.search(x, y, validation_data=(xv, yv), epochs=20)
    """
    with silence_tuner():
        import keras_tuner
    from regzoo.training.optimizers import make_optimizer

    searched = as_recipe(recipe)
    axes = make_axes(searched, learning_rate)
    _require_in_training(searched)
    choose_task = functools.partial(select_task, classes, outputs, labels, task)
    make_model = _choose_backbone(backbone, input_shape, choose_task, weights, categorical_features)

    class Hypermodel(keras_tuner.HyperModel):
        """Builds the backbone with the recipe at the values that a tuner proposes.

        A tuner that executes a trial several times builds its model again each time, which then has another seed.
        """

        def __init__(self) -> None:
            super().__init__()
            self._builds: Counter[str] = Counter()

        def build(self, hp: keras_tuner.HyperParameters) -> Any:
            """Declare the space in ``hp`` and return the compiled model at its values."""
            values = {axis.name: _read(hp, axis) for axis in axes}
            rate = values.pop(LEARNING_RATE, learning_rate)
            values = values if steps is None else to_strengths(axes, values, rate, steps)
            point = repr(sorted(hp.values.items()))
            own = derive(seed, "execution", self._builds[point]) if self._builds[point] else seed
            self._builds[point] += 1
            model = make_model(searched.with_strengths(values), own)
            model.compile(make_optimizer("adam", rate))
            return model

    return Hypermodel()


def _require_in_training(recipe: Recipe) -> None:
    """Reject regularizers that act on trained models."""
    for regularizer in recipe:
        if isinstance(regularizer, AfterTraining):
            raise InputError(
                f"{regularizer.name} acts on trained models, which a tuner does not see: use regzoo.compare"
            )


def _read(hp: keras_tuner.HyperParameters, axis: Axis) -> Any:
    """Declare ``axis`` in ``hp`` and return its value; a share of a scale of 1 - value is turned into the value."""
    value = declare_axis(hp, axis)
    return read_value(axis, value) if axis.complement else value


def _choose_backbone(
    backbone: Any,
    input_shape: tuple[int, ...],
    choose_task: Callable[[Shape], Task],
    weights: Weights,
    categorical_features: Any,
) -> Callable[[Recipe, int], RegularizedModel]:
    """Return a function of recipe and seed that builds a model, of a named backbone or of the user's own model."""
    from regzoo.training.model.build import build_model

    if isinstance(backbone, str | Backbone):
        if weights != "fresh":
            raise InputError("weights: goes with a Keras model of your own as the backbone; leave it out")
        shape = read_input_shape(input_shape)
        task = choose_task(shape)
        cells = read_row_cells(categorical_features, shape)
        return lambda recipe, seed: build_model(backbone, recipe, task, shape, seed, cells)
    from regzoo.training.attach.cells import read_cells
    from regzoo.training.own_model.build import build_own_model, check_outputs
    from regzoo.training.own_model.pack import load, pack
    from regzoo.training.own_model.read import call_function

    if weights not in WEIGHTS:
        raise InputError(f"weights takes {' or '.join(WEIGHTS)}, received {weights!r}")
    if isinstance(backbone, keras.Model):
        inputs = getattr(backbone, "inputs", None) or ()
        task = choose_task(tuple(inputs[0].shape[1:]) if inputs else ())
        model = backbone
    else:
        shape = read_input_shape(input_shape)
        task = choose_task(shape)
        model = call_function(backbone, shape, task.size)
    own = pack(model, weights)
    named = read_cells(load(own), categorical_features)
    check_outputs(own, task, standardized=False)
    return lambda recipe, seed: build_own_model(own, recipe, task, seed, named)
