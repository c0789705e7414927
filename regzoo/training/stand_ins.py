"""Stand-ins for the classes that Keras files of regzoo name, so that ``import regzoo`` is enough to load such a file.

Keras finds a class only if it is registered. Importing the classes with regzoo would import TensorFlow; so stand-ins
are registered as soon as Keras is imported, and each imports its class when a file needs it.
"""

from __future__ import annotations

import importlib
from typing import Any

import wrapt

PACKAGE = "regzoo"

MODULES = {
    "AttachedModel": "regzoo.training.attach.attach",
    "RegularizedModel": "regzoo.training.model.build",
    "PositionEmbedding": "regzoo.backbones._positions",
    "Masked": "regzoo.backbones._positions",
    "MonteCarlo": "regzoo.regularizers._monte_carlo",
    "FusedAdam": "regzoo.training.optimizers",
    "FusedAdamW": "regzoo.training.optimizers",
    "FusedRMSprop": "regzoo.training.optimizers",
    "FusedSGD": "regzoo.training.optimizers",
}
"""Module of each class that a file may name."""


def register_stand_ins() -> None:
    """Register a stand-in for each class, at once if Keras is imported, else when it is."""
    wrapt.register_post_import_hook(_register, "keras")


def _register(keras: Any) -> None:
    for name, module in MODULES.items():
        if keras.saving.get_registered_object(f"{PACKAGE}>{name}") is None:
            keras.saving.register_keras_serializable(PACKAGE, name)(_make_stand_in(name, module))


def _make_stand_in(name: str, module: str) -> type:
    """Return a class whose ``from_config`` is that of the class called ``name`` in ``module``."""

    def from_config(cls: type, config: Any, /, **keywords: Any) -> Any:
        return getattr(importlib.import_module(module), name).from_config(config, **keywords)

    def get_config(self: object) -> Any:
        raise NotImplementedError(f"a stand-in for {name} is never made")  # Keras registers only classes that have it

    return type(name, (), {"from_config": classmethod(from_config), "get_config": get_config})
