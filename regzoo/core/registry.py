"""Registry of regularizers and backbones: a folder's files, other packages' entry points, the user's own classes.

The folder is the registry: one file, one class, one name. There is no list to keep.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar

from regzoo.core.backbone import Backbone
from regzoo.core.component import Component, make_name
from regzoo.core.errors import InputError
from regzoo.core.regularizer import Regularizer

C = TypeVar("C", bound=Component)

_registered: dict[str, type[Regularizer]] = {}


def regularizers() -> dict[str, type[Regularizer]]:
    """Return every regularizer by name: regzoo's files, other packages' entry points, then the registered classes."""
    return {**_discover("regzoo.regularizers", Regularizer), **_load_entry_points(), **_registered}


def backbones() -> dict[str, type[Backbone]]:
    """Return every backbone by name: the files of ``regzoo/backbones``."""
    return dict(_discover("regzoo.backbones", Backbone))


def register(kind: type[Regularizer]) -> type[Regularizer]:
    """Register your own regularizer class under its name; works as a class decorator.

    Raises:
        InputError: if it is not a regularizer class, or regzoo has a regularizer of this name.
    """
    if not (isinstance(kind, type) and issubclass(kind, Regularizer)):
        raise InputError(f"register takes a regularizer class such as Dropout, received {kind!r}")
    if kind.name in _discover("regzoo.regularizers", Regularizer):
        raise InputError(f"the zoo already has a regularizer {kind.name!r}; rename the class {kind.__name__}")
    _registered[kind.name] = kind
    return kind


def list_registered_classes() -> tuple[type[Regularizer], ...]:
    """Return the registered classes, in the order of their names."""
    return tuple(_registered[name] for name in sorted(_registered))


def list_registered_modules() -> tuple[str, ...]:
    """Return the modules that define registered classes; a worker process imports them to know the same names."""
    return tuple(sorted({kind.__module__ for kind in list_registered_classes()}))


def attach_classes(
    package: str, known: Callable[[], Mapping[str, type[Component]]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose files hold one class each.

    A class is imported from its own file when it is first used, one of another package through ``known``.
    ``lazy_loader.attach`` would need a list of the classes: the file follows from the class (`make_name`), but ``L2SP``
    does not follow from ``l2_sp.py``.

    Args:
        package: name of the package, such as ``regzoo.regularizers``.
        known: returns all classes by name.
    """

    def list_classes() -> list[str]:
        return sorted(kind.__name__ for kind in known().values())

    def get_class(attribute: str) -> Any:
        if not attribute.startswith("_"):
            name = make_name(attribute)
            if name in _list_files(package):
                kind = getattr(importlib.import_module(f"{package}.{name}"), attribute, None)
            else:
                kind = known().get(name)
            if kind is not None and kind.__name__ == attribute:
                return kind
        raise AttributeError(f"{package} has no class {attribute!r}; it has {', '.join(list_classes())}")

    return get_class, list_classes


@functools.cache
def _load_entry_points() -> dict[str, type[Regularizer]]:
    """Return the classes named by other packages' entry points in the group ``regzoo.regularizers``."""
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
def _discover(package: str, base: type[C]) -> dict[str, type[C]]:
    found: dict[str, type[C]] = {}
    for name in _list_files(package):
        found[name] = _get_only_class(importlib.import_module(f"{package}.{name}"), base, name)
    return found


@functools.cache
def _list_files(package: str) -> tuple[str, ...]:
    """Return the names of a package's modules that hold a class: all but those with a leading underscore."""
    path = importlib.import_module(package).__path__
    return tuple(info.name for info in pkgutil.iter_modules(path) if not info.name.startswith("_"))


def _get_only_class(module: ModuleType, base: type[C], name: str) -> type[C]:
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
