"""The folder is the registry: one file, one class, one name; users register classes of their own."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from regzoo.core import InputError, OnWeights, Penalty, Regularizer, Weight, backbones, parse, register, registry
from regzoo.core.registry import list_registered_modules, regularizers
from regzoo.regularizers import Dropout

ZOO = Path(registry.__file__).parents[1]


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


def files(folder: str) -> list[str]:
    """Return the names of the files in a folder that hold a class each."""
    return sorted(path.stem for path in (ZOO / folder).glob("[!_]*.py"))


@pytest.mark.parametrize(("folder", "found"), [("regularizers", regularizers), ("backbones", backbones)])
def test_every_file_is_known_by_its_name(folder: str, found: object) -> None:
    kinds = found()  # type: ignore[operator]
    assert sorted(kinds) == files(folder)
    assert all(kind.name == name for name, kind in kinds.items())
    assert all(kind.__module__ == f"regzoo.{folder}.{name}" for name, kind in kinds.items())


def test_classes_are_importable_from_their_folder() -> None:
    import regzoo.backbones
    import regzoo.regularizers

    assert dir(regzoo.regularizers) == sorted(kind.__name__ for kind in regularizers().values())
    assert regzoo.regularizers.Dropout is regularizers()["dropout"]
    assert regzoo.backbones.Mlp is backbones()["mlp"]
    with pytest.raises(
        AttributeError, match=r"regzoo\.regularizers has no class 'Dropuot'; it has ActivationNoise, .*BatchNorm"
    ):
        _ = regzoo.regularizers.Dropuot
    with pytest.raises(AttributeError, match=r"regzoo\.backbones has no class 'Mpl'; it has Autoencoder, Cnn"):
        _ = regzoo.backbones.Mpl


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("class Wrong(Regularizer):\n    pass", "['wrong']"),
        ("", "[]"),
        ("class Lonely(Regularizer):\n    pass\n\nclass Second(Regularizer):\n    pass", "['lonely', 'second']"),
    ],
)
def test_a_file_holds_one_class_of_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, found: str
) -> None:
    package = f"folder_{abs(hash(body))}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    (tmp_path / package / "lonely.py").write_text(f"from regzoo.core import Regularizer\n{body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as raised:
        registry._discover(package, Regularizer)
    assert str(raised.value) == f"{package}.lonely must define one Regularizer named 'lonely', found {found}"
    for name in [name for name in sys.modules if name.startswith(package)]:
        monkeypatch.delitem(sys.modules, name)


def test_a_users_own_class_is_read_like_the_zoos() -> None:
    @register
    @dataclass(frozen=True)
    class Mine(OnWeights):
        """Does nothing of note."""

        def rule(self, weight: Weight) -> Penalty | None:
            return None

    assert str(parse("mine + l2(0.1)")) == "mine + l2(0.1)"
    assert list(regularizers())[-1] == "mine"
    assert list_registered_modules() == (__name__,)


@pytest.mark.parametrize("what", [Dropout(0.5), 3, int])
def test_what_is_no_class_of_a_regularizer_is_not_registered(what: Any) -> None:
    with pytest.raises(InputError, match="register takes a regularizer class such as Dropout"):
        register(what)


def test_a_name_of_the_zoo_cannot_be_taken() -> None:
    class Dropout(OnWeights):
        """Not the zoo's."""

    with pytest.raises(InputError, match="the zoo already has a regularizer 'dropout'; rename the class Dropout"):
        register(Dropout)
    assert regularizers()["dropout"] is not Dropout


PLUGIN = """
from dataclasses import dataclass
from regzoo.core import Float, OnLoss, Strength, strength

@dataclass(frozen=True)
class Halved(OnLoss):
    \'\'\'Take a share of the loss.\'\'\'

    share: Strength = strength(Float(0.1, 0.9), neutral=1.0, domain="[0, 1]")

    def loss(self, y, logits, per_example):
        return self.share * per_example
"""


def test_other_packages_offer_regularizers_by_entry_point(tmp_path: Path) -> None:
    """Parse, list and describe a regularizer of an installed package."""
    (tmp_path / "halving.py").write_text(PLUGIN)
    installed = tmp_path / "halving-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: halving\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[regzoo.regularizers]\nhalved = halving:Halved\n")
    script = (
        "import regzoo; from regzoo.cli.zoo_cards import describe_component; from regzoo.regularizers import Halved\n"
        "print(regzoo.parse('dropout(0.5) + halved(0.3)'), Halved(0.2), "
        "describe_component('halved')['does'])"
    )
    paths = os.pathsep.join((str(tmp_path), str(ZOO.parent)))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "dropout(0.5) + halved(0.3) halved(0.2) Take a share of the loss.\n", done.stderr


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(int, "names no regularizer class"), (regularizers()["dropout"], "takes a name of the zoo: dropout")],
)
def test_what_an_entry_point_must_not_name(monkeypatch: pytest.MonkeyPatch, kind: type, reason: str) -> None:
    point = SimpleNamespace(name="elsewhere", value="elsewhere:Elsewhere", load=lambda: kind)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    with pytest.raises(ImportError, match=f"the entry point elsewhere = elsewhere:Elsewhere {reason}"):
        registry._load_entry_points.__wrapped__()
