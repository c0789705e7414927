"""The folder is the registry: one file, one class, one name. Users register their own classes beside it."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from types import ModuleType
from typing import TypeVar

from regzoo.core.backbone import Backbone
from regzoo.core.component import Component
from regzoo.core.errors import InputError
from regzoo.core.regularizer import Regularizer

N = TypeVar("N", bound=Component)

_own: dict[str, type[Regularizer]] = {}


def regularizers() -> dict[str, type[Regularizer]]:
    """Every regularizer by name: the zoo's files, the entry points of other packages, then those registered."""
    return {**_discover("regzoo.regularizers", Regularizer), **_installed(), **_own}


def backbones() -> dict[str, type[Backbone]]:
    """Every backbone by name: the files of ``regzoo/backbones``."""
    return dict(_discover("regzoo.backbones", Backbone))


def register(kind: type[Regularizer]) -> type[Regularizer]:
    """Make a regularizer of your own known by its name; works as a class decorator.

    Raises:
        InputError: if it is no regularizer class, or the zoo has a regularizer of this name.
    """
    if not (isinstance(kind, type) and issubclass(kind, Regularizer)):
        raise InputError(f"register takes a regularizer class such as Dropout, received {kind!r}")
    if kind.name in _discover("regzoo.regularizers", Regularizer):
        raise InputError(f"the zoo already has a regularizer {kind.name!r}; rename the class {kind.__name__}")
    _own[kind.name] = kind
    return kind


def registered() -> tuple[type[Regularizer], ...]:
    """Return the classes that the user has registered, in the order of their names."""
    return tuple(_own[name] for name in sorted(_own))


def own_modules() -> tuple[str, ...]:
    """The modules that define the user's own classes: a worker imports them to know the same names."""
    return tuple(sorted({kind.__module__ for kind in registered()}))


@functools.cache
def _installed() -> dict[str, type[Regularizer]]:
    """Those of other packages: entry points of the group ``regzoo.regularizers``, each naming a class."""
    found = {}
    for point in importlib.metadata.entry_points(group="regzoo.regularizers"):
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Regularizer)):
            raise ImportError(f"the entry point {point.name} = {point.value} names no regularizer class")
        if kind.name in _discover("regzoo.regularizers", Regularizer):
            raise ImportError(f"the entry point {point.name} = {point.value} takes a name of the zoo: {kind.name}")
        found[kind.name] = kind
    return found


@functools.cache
def _discover(package: str, base: type[N]) -> dict[str, type[N]]:
    found: dict[str, type[N]] = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        found[info.name] = _only_class(module, base, info.name)
    return found


def _only_class(module: ModuleType, base: type[N], name: str) -> type[N]:
    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base) and kind.__module__ == module.__name__
    ]
    if [kind.name for kind in kinds] != [name]:
        raise ImportError(
            f"{module.__name__} must define one {base.__name__} named {name!r}, found {[kind.name for kind in kinds]}"
        )
    return kinds[0]
