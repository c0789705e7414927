"""Keras, TensorFlow and modules that need them, imported when first used: a recipe is parsed in milliseconds.

Files that only *describe* what they do with Keras (regularizers, backbones) import it from here. ``lazy_loader.load``
does not fit: it puts an unloaded Keras into ``sys.modules``, which anything that walks through the loaded modules
(``inspect.getmodule``, for one) imports in full, and when two threads use it first at once one of them fails.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class LazyModule:
    """Stand-in for a module, imported when one of its attributes is first used.

    Args:
        module: the full name, such as ``keras``.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._module), attribute)


if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from regzoo.core import layers
else:
    keras = LazyModule("keras")
    tf = LazyModule("tensorflow")
    layers = LazyModule("regzoo.core.layers")

__all__ = ["LazyModule", "keras", "layers", "tf"]
