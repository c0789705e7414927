"""Recipes, and what a regularizer of your own needs: places, strengths, schedules, slots, weight rules, watchers.

Pure Python: nothing here imports TensorFlow until a model is built.
"""

from regzoo.core.augmentation import Augmentation
from regzoo.core.backbone import Announce, Backbone
from regzoo.core.errors import EnvironmentFailure, InputError, did_you_mean
from regzoo.core.fields import Strength, setting, strength
from regzoo.core.lazy import layers
from regzoo.core.parsing import parse
from regzoo.core.places import (
    AfterTraining,
    Forward,
    Gradients,
    OnActivations,
    OnBatch,
    OnBatchLoss,
    OnForward,
    OnGradients,
    OnLoss,
    OnTraining,
    OnWeights,
    places,
)
from regzoo.core.ranges import Choice, Cycles, Float, Int, PerRun, Range
from regzoo.core.registry import backbones, register, regularizers
from regzoo.core.regularizer import BASELINE, Recipe, Regularizer
from regzoo.core.schedules import Constant, Cosine, Linear, Schedule, Step
from regzoo.core.slots import LayerInfo, Slot, Weight
from regzoo.core.watcher import Objective, Watcher
from regzoo.core.weight_rules import (
    Companion,
    Penalty,
    Perturbation,
    Projection,
    Proximal,
    Reparametrization,
    Rule,
    Tensor,
)

__all__ = [
    "BASELINE",
    "AfterTraining",
    "Announce",
    "Augmentation",
    "Backbone",
    "Choice",
    "Companion",
    "Constant",
    "Cosine",
    "Cycles",
    "EnvironmentFailure",
    "Float",
    "Forward",
    "Gradients",
    "InputError",
    "Int",
    "LayerInfo",
    "Linear",
    "Objective",
    "OnActivations",
    "OnBatch",
    "OnBatchLoss",
    "OnForward",
    "OnGradients",
    "OnLoss",
    "OnTraining",
    "OnWeights",
    "Penalty",
    "PerRun",
    "Perturbation",
    "Projection",
    "Proximal",
    "Range",
    "Recipe",
    "Regularizer",
    "Reparametrization",
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
