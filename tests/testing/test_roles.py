"""The law about roles of weights: every weight regularizer of the zoo keeps it, and its samples are what it says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from regzoo.core import OnWeights, regularizers
from regzoo.testing import roles
from regzoo.testing.harness import fix_strengths

pytestmark = pytest.mark.usefixtures("tensorflow")

ZOO = [cls() for cls in regularizers().values() if issubclass(cls, OnWeights)]


@pytest.mark.parametrize("regularizer", ZOO, ids=lambda each: each.name)
def test_the_zoo_knows_roles(regularizer: OnWeights) -> None:
    harness: Any = SimpleNamespace(regularizer=fix_strengths(regularizer))
    roles.check_knows_roles(harness)


def test_the_samples_have_the_layouts_that_the_law_is_about() -> None:
    samples = roles._describe_samples()
    assert {name: samples[name].unit_axes for name in roles.WITH_UNITS} == {
        "depthwise/kernel": (2, 3),
        "transposed/kernel": (2,),
        "heads/kernel": (1, 2),
        "gru_cell/kernel": (1,),
        "words/embeddings": (0,),
    }
    for usual, other in roles.TWINS:
        assert samples[usual].role == samples[other].role
        assert len(samples[usual].shape) < len(samples[other].shape)
