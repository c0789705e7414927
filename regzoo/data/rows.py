"""Inputs and targets passed in Python, with what else a row may carry, before they are checked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows passed in Python, as the user gave them; None for what was not given.

    Attributes:
        x: inputs, or a `tf.data.Dataset` of inputs, targets and perhaps weights.
        y: targets.
        groups: (n,) group of each row.
        sample_weight: (n,) weight of each row.
        time: (n,) numbers or dates.
        part: (n,) ``train``, ``validation`` or ``test``; None leaves the row to the split.
    """

    x: Any = None
    y: Any = None
    groups: Any = None
    sample_weight: Any = None
    time: Any = None
    part: Any = None

    def to_keywords(self) -> dict[str, Any]:
        """Return what was given, by the name of its keyword.

        >>> Rows([[1]], groups=["a"]).to_keywords()
        {'x': [[1]], 'groups': ['a']}
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def roles(self) -> dict[str, Any]:
        """Return what was given besides inputs and targets."""
        return {name: value for name, value in self.to_keywords().items() if name not in ("x", "y")}
