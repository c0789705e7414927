"""The dtype policy of a model in its config: a file loads in the precision in which it was saved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras

KEY = "dtype_policy"

DEFAULT = "float32"
"""The policy of a config without the key."""


def describe_precision() -> dict[str, Any]:
    """Return what a config holds of the dtype policy of new layers: nothing for float32."""
    name = keras.config.dtype_policy().name
    return {} if name == DEFAULT else {KEY: name}


@contextlib.contextmanager
def precision_of(config: Mapping[str, Any]) -> Iterator[None]:
    """Give new layers the dtype policy of ``config`` while the block runs."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(config.get(KEY, DEFAULT))
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
