"""Make the models of a setup: built for a recipe, compiled, or finished with the weights of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError, Recipe
from regzoo.training.attach.cells import name_cells
from regzoo.training.losses import ExampleLoss, make_loss
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.model.finalize import combine_models
from regzoo.training.optimizer_names import COMPILED
from regzoo.training.optimizers import make_optimizer
from regzoo.training.own_model.build import build_own_model, ends_in_logits
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.own_model.pack import find_custom_objects, load
from regzoo.training.setup import TrainingSetup

Weights = list[list[np.ndarray]]
"""The weights of each member, in Keras's order."""


def build_for_setup(setup: TrainingSetup, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Build the model that ``setup`` trains with ``recipe``: its backbone, or the user's own model.

    Raises:
        InputError: as `build_model` and `build_own_model` do.
    """
    if setup.model is not None:
        cells = name_cells(load(setup.model), setup.cells)
        return build_own_model(setup.model, recipe, setup.task, seed, cells)
    return build_model(setup.backbone, recipe, setup.task, setup.input_shape, seed, setup.cells, setup.vocabulary_size)


def build_compiled_model(setup: TrainingSetup, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Build and compile the model that ``setup`` trains with ``recipe``."""
    model = build_for_setup(setup, recipe, seed)
    model.compile(make_setup_optimizer(setup))
    model.example_loss = make_setup_loss(setup)  # not compile's loss, which evaluates too: scores stay equal
    return model


def make_setup_optimizer(setup: TrainingSetup) -> keras.optimizers.Optimizer:
    """Return a new optimizer as ``setup`` asks: one that it names, or as the user's own model was compiled with.

    Raises:
        InputError: if there is none, or Keras refuses its arguments.
    """
    if setup.model is None or setup.optimizer != COMPILED:
        return make_optimizer(setup.optimizer)
    config = setup.model.get_compiled("optimizer")
    with _read_compiled(setup.model, "optimizer"):
        return make_optimizer(config)


def make_setup_loss(setup: TrainingSetup) -> ExampleLoss | None:
    """Return the loss that ``setup`` names, or that the user's own model was compiled with; None for the task's own.

    Raises:
        InputError: if there is none, or it does not fit the task.
    """
    if setup.model is None or setup.loss != COMPILED:
        return make_loss(setup.loss, setup.task)
    loss = setup.model.get_compiled("loss")
    if setup.task.kind in ("classification", "multilabel") and ends_in_logits(setup.model):
        loss = _take_probabilities(loss)
    with _read_compiled(setup.model, "loss"):
        found = keras.losses.get(loss)
    made = make_loss(found, setup.task)
    if made is not None:
        made.check_targets(setup.task)
    return made


@contextmanager
def _read_compiled(model: OwnModel, key: str) -> Iterator[None]:
    """Let Keras find the custom objects of ``model``; raise as an `InputError` what it then says about ``key``."""
    objects = find_custom_objects(model)
    try:
        with keras.saving.custom_object_scope(objects):
            yield
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())
        raise InputError(
            f"the {key} that the model was compiled with cannot be made again ({reason[:200]}): register its class or "
            "function, which must be importable and no lambda"
        ) from error


def _take_probabilities(loss: Any) -> Any:
    """Return the config of a loss of logits as one of probabilities, which the built model returns in their place."""
    inner = loss.get("config") if isinstance(loss, dict) else None
    if not isinstance(inner, dict) or "from_logits" not in inner:
        return loss
    return {**loss, "config": {**inner, "from_logits": False}}


def load_finished_model(setup: TrainingSetup, recipe: Recipe, weights: Weights) -> keras.Model:
    """Return the finished model of a run: its members with their ``weights``, combined as the recipe asks."""
    models = [build_compiled_model(setup, recipe) for _ in weights]
    for model, values in zip(models, weights, strict=True):
        model.set_weights(values)
    return combine_models(recipe, models)
