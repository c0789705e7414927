"""The private names of Keras that regzoo uses: each exists in the installed Keras, and one file alone uses them."""

from __future__ import annotations

import ast
import functools
import importlib
from pathlib import Path
from typing import Any

import keras
import pytest

from regzoo.core._keras_compat import PRIVATE_NAMES

PACKAGE = Path(__file__).parents[2] / "regzoo"
COMPAT = PACKAGE / "core" / "_keras_compat.py"

OTHER_LIBRARIES = {
    "system/parent.py": {"_exit"},  # os
    "search/oracle.py": {
        "_get_size",
        "_get_epochs",
        "_get_num_brackets",
    },  # KerasTuner, of which one version is allowed
}
"""Underscored names that belong to neither regzoo nor Keras."""


COMMON = "keras.src.backend.common"
MODULES = ("keras.src.models.functional", "keras.src.models.cloning", f"{COMMON}.global_state", f"{COMMON}.variables")


@pytest.fixture(scope="module")
def owners() -> dict[str, Any]:
    """Return an object of each class whose private names are used."""
    inputs = keras.Input((4,))
    layer = keras.layers.Dense(3)
    hidden = layer(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    model.compile()
    optimizers = {kind: getattr(keras.optimizers, kind)() for kind in ("Adam", "RMSprop")}
    for optimizer in optimizers.values():
        optimizer.build(model.trainable_variables)
    several = keras.optimizers.MultiOptimizer(lambda variable: optimizers["Adam"])
    several.build([])
    node = getattr(layer, "_inbound_nodes", [None])[0]
    return {
        **{name: importlib.import_module(name) for name in MODULES},
        "Functional": model,
        "Model": model,
        "Node": node,
        "SymbolicArguments": getattr(node, "arguments", None),
        "KerasTensor": hidden,
        "Layer": layer,
        "Lambda": keras.layers.Lambda(lambda x: x),
        "Optimizer": optimizers["Adam"],
        "MultiOptimizer": several,
        "Variable": layer.kernel,
        **optimizers,
    }


def describe_missing(name: str, owners: dict[str, Any]) -> str | None:
    """Return why the installed Keras does not fit, or None if ``name`` is there."""
    owner, attribute = name.rsplit(".", 1)
    if hasattr(owners[owner], attribute):
        return None
    reason = PRIVATE_NAMES[name]
    return f"Keras {keras.__version__} has no {name} any more; regzoo/core/_keras_compat.py needs it: {reason}"


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_the_installed_keras_has_it(name: str, owners: dict[str, Any]) -> None:
    missing = describe_missing(name, owners)
    assert missing is None, missing


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_its_absence_is_reported_with_name_and_version(
    name: str, owners: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saboteur: a Keras without this one name."""
    owner, attribute = name.rsplit(".", 1)
    kind: Any = type(owners[owner])

    def hide(self: Any, wanted: str) -> Any:
        if wanted == attribute:
            raise AttributeError(wanted)
        return getattribute(self, wanted)

    if owner.startswith("keras."):
        monkeypatch.delattr(name)
    else:
        getattribute = kind.__getattribute__
        monkeypatch.setattr(kind, "__getattribute__", hide)
    missing = describe_missing(name, owners)
    monkeypatch.undo()
    assert missing is not None
    assert missing.startswith(f"Keras {keras.__version__} has no {name} any more")
    assert describe_missing(name, owners) is None


@functools.cache
def _list_foreign_names() -> set[tuple[str, str]]:
    """Return (file, name) of underscored attributes that are read, but defined nowhere in regzoo."""
    trees = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
    own, read = {Path(file).stem for file in trees}, set()
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and file != str(COMPAT.relative_to(PACKAGE)):
                own.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                own.add(node.id)
            elif isinstance(node, ast.Attribute):
                if isinstance(node.ctx, ast.Store):
                    own.add(node.attr)
                elif node.attr.startswith("_") and not node.attr.startswith("__"):
                    read.add((file, node.attr))
    return {(file, name) for file, name in read if name not in own}


@pytest.mark.slow
def test_no_other_file_uses_a_private_name_of_keras() -> None:
    compat = str(COMPAT.relative_to(PACKAGE))
    elsewhere = {(file, name) for file, name in _list_foreign_names() if file != compat}
    assert elsewhere == {(file, name) for file, names in OTHER_LIBRARIES.items() for name in names}
    sources = [path for path in PACKAGE.rglob("*.py") if "keras.src" in path.read_text()]
    assert sources == [COMPAT]


def test_every_private_name_in_the_file_is_listed() -> None:
    used = {name for file, name in _list_foreign_names() if file == str(COMPAT.relative_to(PACKAGE))}
    assert used <= {name.rsplit(".", 1)[1] for name in PRIVATE_NAMES}
    text = COMPAT.read_text().split('"""Owner and name')[1]
    assert [name for name in PRIVATE_NAMES if f".{name.rsplit('.', 1)[1]}" not in text] == []
