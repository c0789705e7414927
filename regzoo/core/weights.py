"""Describe the weights of a built model: the layers that hold them, roles, unit axes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import keras

from regzoo.core._keras_compat import list_inner_layers, list_own_weights, list_weights_to_train
from regzoo.core.roles import names_positions
from regzoo.core.slots import LayerInfo, Weight
from regzoo.core.weight_roles import find_weight_role

Chain = tuple[Any, ...]
"""A layer with all that hold it, outermost first: the model itself."""


def describe_weights(model: Any) -> list[tuple[keras.Variable, Weight]]:
    """Return the weights of ``model`` that are trained if nothing is frozen, in its order, with their descriptions.

    Args:
        model: a built model, or a layer.
    """
    holders: defaultdict[int, list[Chain]] = defaultdict(list)
    _collect_holders((model,), holders, set())
    variables = list_weights_to_train(model)
    return [
        (variable, describe_weight(variable, _find_owner(variable, holders[id(variable)]))) for variable in variables
    ]


def describe_weight(variable: keras.Variable, chain: Chain) -> Weight:
    """Return the description of ``variable``, which the last layer of ``chain`` owns."""
    inside = chain[1:] or chain  # the model is around all of its layers, so it tells nothing
    layers = tuple(LayerInfo(layer.name, tuple(cls.__name__ for cls in list_classes(layer))) for layer in inside)
    shape = tuple(variable.shape)
    known = find_weight_role(chain[-1], variable)
    if known is None:
        return Weight(variable.path, shape, layers=layers)
    role, unit_axes, input_axes, groups = known
    if role == "embedding" and any(map(names_positions, _list_names(chain))):
        role = "position"  # an Embedding of positions: each is looked up once, and added
    return Weight(variable.path, shape, role, unit_axes, input_axes, groups, layers)


def _list_names(chain: Chain) -> list[str]:
    """Return the name of the last layer, and that of the attribute under which the layer around it holds it."""
    layer = chain[-1]
    attributes = [name for holder in chain[-2:-1] for name, value in vars(holder).items() if value is layer]
    return [layer.name, *attributes]


def list_classes(layer: keras.Layer) -> list[type]:
    """Return the class of ``layer`` and those that it inherits from, up to Keras's Layer."""
    return [cls for cls in type(layer).__mro__ if issubclass(cls, keras.Layer)]


def _collect_holders(chain: Chain, holders: defaultdict[int, list[Chain]], seen: set[int]) -> None:
    """Add to ``holders`` the layers from the last of ``chain`` inward that hold a weight, by the weight's id."""
    layer = chain[-1]
    seen.add(id(layer))
    for variable in list_own_weights(layer):
        holders[id(variable)].append(chain)
    for inner in list_inner_layers(layer):
        if id(inner) not in seen:
            _collect_holders((*chain, inner), holders, seen)


def _find_owner(variable: keras.Variable, chains: list[Chain]) -> Chain:
    """Return the chain of the layer that made ``variable``.

    A layer that was given the weight of another holds it too, as SpectralNormalization does: the maker is in the
    weight's path, and lies innermost.
    """
    scopes = variable.path.split("/")[:-1]
    return max(chains, key=lambda chain: (bool(scopes) and scopes[-1] == chain[-1].name, len(chain)))
