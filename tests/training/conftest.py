"""What tests of training share: a dtype policy that ends with the test."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import pytest


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    """Set the dtype policy that the test names, and the default back afterwards.

    float64 comes with floatx, as Keras's guide has it; "float64 alone" leaves floatx at float32, and "float32 in
    float64" has it the other way round.
    """
    name: str = request.param
    if name in ("float64", "float32 in float64"):
        keras.config.set_floatx("float64")
    keras.mixed_precision.set_global_policy(name.split()[0])
    yield name
    keras.config.set_floatx("float32")
    keras.mixed_precision.set_global_policy("float32")
