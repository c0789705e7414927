"""`parametrize_with_checks`: one pytest test per law, for regularizers of the zoo and for other people's."""

from __future__ import annotations

import subprocess
import sys
import unittest
from dataclasses import dataclass
from typing import Any

import pytest

from regzoo.core import Float, InputError, OnLoss, OnWeights, Regularizer, Strength, Weight, strength
from regzoo.regularizers import Dropout, MaxNorm
from regzoo.testing import CHECKS, ContractError, Harness, contract, parametrize_with_checks

LINEAR = "linear"
NAMES = [check.__name__ for check in CHECKS]


@dataclass(frozen=True)
class Scaled(OnLoss):
    """Multiplies the loss."""

    factor: Strength = strength(Float(0.1, 0.5), neutral=1.0, domain="[0, inf)")

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """Return the scaled loss."""
        return self.factor * per_example


class Offset(Scaled):
    """Still scales the loss at its neutral strength."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """Return the loss, scaled too much."""
        return (self.factor + 0.5) * per_example


@dataclass(frozen=True)
class Idle(OnWeights):
    """Accepts no weight."""

    def rule(self, weight: Weight) -> None:
        """Leave every weight alone."""
        return


def collect(*regularizers: Regularizer) -> dict[str, str | None]:
    """Run every case as pytest does; return its outcome by id: None, or the class of the exception."""
    outcomes: dict[str, str | None] = {}
    for case in parametrize_with_checks(regularizers, LINEAR).args[1]:
        regularizer, check = case.values
        try:
            check(regularizer)
        except (ContractError, unittest.SkipTest) as error:
            outcomes[case.id] = type(error).__name__
        else:
            outcomes[case.id] = None
    return outcomes


@parametrize_with_checks([Scaled(0.3)], LINEAR)
def test_a_good_regularizer_passes_every_check(regularizer: Regularizer, check: Any) -> None:
    assert check(regularizer) is None


@pytest.mark.slow
def test_a_saboteur_fails_exactly_the_check_that_it_violates() -> None:
    assert collect(Scaled(0.3), Offset(0.3)) == {
        **{f"scaled(0.3)-{name}": None for name in NAMES},
        **{f"offset(0.3)-{name}": None for name in NAMES},
        "offset(0.3)-check_does_nothing_at_neutral": "ContractError",
    }


def test_without_a_place_to_act_one_check_fails_and_the_others_are_skipped() -> None:
    assert collect(Idle()) == {
        **{f"idle-{name}": "SkipTest" for name in NAMES},
        "idle-check_acts_where_it_says": "ContractError",
    }


@pytest.mark.slow
def test_the_checks_of_a_regularizer_share_its_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    class CountedHarness(Harness):
        """Counts its instances."""

        def __init__(self, regularizer: Regularizer, backbone: Any = None) -> None:
            built.append(regularizer)
            super().__init__(regularizer, backbone)

    monkeypatch.setattr(contract, "Harness", CountedHarness)
    regularizers = [Scaled(0.3), Scaled(0.4), Idle()]
    collect(*regularizers)
    assert built == regularizers


@pytest.mark.parametrize("value", [Dropout, "dropout(0.5)", None])
def test_anything_but_instances_is_rejected_at_collection(value: Any) -> None:
    with pytest.raises(InputError, match=r"parametrize_with_checks takes instances such as Dropout\(0\.5\), received"):
        parametrize_with_checks([MaxNorm(), value])


def test_importing_the_package_needs_no_pytest() -> None:
    script = "import sys; sys.modules['pytest'] = None; import regzoo.testing; regzoo.testing.parametrize_with_checks"
    subprocess.run([sys.executable, "-c", script], check=True)
