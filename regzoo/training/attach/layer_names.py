"""Names of layers: those that Keras makes up, and those that a copy does not get from its config."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from regzoo.core._keras_compat import list_layers


def is_made_up(name: str, class_name: str) -> bool:
    """Return True if ``name`` is what Keras calls a layer of the class ``class_name`` that was given no name.

    >>> is_made_up("dense_7", "Dense"), is_made_up("forward_lstm", "LSTM"), is_made_up("head", "Dense")
    (True, True, False)
    """
    return re.fullmatch(rf"((forward|backward)_)?{_to_snake_case(class_name)}(_\d+)?", name) is not None


def strip_number(name: str, class_name: str) -> str:
    """Return ``name`` without the number that Keras put there.

    >>> strip_number("sequential_3", "Sequential"), strip_number("net_3", "Sequential")
    ('sequential', 'net_3')
    """
    return re.sub(r"_\d+$", "", name) if is_made_up(name, class_name) else name


def number_names(layers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return names that number the layers of a model in its own order, by the layers' own names.

    Args:
        layers: name and class of each layer; a name that the user gave stays.

    >>> number_names([("dense_7", "Dense"), ("head", "Dense"), ("dense_9", "Dense")])
    {'dense_7': 'dense 0', 'head': 'head', 'dense_9': 'dense 1'}
    """
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for name, class_name in layers:
        names[name] = name
        if is_made_up(name, class_name):
            base = strip_number(name, class_name)
            names[name] = f"{base} {seen[base]}"
            seen[base] += 1
    return names


def keep_names(original: Any, copy: Any) -> Any:
    """Return ``copy`` with the names of the layer ``original`` and of the layers in it.

    The config that Keras makes for a layer without a ``get_config`` of its own has no name.
    """
    pairs = list(zip(list_layers(original), list_layers(copy), strict=False))
    same = len(list_layers(original)) == len(list_layers(copy)) and all(type(a) is type(b) for a, b in pairs)
    for each, other in pairs if same else pairs[:1]:  # layers may be made when the copy is built
        if each.name != other.name:
            other.name = each.name
    return copy


def list_lost_names(model: Any) -> list[str]:
    """Return the names of all layers of ``model`` if the config of one of them has no name, else nothing."""
    layers = list_layers(model)
    return [layer.name for layer in layers] if any(_loses_name(each) for each in layers) else []


def _loses_name(layer: Any) -> bool:
    try:
        return "name" not in layer.get_config()
    except Exception:  # a layer inside another one, which makes it itself, may have no config
        return False


def _to_snake_case(class_name: str) -> str:
    """Return the name that Keras makes of a class, such as ``conv2d_transpose`` of Conv2DTranspose."""
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
