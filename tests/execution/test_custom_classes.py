"""Custom classes of the user's own model: what is known of workers before one has started."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from regzoo.core import InputError
from regzoo.execution.custom_classes import may_lack_classes, needs_script
from regzoo.training.own_model.own_model import OwnModel


def _setup(*classes: tuple[str, str], source: str | None = None) -> Any:
    return types.SimpleNamespace(model=OwnModel("net", "fresh", "0", classes, 1, source=source))


@pytest.mark.parametrize(
    ("classes", "uncertain"),
    [
        ((), False),
        ((("types", "SimpleNamespace"),), False),
        ((("types", "Local"),), True),  # registered inside a function
        ((("", "activation"),), True),
        ((("nowhere", "Layer"),), True),
        ((("__main__", "Layer"),), True),
    ],
)
def test_a_class_that_its_module_does_not_hold_is_uncertain(classes: Any, uncertain: bool) -> None:
    assert may_lack_classes(_setup(*classes)) is uncertain
    assert not may_lack_classes(_setup(*classes, source="class Layer: pass"))
    assert not may_lack_classes(types.SimpleNamespace(model=None))  # type: ignore[arg-type]


def test_a_class_of_an_interactive_session_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    for file in (None, "<stdin>"):
        sys.modules["__main__"].__file__ = file
        with pytest.raises(InputError, match=r"Half is defined in a notebook or an interactive session.*workers=0"):
            needs_script(_setup(("__main__", "Half")))
    sys.modules["__main__"].__file__ = __file__
    assert needs_script(_setup(("__main__", "Half")))
    assert not needs_script(_setup(("types", "SimpleNamespace")))
