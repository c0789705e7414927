"""Validator of ``data.rare``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regzoo.config.values import accept_integer, accept_word, describe_received
from regzoo.core.errors import did_you_mean
from regzoo.data.rare_classes import ACTIONS, FORM, RareClasses

_ACCEPT = {"below": accept_integer("[2, inf)"), "do": accept_word(ACTIONS)}


def accept_rare(value: Any) -> RareClasses:
    """Accept the keys ``below`` and ``do``, both of them."""
    if isinstance(value, RareClasses):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"takes {FORM}, received {describe_received(value)}")
    problems: list[str] = []
    read: dict[str, Any] = {}
    for key in (str(key) for key in value if key not in _ACCEPT):
        problems.append(f"there is no key {key[:40]!r} in it.{did_you_mean(key, _ACCEPT)}")
    for key, accept in _ACCEPT.items():
        if key not in value:
            problems.append(f"lacks {key}; it takes {FORM}")
            continue
        try:
            read[key] = accept(value[key])
        except ValueError as error:
            problems.append(f"{key} {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return RareClasses(**read)
