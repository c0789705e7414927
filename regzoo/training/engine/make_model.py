"""Make the models of a setup: built for a recipe, compiled, or finished with the weights of a run."""

from __future__ import annotations

import keras
import numpy as np

from regzoo.core import Recipe
from regzoo.training.losses import make_loss
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.model.finalize import combine_models
from regzoo.training.optimizers import make_optimizer
from regzoo.training.own_model.build import build_own_model
from regzoo.training.setup import TrainingSetup

Weights = list[list[np.ndarray]]
"""The weights of each member, in Keras's order."""


def build_for_setup(setup: TrainingSetup, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Build the model that ``setup`` trains with ``recipe``: its backbone, or the user's own model.

    Raises:
        InputError: as `build_model` and `build_own_model` do.
    """
    if setup.model is not None:
        return build_own_model(setup.model, recipe, setup.task, seed)
    return build_model(setup.backbone, recipe, setup.task, setup.input_shape, seed)


def build_compiled_model(setup: TrainingSetup, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Build and compile the model that ``setup`` trains with ``recipe``."""
    model = build_for_setup(setup, recipe, seed)
    model.compile(make_optimizer(setup.optimizer))
    model.example_loss = make_loss(setup.loss, setup.task)  # not compile's loss, which evaluates too: scores stay equal
    return model


def load_finished_model(setup: TrainingSetup, recipe: Recipe, weights: Weights) -> keras.Model:
    """Return the finished model of a run: its members with their ``weights``, combined as the recipe asks."""
    models = [build_compiled_model(setup, recipe) for _ in weights]
    for model, values in zip(models, weights, strict=True):
        model.set_weights(values)
    return combine_models(recipe, models)
