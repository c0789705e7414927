"""Describe the weights of a built model: the layers that hold them, roles, unit axes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras

from regzoo.core._keras_compat import list_inner_layers, list_own_weights, list_weights_to_train
from regzoo.core.slots import LayerInfo, Weight
from regzoo.core.weight_roles import find_weight_role

Chain = tuple[Any, ...]
"""A layer with the layers that hold it, outermost first."""


def describe_weights(model: Any) -> list[tuple[keras.Variable, Weight]]:
    """Return the weights of ``model`` that are trained if nothing is frozen, in its order, with their descriptions.

    Args:
        model: a built model, or a layer.
    """
    holders: defaultdict[int, list[Chain]] = defaultdict(list)
    _collect_holders(model, (), holders, set())
    variables = list_weights_to_train(model)
    return [
        (variable, describe_weight(variable, _find_owner(variable, holders[id(variable)]))) for variable in variables
    ]


def describe_weight(variable: keras.Variable, chain: Chain) -> Weight:
    """Return the description of ``variable``, which the last layer of ``chain`` owns."""
    layers = tuple(LayerInfo(layer.name, tuple(cls.__name__ for cls in list_classes(layer))) for layer in chain)
    shape = tuple(variable.shape)
    known = find_weight_role(chain[-1], variable)
    if known is None:
        return Weight(variable.path, shape, layers=layers)
    role, unit_axes, input_axes, groups = known
    return Weight(variable.path, shape, role, unit_axes, input_axes, groups, layers)


def list_classes(layer: keras.Layer) -> list[type]:
    """Return the class of ``layer`` and those that it inherits from, up to Keras's Layer."""
    return [cls for cls in type(layer).__mro__ if issubclass(cls, keras.Layer)]


def _collect_holders(layer: Any, chain: Chain, holders: defaultdict[int, list[Chain]], seen: set[int]) -> None:
    """Add to ``holders`` the layers inside of ``layer`` that hold a weight, by the weight's id."""
    seen.add(id(layer))
    for variable in list_own_weights(layer):
        holders[id(variable)].append(chain or (layer,))
    for inner in list_inner_layers(layer):
        if id(inner) not in seen:
            _collect_holders(inner, (*chain, inner), holders, seen)


def _find_owner(variable: keras.Variable, chains: list[Chain]) -> Chain:
    """Return the chain of the layer that made ``variable``.

    A layer that was given the weight of another holds it too, as SpectralNormalization does: the maker is in the
    weight's path, and lies innermost.
    """
    scopes = variable.path.split("/")[:-1]
    return max(chains, key=lambda chain: (bool(scopes) and scopes[-1] == chain[-1].name, len(chain)))
