"""Build a model from recipe, backbone, task and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import keras
import tensorflow as tf

from regzoo.core import Announce, Backbone, InputError, Recipe, parse
from regzoo.core.cells import Cells
from regzoo.core.layers import floatx_of
from regzoo.core.parsing import read_backbone
from regzoo.core.slots import SlotKind
from regzoo.training.model.build_info import BuildInfo
from regzoo.training.model.insertion import (
    LayerInserter,
    collect_initial_values,
    collect_narrowed_weights,
    collect_weight_rules,
    count_hits,
    make_dials,
)
from regzoo.training.model.layer_places import SlotPlace, find_slot_place, list_layer_places
from regzoo.training.model.model import BaseRegularizedModel
from regzoo.training.model.precision import describe_precision, precision_of
from regzoo.training.model.reparametrize import install_reparametrizations
from regzoo.training.model.requirements import check_requirements, reject_ranges, reject_shortening, require_noise
from regzoo.training.model.unsupported_inputs import reject_unsupported_inputs
from regzoo.training.task import Shape, Task

INPUT_NAME = "inputs"
"""Name of the input of a backbone."""

MAX_HEAD_WEIGHTS = 2**28
"""A gigabyte, of which training needs four (gradients and Adam's two moments)."""


@keras.saving.register_keras_serializable("regzoo")
class RegularizedModel(BaseRegularizedModel):
    """A functional Keras model with its recipe built in; made by `regzoo.build`, and by `regzoo.attach`.

    ``fit``, ``evaluate``, ``predict``, ``save`` and ``keras.models.load_model`` work as for any Keras model.
    `finished` applies the regularizers that act after training (`snapshot_ensemble`, `mc_dropout`).

    ``predict`` returns probabilities (batch, classes) or numbers (batch, outputs). In ``fit``, ``loss`` is the
    minimized loss, penalties included; ``val_loss`` is the task's loss alone, so it compares across recipes.
    """

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RegularizedModel:
        """Build the model that `get_config` describes. Keras calls it in `load_model`."""
        with precision_of(config):
            return build_model(
                config["backbone"],
                parse(config["recipe"]),
                Task(**config["task"]),
                tuple(config["input_shape"]),
                config["seed"],
                Cells.from_json(config["cells"]) if "cells" in config else None,
                config.get("vocabulary_size", 0),
            )


@floatx_of()
def build_model(
    backbone: Backbone | str,
    recipe: Recipe,
    task: Task,
    input_shape: Shape,
    seed: int = 0,
    cells: Cells | None = None,
    vocabulary_size: int = 0,
) -> RegularizedModel:
    """Build a model with the recipe at the backbone's slots and weights, initialized for ``seed``.

    Weights that two recipes share start equal for equal seeds: each draws from a stream named after its layer.

    Args:
        backbone: a backbone, or its text.
        recipe: with numbers or schedules for all strengths.
        task: what to predict.
        input_shape: shape of one example, without the batch axis.
        seed: seed of the run.
        cells: of rows, which columns hold one value; None if every column is a number of its own.
        vocabulary_size: number of different tokens, padding included, if the inputs are tokens (steps,); else 0.

    Raises:
        InputError: if a strength is still a range, a regularizer finds no place to act, or the head would be huge.
    """
    if isinstance(backbone, str):
        backbone = read_backbone(backbone)
    reject_ranges(recipe)
    named = () if cells is None else ((INPUT_NAME, cells),)
    check_requirements(recipe, task, tuple(input_shape), named, tokens=vocabulary_size > 0)
    if vocabulary_size:
        reject_shortening(recipe)
    require_noise(recipe)
    regularizers, dials = make_dials(recipe)
    inserter = LayerInserter(recipe, regularizers, _list_slots(backbone, input_shape, vocabulary_size), seed)
    inputs, features = _call(backbone, input_shape, vocabulary_size, inserter.slot)
    _reject_huge_head(backbone, features.shape[-1], task)
    logits, outputs = task.head(features)
    to_logits = keras.Model(inputs, logits)
    rules = collect_weight_rules(recipe, regularizers, to_logits, inserter.check, backbone.layer_kinds)
    narrowed = collect_narrowed_weights(recipe, regularizers, to_logits, inserter.check, backbone.layer_kinds)
    inserter.check.check(list_layer_places(to_logits, inserter.keys, backbone.layer_kinds), str(backbone))
    hits = count_hits(recipe, inserter.insertions, rules, narrowed)
    _reject_inactive(hits, backbone)
    config = {
        "backbone": str(backbone),
        "recipe": str(recipe),
        "task": asdict(task),
        "input_shape": list(input_shape),
        "seed": seed,
        **({} if cells is None else {"cells": cells.to_json()}),
        **({"vocabulary_size": vocabulary_size} if vocabulary_size else {}),
        **describe_precision(),
    }
    weights, streams = collect_initial_values(to_logits.layers, inserter.keys)
    insertions = tuple(inserter.insertions)
    info = BuildInfo(
        recipe, task, regularizers, dials, rules, insertions, narrowed, hits, weights, streams, config, named
    )
    model = RegularizedModel(inputs, logits, outputs, info)
    install_reparametrizations(model)
    if vocabulary_size:
        reject_unsupported_inputs(model, tf.ones((2, *input_shape), tf.int32))
    model.reset(seed)
    return model


def _call(backbone: Backbone, input_shape: Shape, vocabulary_size: int, slot: Announce) -> tuple[Any, Any]:
    """Return the symbolic inputs and the features that ``backbone`` makes of them."""
    if not vocabulary_size:
        inputs = keras.Input(input_shape, name=INPUT_NAME)
        return inputs, backbone(inputs, slot)
    if len(input_shape) != 1 or input_shape[0] is None:
        raise InputError(f"tokens (vocabulary_size) take the input_shape (steps,), received {tuple(input_shape)}")
    tokens = keras.Input(input_shape, dtype="int32", name=INPUT_NAME)
    return tokens, backbone.call_on_tokens(tokens, vocabulary_size, slot)


def _list_slots(backbone: Backbone, input_shape: Shape, vocabulary_size: int) -> list[SlotPlace]:
    """Return the slots as they are announced, by building the backbone once with nothing inserted."""
    slots: list[SlotPlace] = []

    def add(kind: SlotKind, tensor: Any) -> Any:
        slots.append(find_slot_place(kind, tensor, backbone.layer_kinds))
        return tensor

    _call(backbone, input_shape, vocabulary_size, add)
    return slots


def _reject_huge_head(backbone: Backbone, features: int, task: Task) -> None:
    """Reject a head that does not fit into memory, such as that of `linear` for large photographs, before making it."""
    if features * task.size > MAX_HEAD_WEIGHTS:
        raise InputError(
            f"{backbone}: its head would hold {features * task.size:,} weights, {features:,} features by {task.size:,} "
            f"outputs for {task.kind}, more than {MAX_HEAD_WEIGHTS:,}; make the inputs smaller, or take a backbone "
            "that ends in fewer features, such as mlp or autoencoder"
        )


def _reject_inactive(hits: Mapping[str, int], backbone: Backbone) -> None:
    for name, places in hits.items():
        if not places:
            raise InputError(
                f"{name} finds no place to act in {backbone}: it would do nothing; leave it out, or take a "
                "backbone that offers its place (regzoo zoo lists their slots)"
            )
