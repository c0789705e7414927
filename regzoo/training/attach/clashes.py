"""Where a recipe does not go well with what a user's model has of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import keras

from regzoo.core import Recipe
from regzoo.core._keras_compat import get_input, get_operation, list_consumers, list_layers
from regzoo.training.attach.nonlinearities import get_final_function
from regzoo.training.attach.own_layers import NOISE
from regzoo.training.model.build_info import Insertion
from regzoo.training.own_layers import OwnLayers, describe_layers, describe_numbers

PENALIZING = (
    *("l1", "l2", "l1_l2", "l2_sp", "weight_decay", "group_lasso"),
    *("elastic_net", "proximal_l1", "proximal_group_lasso"),
)
CONSTRAINING = ("max_norm", "unit_norm", "spectral_norm", "weight_standardization")
DROPOUTS = tuple(kind for kind in NOISE if kind is not keras.layers.GaussianNoise)
PENALIZING_ACTIVITY = ("activity_l1", "activity_l2")


def list_clashes_with_own(
    recipe: Recipe, own: OwnLayers, insertions: Sequence[Insertion], noise: Sequence[keras.Layer] = ()
) -> list[str]:
    """Return a sentence on each clash of ``recipe`` with what the user's model has of its own.

    Args:
        recipe: the recipe.
        own: what the model has of its own.
        insertions: the layers that the recipe inserted into it.
        noise: the layers of the model that draw in training.
    """
    from regzoo.regularizers._normalization import NORMALIZATIONS, VARIANCE_SHIFTING  # not above: see training/clashes

    inserted = {id(each.inserted) for each in insertions}
    found = []
    for name in _find(recipe, VARIANCE_SHIFTING):
        layers = [each.inserted for each in insertions if each.name.partition("[")[0] == name]
        after = {id(norm): norm for layer in layers for norm in _list_batch_norms_after(layer)}
        norms = sorted({norm.name for key, norm in after.items() if key not in inserted})
        if norms:
            found.append(
                f"{name} comes before {describe_layers({'BatchNormalization': norms})} of your model and shifts "
                f"the variance that it relies on at inference (Li 2019); narrow it, such as {name}(on=last)"
            )
        if name == "alpha_dropout" and any(not _follows_selu(layer, inserted) for layer in layers):
            found.append("alpha_dropout keeps the mean and variance of selu alone, and your model has other functions")
    dropouts: dict[str, list[str]] = {}
    for layer in noise:
        if isinstance(layer, DROPOUTS) and any(id(norm) in inserted for norm in _list_batch_norms_after(layer)):
            dropouts.setdefault(type(layer).__name__, []).append(layer.name)
    if dropouts:
        found.append(
            f"batch_norm comes after {describe_layers(dropouts)} of your model, and the variance shifts that it relies "
            "on at inference (Li 2019); narrow it, such as batch_norm(on=first)"
        )
    has = {
        PENALIZING: own.penalties and describe_numbers(own.penalties, "penalty"),
        CONSTRAINING: own.constraints and describe_numbers(own.constraints, "constraint"),
        PENALIZING_ACTIVITY: own.activity and f"a penalty on the outputs of {_join(own.activity)}",
        NORMALIZATIONS: own.normalization and describe_layers(own.normalization),
    }
    for kind, description in has.items():
        if description and (names := _find(recipe, kind)):
            found.append(f"{_join(names)} in addition to what your model has of its own: {description}")
    return found


def _find(recipe: Recipe, names: Collection[str]) -> list[str]:
    """Return those of ``names`` that ``recipe`` has, each once."""
    return list(dict.fromkeys(regularizer.name for regularizer in recipe if regularizer.name in names))


def _join(names: Sequence[str]) -> str:
    return " and ".join(names)


def _list_batch_norms_after(layer: keras.Layer) -> list[keras.Layer]:
    """Return the batch norms that learn statistics of what comes from ``layer``."""
    seen: dict[int, Any] = {}
    waiting = list_consumers(layer)
    while waiting:
        consumer = waiting.pop()
        if id(consumer) not in seen:
            seen[id(consumer)] = consumer
            waiting += list_consumers(consumer)
    layers = [each for consumer in seen.values() if isinstance(consumer, keras.Layer) for each in list_layers(consumer)]
    return [each for each in layers if isinstance(each, keras.layers.BatchNormalization) and each.trainable]


def _follows_selu(layer: keras.Layer, inserted: Collection[int]) -> bool:
    """Return True if what ``layer`` receives, other inserted layers apart, comes from a selu."""
    operation = get_operation(get_input(layer.output))
    while id(operation) in inserted:
        operation = get_operation(get_input(operation.output))
    return get_final_function(operation).lower() == "selu"
