"""Assemble: recipe x backbone x task x seed -> model. The only place where they meet."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import keras

from regzoo.language import Backbone, InputError, Recipe, Regularizer, backbones, parse
from regzoo.language.grammar import read_call
from regzoo.language.named import construct
from regzoo.language.slots import Kind
from regzoo.training.assembly import Assembly
from regzoo.training.fitting import Fitter, refuse_ranges, refuse_unfit, rules_of, starts_of, with_dials
from regzoo.training.model import RegularizedModel
from regzoo.training.task import Task


def assemble(
    backbone: Backbone | str, recipe: Recipe, task: Task, input_shape: tuple[int, ...], seed: int = 0
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
        InputError: if a strength is still a range, or a regularizer finds no place to act.
    """
    if isinstance(backbone, str):
        backbone = construct(read_call(backbone), backbones(), "backbone")
    refuse_ranges(recipe)
    refuse_unfit(recipe, task, tuple(input_shape))
    parts, dials = with_dials(recipe)
    fitter = Fitter(parts, census=_census(backbone, input_shape), seed=seed)
    inputs = keras.Input(input_shape, name="inputs")
    logits, outputs = task.head(backbone(inputs, fitter.slot))
    shape_only = keras.Model(inputs, logits)
    rules = rules_of(parts, shape_only, fitter.hits)
    _refuse_idle(parts, fitter.hits, backbone)
    config = {
        "backbone": str(backbone),
        "recipe": str(recipe),
        "task": asdict(task),
        "input_shape": list(input_shape),
        "seed": seed,
    }
    weights, streams = starts_of(shape_only.layers, fitter.keys)
    assembly = Assembly(recipe, task, parts, dials, rules, dict(fitter.hits), weights, streams, config)
    model = RegularizedModel(inputs, logits, outputs, assembly)
    model.reset(seed)
    return model


def from_config(config: dict[str, Any]) -> RegularizedModel:
    """Assemble the model that `RegularizedModel.get_config` describes."""
    return assemble(
        config["backbone"],
        parse(config["recipe"]),
        Task(**config["task"]),
        tuple(config["input_shape"]),
        config["seed"],
    )


def _census(backbone: Backbone, input_shape: tuple[int, ...]) -> Counter[str]:
    """Count the slots of each kind, so that a slot can say how many there are."""
    counts: Counter[str] = Counter()

    def count(kind: Kind, tensor: Any) -> Any:
        counts[kind] += 1
        return tensor

    backbone(keras.Input(input_shape), count)
    return counts


def _refuse_idle(parts: tuple[Regularizer, ...], hits: Counter[str], backbone: Backbone) -> None:
    for part in parts:
        if not hits[part.name]:
            raise InputError(
                f"{part.name} finds no place to act in {backbone}: it would do nothing; leave it out, or take a "
                "backbone that offers its place (regzoo zoo lists their slots)"
            )
