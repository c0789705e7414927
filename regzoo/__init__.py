"""regzoo: which regularizer, how strong, how sure - and the Keras model, ready to serve.

Everything here is imported when first used, so ``import regzoo`` imports no TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regzoo.api import build, compare
    from regzoo.comparison.hypermodel import hypermodel
    from regzoo.comparison.ranking import Ranking, rank
    from regzoo.contract import check_regularizer
    from regzoo.language import InputError, Recipe, parse, register
    from regzoo.sweeps import SweepResult, sweep
    from regzoo.training.attach import attach
    from regzoo.training.model import RegularizedModel

__version__ = "0.1.0"

_HOMES = {
    "attach": "regzoo.training.attach",
    "build": "regzoo.api",
    "compare": "regzoo.api",
    "Result": "regzoo.result",
    "sweep": "regzoo.sweeps",
    "SweepResult": "regzoo.sweeps",
    "rank": "regzoo.comparison.ranking",
    "Ranking": "regzoo.comparison.ranking",
    "RegularizedModel": "regzoo.training.model",
    "hypermodel": "regzoo.comparison.hypermodel",
    "check_regularizer": "regzoo.contract",
    "parse": "regzoo.language",
    "register": "regzoo.language",
    "Recipe": "regzoo.language",
    "InputError": "regzoo.language",
}

__all__ = [
    "InputError",
    "Ranking",
    "Recipe",
    "RegularizedModel",
    "Result",
    "SweepResult",
    "attach",
    "build",
    "check_regularizer",
    "compare",
    "hypermodel",
    "parse",
    "rank",
    "register",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'regzoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
