"""The backbones. The folder is the registry: one file, one backbone; the file's name is the name in a config."""

from __future__ import annotations

from typing import Any

from regzoo.core.registry import backbones


def __getattr__(attribute: str) -> Any:
    """``regzoo.backbones.Mlp`` is the class in ``mlp.py``."""
    classes = {} if attribute.startswith("_") else {kind.__name__: kind for kind in backbones().values()}
    if attribute in classes:
        return classes[attribute]
    raise AttributeError(f"there is no backbone class {attribute!r}; there is {', '.join(sorted(classes))}")
