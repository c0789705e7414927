"""The random state of Python, which Keras draws from whenever a layer with a random stream is made."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keep_python_random() -> Iterator[None]:
    """Leave the random state of Python as it was before."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
