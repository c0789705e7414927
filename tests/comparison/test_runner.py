"""Sitting: what is decided once for a comparison stays decided, however often it is interrupted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from regzoo.comparison import runner as sitting
from regzoo.config import from_keywords
from regzoo.execution.xla import Decision
from regzoo.storage.ledger import FILE, Ledger
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

STUDY = TrainingSetup("mlp([4])", Task("classification", 3), (4,), "adam", 32, "nll", "data")
FASTER = Decision(True, 2.0, 1.0, 3.0, "a step takes 1 ms with XLA and 2 ms without")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What XLA was measured for."""
    asked: list[Any] = []

    def measure(*given: Any) -> Decision:
        asked.append(given)
        return FASTER

    monkeypatch.setattr(sitting, "measure_xla", measure)
    return asked


def compiled(jit: bool | str, folder: Path | None) -> tuple[bool, Any]:
    experiment = from_keywords(backbone="mlp([4])", recipes=["dropout"], training={"jit_compile": jit})
    setup, noted = sitting.resolve_jit_compile(experiment, STUDY, {}, folder)
    return setup.jit_compile, noted


def test_xla_is_measured_once_for_a_comparison(measured: list[Any], tmp_path: Path) -> None:
    assert compiled("auto", tmp_path) == (True, dataclasses.asdict(FASTER))
    assert [recipes for _, _, recipes in measured] == [["none", "dropout(0.05)"]]
    with Ledger(tmp_path, create=True) as ledger:
        ledger.set_info(sitting.XLA, dataclasses.asdict(FASTER) | {"jit_compile": False})
    assert compiled("auto", tmp_path)[0] is False  # as it began
    assert len(measured) == 1
    assert compiled("auto", None)[0] is True  # a fresh one has another network, perhaps
    assert len(measured) == 2


def test_xla_is_not_measured_where_it_is_chosen(measured: list[Any], tmp_path: Path) -> None:
    assert compiled(True, tmp_path) == (True, None)
    assert compiled(False, tmp_path) == (False, None)
    assert measured == []


def test_a_comparison_interrupted_while_its_ledger_was_made_goes_on(measured: list[Any], tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    assert compiled("auto", tmp_path)[0] is True
    assert len(measured) == 1
