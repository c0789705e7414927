"""``import regzoo`` is enough to load a saved model: every registered class has a stand-in."""

from __future__ import annotations

import importlib
import pkgutil

import keras
import pytest

import regzoo
from regzoo.training import stand_ins


def test_every_registered_class_has_a_stand_in() -> None:
    for module in pkgutil.walk_packages(regzoo.__path__, "regzoo."):
        if not module.name.startswith(("regzoo.cli", "regzoo.bench", "regzoo.__main__")):
            importlib.import_module(module.name)
    names = [name.partition(">") for name in keras.saving.get_custom_objects()]
    assert {name for package, _, name in names if package == stand_ins.PACKAGE} == set(stand_ins.MODULES)


@pytest.mark.parametrize("name", stand_ins.MODULES)
def test_a_stand_in_makes_what_the_class_makes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.saving, "get_registered_object", lambda _: None)
    registered: dict[str, type] = {}
    monkeypatch.setattr(
        keras.saving,
        "register_keras_serializable",
        lambda package, name: lambda kind: registered.setdefault(f"{package}>{name}", kind),
    )
    stand_ins._register(keras)
    kind = getattr(importlib.import_module(stand_ins.MODULES[name]), name)
    monkeypatch.setattr(kind, "from_config", classmethod(lambda cls, config, **keywords: (cls, config, keywords)))
    made = registered[f"regzoo>{name}"].from_config({"a": 1}, custom_objects=None)  # type: ignore[attr-defined]
    assert made == (kind, {"a": 1}, {"custom_objects": None})
