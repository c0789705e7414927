"""The folder is the registry: one file, one class, one name; a user's own stand beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from regzoo.language import InputError, OnWeights, Penalty, Regularizer, Weight, backbones, parse, register, registry
from regzoo.language.registry import own_modules, regularizers

ZOO = Path(registry.__file__).parents[1]


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_own", {})


def files(folder: str) -> list[str]:
    """The names of the files in a folder that hold a class each."""
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
    with pytest.raises(AttributeError, match=r"the zoo has no class 'Dropuot'; it has ActivationNoise, .*BatchNorm"):
        _ = regzoo.regularizers.Dropuot
    with pytest.raises(AttributeError, match="there is no backbone class 'Mpl'; there is Autoencoder, Cnn"):
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
    (tmp_path / package / "lonely.py").write_text(f"from regzoo.language import Regularizer\n{body}\n")
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
    assert own_modules() == (__name__,)


def test_a_name_of_the_zoo_cannot_be_taken() -> None:
    class Dropout(OnWeights):
        """Not the zoo's."""

    with pytest.raises(InputError, match="the zoo already has a regularizer 'dropout'; rename the class Dropout"):
        register(Dropout)
    assert regularizers()["dropout"] is not Dropout


def test_other_packages_offer_regularizers_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(kind: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="elsewhere", value="elsewhere:Elsewhere", load=lambda: kind)]

    zoo = regularizers()["dropout"]
    monkeypatch.setattr(registry.importlib.metadata, "entry_points", lambda group: offered(zoo))
    assert registry._installed.__wrapped__() == {"dropout": zoo}
    monkeypatch.setattr(registry.importlib.metadata, "entry_points", lambda group: offered(int))
    with pytest.raises(ImportError, match="elsewhere = elsewhere:Elsewhere names no regularizer class"):
        registry._installed.__wrapped__()
