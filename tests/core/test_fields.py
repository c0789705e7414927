"""Strengths and settings: accepted values, and messages for the others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from regzoo.core import Choice, Constant, Float, InputError, Int, Linear, Strength, setting, strength
from regzoo.core.component import Component


@dataclass(frozen=True)
class Sample(Component):
    """A component with one field of every kind."""

    rate: Strength = strength(Float(0.1, 0.7), neutral=0.0, domain="[0, 1)")
    count: Strength = strength(Int(2, 9), neutral=1, domain="[1, inf)")
    times: int = setting(3, domain="[1, 10]")
    margin: float = setting(0.0, domain="[0, inf)")
    shape: tuple[int, ...] = setting((4,), domain="[1, inf)")
    kind: str = setting("relu", options=("relu", "tanh"))
    nesterov: bool = setting(False)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("rate", 0, 0.0),
        ("rate", np.float32(0.5), 0.5),
        ("rate", np.array(0.25), 0.25),
        ("rate", Float(0.1, 0.2), Float(0.1, 0.2)),
        ("rate", Choice((0, 0.5)), Choice((0.0, 0.5))),
        ("rate", Linear(0.5, 0, epochs=3), Linear(0.5, 0.0, epochs=3)),
        ("rate", Constant(0.5), Constant(0.5)),
        ("count", 3.0, 3),
        ("count", np.int64(4), 4),
        ("count", Float(2, 4), Int(2, 4)),
        ("count", Choice((2.0, 5)), Choice((2, 5))),
        ("times", 10.0, 10),
        ("margin", 1, 1.0),
        ("shape", [3, 2.0], (3, 2)),
        ("shape", 7, (7,)),
        ("kind", "tanh", "tanh"),
        ("nesterov", True, True),
    ],
)
def test_a_value_is_kept_in_its_normal_form(field: str, given: Any, kept: Any) -> None:
    found = getattr(Sample(**{field: given}), field)
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("field", "given", "reason"),
    [
        ("rate", 1, "rate must lie in [0, 1), received 1"),
        ("rate", -0.1, "rate must lie in [0, 1), received -0.1"),
        ("rate", math.nan, "rate must lie in [0, 1), received nan"),
        ("rate", "high", "rate takes a number in [0, 1), received 'high'"),
        ("rate", True, "rate takes a number in [0, 1), received True"),
        ("rate", None, "rate takes a number in [0, 1), received None"),
        ("rate", np.zeros(2), "rate takes a number in [0, 1), received array([0., 0.])"),
        ("rate", Float(0.5, 1.0), "rate must lie in [0, 1), received 1.0"),
        ("rate", Choice((0.1, 2)), "rate must lie in [0, 1), received 2"),
        ("rate", Linear(0.5, 1.0, epochs=2), "rate must lie in [0, 1), received 1.0"),
        ("count", 2.5, "count takes a whole number in [1, inf), received 2.5"),
        ("count", math.inf, "count must lie in [1, inf), received inf"),
        ("count", Float(1.5, 3), "count a range of whole numbers has whole ends, received 1.5..3.0"),
        ("count", Linear(3, 1, epochs=2), "count cannot be scheduled, received linear(3.0, 1.0, epochs=2)"),
        ("times", 11, "times must lie in [1, 10], received 11"),
        ("times", True, "times takes whole numbers in [1, 10], received True"),
        ("times", math.inf, "times takes whole numbers in [1, 10], received inf"),
        ("times", math.nan, "times takes whole numbers in [1, 10], received nan"),
        ("margin", math.nan, "margin must lie in [0, inf), received nan"),
        ("margin", "a", "margin takes a float, received 'a'"),
        ("shape", [], "shape takes at least one number, received an empty list"),
        ("shape", [4, 0], "shape must lie in [1, inf), received 0"),
        ("shape", [4, "x"], "shape takes whole numbers in [1, inf), received 'x'"),
        ("kind", "rleu", "kind has no option 'rleu'. Did you mean 'relu'?"),
        ("kind", 3, "kind has no option 3. Available: relu, tanh."),
        ("nesterov", "yes", "nesterov takes a bool, received 'yes'"),
    ],
)
def test_a_refusal_names_field_value_and_domain(field: str, given: Any, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        Sample(**{field: given})
    assert str(raised.value) == f"sample: {reason}"


def test_left_out_strengths_are_left_to_the_search() -> None:
    assert (Sample().rate, Sample().count) == (Float(0.1, 0.7), Int(2, 9))
