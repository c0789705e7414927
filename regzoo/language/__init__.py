"""What a recipe can say. Pure Python: nothing here imports TensorFlow until a model is built."""

from regzoo.language.backbone import Announce, Backbone
from regzoo.language.errors import EnvironmentFailure, InputError, did_you_mean
from regzoo.language.fields import Strength, setting, strength
from regzoo.language.lazy import layers
from regzoo.language.ranges import Choice, Float, Int, Range
from regzoo.language.recipe import BASELINE, Recipe, parse
from regzoo.language.registry import backbones, register, regularizers
from regzoo.language.regularizer import (
    AfterTraining,
    Forward,
    Gradients,
    OnActivations,
    OnBatch,
    OnForward,
    OnGradients,
    OnLoss,
    OnTraining,
    OnWeights,
    Regularizer,
    places,
)
from regzoo.language.rules import Companion, Penalty, Perturbation, Projection, Rule, Tensor
from regzoo.language.schedules import Constant, Cosine, Linear, Schedule, Step
from regzoo.language.slots import Slot, Weight
from regzoo.language.watcher import Objective, Watcher

__all__ = [
    "BASELINE",
    "AfterTraining",
    "Announce",
    "Backbone",
    "Choice",
    "Companion",
    "Constant",
    "Cosine",
    "EnvironmentFailure",
    "Float",
    "Forward",
    "Gradients",
    "InputError",
    "Int",
    "Linear",
    "Objective",
    "OnActivations",
    "OnBatch",
    "OnForward",
    "OnGradients",
    "OnLoss",
    "OnTraining",
    "OnWeights",
    "Penalty",
    "Perturbation",
    "Projection",
    "Range",
    "Recipe",
    "Regularizer",
    "Rule",
    "Schedule",
    "Slot",
    "Step",
    "Strength",
    "Tensor",
    "Watcher",
    "Weight",
    "backbones",
    "did_you_mean",
    "layers",
    "parse",
    "places",
    "register",
    "regularizers",
    "setting",
    "strength",
]
