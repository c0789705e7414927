"""regzoo: which regularizer, how strong, how sure - and the Keras model, ready to serve.

Everything here is imported when first used, so ``import regzoo`` imports no TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regzoo import backbones, regularizers
    from regzoo.api import build, compare
    from regzoo.core import InputError, Recipe, parse, register
    from regzoo.report.critical_difference import critical_difference_diagram
    from regzoo.search.hypermodel import hypermodel
    from regzoo.stats.rank import Ranking, rank
    from regzoo.sweeps import SweepResult, sweep
    from regzoo.testing import check_regularizer
    from regzoo.training.attach.attach import attach
    from regzoo.training.model.model import RegularizedModel

__version__ = "0.1.0"

_HOMES = {
    "attach": "regzoo.training.attach.attach",
    "build": "regzoo.api",
    "compare": "regzoo.api",
    "Result": "regzoo.result",
    "sweep": "regzoo.sweeps",
    "SweepResult": "regzoo.sweeps",
    "rank": "regzoo.stats.rank",
    "Ranking": "regzoo.stats.rank",
    "critical_difference_diagram": "regzoo.report.critical_difference",
    "RegularizedModel": "regzoo.training.model.model",
    "hypermodel": "regzoo.search.hypermodel",
    "check_regularizer": "regzoo.testing",
    "parse": "regzoo.core",
    "register": "regzoo.core",
    "Recipe": "regzoo.core",
    "InputError": "regzoo.core",
}

__all__ = [
    "InputError",
    "Ranking",
    "Recipe",
    "RegularizedModel",
    "Result",
    "SweepResult",
    "attach",
    "backbones",
    "build",
    "check_regularizer",
    "compare",
    "critical_difference_diagram",
    "hypermodel",
    "parse",
    "rank",
    "register",
    "regularizers",
    "sweep",
]


_FOLDERS = ("backbones", "regularizers")
"""Packages whose classes users name: ``regzoo.regularizers.Dropout(0.5)``."""


def __getattr__(name: str) -> Any:
    if name in _FOLDERS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'regzoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
