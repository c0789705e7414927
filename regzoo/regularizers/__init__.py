"""The zoo. The folder is the registry: one idea, one file; the file's name is the name in a recipe."""

from __future__ import annotations

from typing import Any

from regzoo.core.component import Component
from regzoo.core.registry import regularizers


def _classes() -> dict[str, type[Component]]:
    return {kind.__name__: kind for kind in regularizers().values()}


def __getattr__(attribute: str) -> Any:
    """``regzoo.regularizers.Dropout`` is the class in ``dropout.py``."""
    classes = {} if attribute.startswith("_") else _classes()
    if attribute in classes:
        return classes[attribute]
    raise AttributeError(f"the zoo has no class {attribute!r}; it has {', '.join(sorted(classes))}")


def __dir__() -> list[str]:
    return sorted(_classes())
