"""Canonical configs of Keras models: equal for equal models, whatever numbers Keras put into layer names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import keras

from regzoo.training.attach.layer_names import is_made_up, number_names, strip_number
from regzoo.training.own_model.own_model import SCRIPT

Config = dict[str, Any]
"""A model or layer as ``keras.saving.serialize_keras_object`` returns it."""

_NO_PART = ("shared_object_id", "compile_config")
"""Keys that are no part of a model: an address in memory, and what a nested model was compiled with."""

_CLASS, _CONFIG, _MODULE = "class_name", "config", "module"


def make_canonical(config: Any) -> Any:
    """Return ``config`` with the names that Keras made up replaced by numbers in the order of the layers.

    Keras numbers layers by what a program has built before: ``dense_7``. A name that the user gave stays.
    """
    return _rename(config, {}, Counter())


def list_custom_classes(config: Any) -> list[tuple[str, str]]:
    """Return module and name of every class in ``config`` that is not Keras's own, sorted."""
    found = set()
    for each in _list_objects(config):
        module, name = each.get(_MODULE), each[_CLASS]
        if module is None and each.get("registered_name") is not None:
            module = SCRIPT
        if name != "function" and module and module != "builtins" and not re.match(r"keras(\.|$)", module):
            found.add((module, name))
    return sorted(found)


def list_custom_functions(config: Any) -> list[str]:
    """Return the name of every function in ``config`` that is not Keras's own, sorted; Keras keeps no module of it."""
    functions = [each for each in _list_objects(config) if each[_CLASS] == "function"]
    own = {each[_CONFIG] for each in functions if not re.match(r"keras(\.|$)", each.get(_MODULE) or "")}
    plain = {name.rsplit(">", 1)[-1] for name in own if isinstance(name, str)}  # else "package>name"
    return sorted(name for name in plain if not _is_of_keras(name))


def _is_of_keras(name: str) -> bool:
    """Return True if Keras finds a function of this name by itself."""
    modules = ("activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers")
    return any(hasattr(getattr(keras, module), name) for module in modules)


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
    layers = inner.get("layers") if isinstance(inner, Mapping) else None
    own = _name_layers(layers) if isinstance(layers, list) else None  # else the names around it
    renamed = {
        key: _rename(each, names, seen) if own is None or key != _CONFIG else _rename(each, own, Counter())
        for key, each in value.items()
        if key not in _NO_PART
    }
    name, class_name = _get_name(value)
    if name is not None and name in names:
        renamed[_CONFIG]["name"] = names[name]
    elif name is not None and is_made_up(name, class_name):
        base = strip_number(name, class_name)
        renamed[_CONFIG]["name"] = f"{base} {seen[base]}"
        seen[base] += 1
    return renamed


def _name_layers(layers: list[Any]) -> dict[str, str]:
    """Return a canonical name for each layer of a model, by its own name."""
    named = [_get_name(layer) for layer in layers]
    return number_names((name, class_name) for name, class_name in named if name is not None)


def _get_name(value: Any) -> tuple[str | None, str]:
    """Return the name that the object in ``value`` was given, None if it has none, and its class."""
    inner = value.get(_CONFIG) if isinstance(value, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    return (name if isinstance(name, str) else None), str(value.get(_CLASS, "") if isinstance(value, Mapping) else "")
