"""Assemble: recipe x backbone x task x seed -> model. The only place where they meet."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import keras

from regzoo.core import Backbone, InputError, Recipe, Regularizer, parse
from regzoo.core.parsing import read_backbone
from regzoo.core.slots import SlotKind
from regzoo.training.model.build_info import BuildInfo
from regzoo.training.model.insertion import (
    LayerInserter,
    check_requirements,
    collect_initial_values,
    collect_weight_rules,
    make_dials,
    refuse_ranges,
)
from regzoo.training.model.model import RegularizedModel
from regzoo.training.task import Shape, Task

MOST = 2**28
"""Weights of a head: a gigabyte, which training needs four times (gradients and Adam's two averages)."""


def build_model(
    backbone: Backbone | str, recipe: Recipe, task: Task, input_shape: Shape, seed: int = 0
) -> RegularizedModel:
    """Build a model, insert the recipe at the backbone's slots and weights, and put it at the start of ``seed``.

    Weights that two recipes share start equal for equal seeds: each draws from a stream named after its layer.

    Args:
        backbone: a backbone, or its spelling.
        recipe: with numbers or schedules for all strengths.
        task: what to predict.
        input_shape: of one example, without the batch axis.
        seed: of the run.

    Raises:
        InputError: if a strength is still a range, a regularizer finds no place to act, or the head would be huge.
    """
    if isinstance(backbone, str):
        backbone = read_backbone(backbone)
    refuse_ranges(recipe)
    check_requirements(recipe, task, tuple(input_shape))
    parts, dials = make_dials(recipe)
    fitter = LayerInserter(parts, census=_census(backbone, input_shape), seed=seed)
    inputs = keras.Input(input_shape, name="inputs")
    features = backbone(inputs, fitter.slot)
    _refuse_huge(backbone, features.shape[-1], task)
    logits, outputs = task.head(features)
    shape_only = keras.Model(inputs, logits)
    rules = collect_weight_rules(parts, shape_only, fitter.hits)
    _refuse_idle(parts, fitter.hits, backbone)
    config = {
        "backbone": str(backbone),
        "recipe": str(recipe),
        "task": asdict(task),
        "input_shape": list(input_shape),
        "seed": seed,
    }
    weights, streams = collect_initial_values(shape_only.layers, fitter.keys)
    assembly = BuildInfo(recipe, task, parts, dials, rules, dict(fitter.hits), weights, streams, config)
    model = RegularizedModel(inputs, logits, outputs, assembly)
    model.reset(seed)
    return model


def from_config(config: dict[str, Any]) -> RegularizedModel:
    """Assemble the model that `RegularizedModel.get_config` describes."""
    return build_model(
        config["backbone"],
        parse(config["recipe"]),
        Task(**config["task"]),
        tuple(config["input_shape"]),
        config["seed"],
    )


def _census(backbone: Backbone, input_shape: Shape) -> Counter[str]:
    """Count the slots of each kind, so that a slot can say how many there are."""
    counts: Counter[str] = Counter()

    def count(kind: SlotKind, tensor: Any) -> Any:
        counts[kind] += 1
        return tensor

    backbone(keras.Input(input_shape), count)
    return counts


def _refuse_huge(backbone: Backbone, features: int, task: Task) -> None:
    """Refuse a head that no computer would hold, such as that of `linear` for whole photographs, before it is made."""
    if features * task.size > MOST:
        raise InputError(
            f"{backbone}: its head would hold {features * task.size:,} weights, {features:,} features by {task.size:,} "
            f"outputs for {task.kind}, more than {MOST:,}; make the inputs smaller, or take a backbone that ends in "
            "fewer features, such as mlp or autoencoder"
        )


def _refuse_idle(parts: tuple[Regularizer, ...], hits: Counter[str], backbone: Backbone) -> None:
    for part in parts:
        if not hits[part.name]:
            raise InputError(
                f"{part.name} finds no place to act in {backbone}: it would do nothing; leave it out, or take a "
                "backbone that offers its place (regzoo zoo lists their slots)"
            )
