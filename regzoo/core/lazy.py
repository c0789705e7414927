"""Keras and TensorFlow, imported when first used: a recipe is read in milliseconds, not in seconds.

Files that only *describe* what they do with Keras (the zoo, the backbones) import it from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class Lazy:
    """A module that is imported when its first attribute is asked for."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._module), attribute)


if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from regzoo.core import layers
else:
    keras = Lazy("keras")
    tf = Lazy("tensorflow")
    layers = Lazy("regzoo.core.layers")

__all__ = ["Lazy", "keras", "layers", "tf"]
