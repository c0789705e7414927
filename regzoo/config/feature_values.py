"""Validator of ``data.categorical_features``."""

from __future__ import annotations

from typing import Any

from regzoo.config.values import describe_received
from regzoo.config.yaml_source import Collection, Scalar
from regzoo.core.categorical_features import FORM, format_categorical_features, parse_categorical_features


def accept_categorical_features(value: Any) -> str:
    """Accept the columns of each category, see `parse_categorical_features`; from YAML also a short list of texts."""
    items = value.text if isinstance(value, Scalar) else value
    if isinstance(items, list | tuple):
        items = [item.text if isinstance(item, Scalar) else item for item in items]
    if isinstance(value, Collection) or (isinstance(items, list) and any(isinstance(one, Collection) for one in items)):
        raise ValueError(f"{FORM}; in a config as text, received {describe_received(value)}")
    groups = parse_categorical_features(items)
    if not groups:
        raise ValueError(f"{FORM}; without categories leave it out")
    return format_categorical_features(groups)
