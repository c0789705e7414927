"""Canonical configs of Keras models: equal for equal models, whatever numbers Keras put into layer names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Config = dict[str, Any]
"""A model or layer as ``keras.saving.serialize_keras_object`` returns it."""

_CLASS, _CONFIG, _MODULE = "class_name", "config", "module"


def make_canonical(config: Any) -> Any:
    """Return ``config`` with the names that Keras made up replaced by numbers in the order of the layers.

    Keras numbers layers by what a program has built before: ``dense_7``. A name that the user gave stays.
    """
    return _rename(config, {}, Counter())


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


def list_custom_classes(config: Any) -> list[tuple[str, str]]:
    """Return module and name of every class and function in ``config`` that is not Keras's own, sorted."""
    found = set()
    for each in _list_objects(config):
        module, name = each.get(_MODULE), each[_CLASS]
        name = each[_CONFIG] if name == "function" else name
        if module and module != "builtins" and not re.match(r"keras(\.|$)", module) and isinstance(name, str):
            found.add((module, name))
    return sorted(found)


def has_class(config: Any, name: str) -> bool:
    """Return True if an object of the class ``name`` is in ``config``."""
    return any(each[_CLASS] == name for each in _list_objects(config))


def _list_objects(config: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(config, Mapping):
        if isinstance(config.get(_CLASS), str) and _CONFIG in config:
            yield config
        for value in config.values():
            yield from _list_objects(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _list_objects(value)


def _rename(value: Any, names: Mapping[str, str], seen: Counter[str]) -> Any:
    """Return ``value`` with ``names`` replaced; ``seen`` counts the layers of each class in this model."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list | tuple):
        return [_rename(each, names, seen) for each in value]
    if not isinstance(value, Mapping):
        return value
    inner = value.get(_CONFIG)
    if isinstance(inner, Mapping) and isinstance(inner.get("layers"), list):
        names, seen = _name_layers(inner["layers"]), Counter()
    renamed = {key: _rename(each, names, seen) for key, each in value.items()}
    name, class_name = _get_name(value)
    if name is not None and is_made_up(name, class_name) and name not in names:
        base = strip_number(name, class_name)
        renamed[_CONFIG]["name"] = f"{base} {seen[base]}"
        seen[base] += 1
    return renamed


def _name_layers(layers: list[Any]) -> dict[str, str]:
    """Return a canonical name for each layer of a model that has a made-up one."""
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for layer in layers:
        name, class_name = _get_name(layer)
        if name is not None and is_made_up(name, class_name):
            base = strip_number(name, class_name)
            names[name] = f"{base} {seen[base]}"
            seen[base] += 1
    return names


def _get_name(value: Any) -> tuple[str | None, str]:
    """Return the name that the object in ``value`` was given, None if it has none, and its class."""
    inner = value.get(_CONFIG) if isinstance(value, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    return (name if isinstance(name, str) else None), str(value.get(_CLASS, "") if isinstance(value, Mapping) else "")


def _to_snake_case(class_name: str) -> str:
    """Return the name that Keras makes of a class, such as ``conv2d_transpose`` of Conv2DTranspose."""
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
