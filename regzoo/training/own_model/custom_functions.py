"""Functions of the user's that a live Keras model uses: an activation, an initializer, a loss."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from regzoo.core._keras_compat import list_layers

UNKNOWN = ""
"""Stands for the module of a function that only its name is known of."""


def locate_functions(names: Sequence[str], model: keras.Model) -> list[tuple[str, str]]:
    """Return module and name of functions that ``model`` uses; `UNKNOWN` for the module of those that are not found.

    Keras keeps the name of a function alone, so its module is read off the layers, the optimizer and the loss.

    Args:
        names: of the functions.
        model: as the user built it, or as Keras loaded it.
    """
    modules: dict[str, str] = {}
    if names:
        seen: set[int] = set()
        for part in [*list_layers(model), model, getattr(model, "optimizer", None), getattr(model, "loss", None)]:
            modules |= {function.__name__: function.__module__ for function in _list_functions(part, seen)}
    return [(modules.get(name, UNKNOWN), name) for name in names]


def _list_functions(value: Any, seen: set[int]) -> Iterator[types.FunctionType]:
    """Yield the functions in the attributes of Keras objects, at any depth, but for methods."""
    if id(value) in seen or isinstance(value, type):
        return
    seen.add(id(value))
    if isinstance(value, types.FunctionType):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _list_functions(each, seen)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _list_functions(each, seen)
    elif hasattr(value, "get_config") and hasattr(value, "__dict__"):
        for each in vars(value).values():
            yield from _list_functions(each, seen)
