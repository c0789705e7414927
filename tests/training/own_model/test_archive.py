"""Configs in ``.keras`` files that Keras did not write: refused with a sentence before anything of them is loaded."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import InputError
from regzoo.training.own_model.archive import MAX_DEPTH, read_archive_config

DENSE = {"module": "keras.layers", "class_name": "Dense", "registered_name": None, "config": {"name": "d", "units": 3}}
MODEL = {
    "module": "keras",
    "class_name": "Sequential",
    "registered_name": "Sequential",
    "config": {"name": "mine", "layers": [DENSE, DENSE], "build_input_shape": [None, 4]},
    "compile_config": {"optimizer": None, "loss": "mse"},
}


def pack(config: str) -> bytes:
    """Return an archive with a config."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", config)
    return packed.getvalue()


def nest(depth: int, opening: str, closing: str) -> str:
    """Return the model with a value that is nested so deep in it, and that a class of the user's might keep."""
    return json.dumps({**MODEL, "extra": "@"}).replace('"@"', opening * (depth - 1) + "1" + closing * (depth - 1))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"config": ', "}]")])
def test_a_config_is_nested_as_deep_as_it_can_be_walked(opening: str, closing: str) -> None:
    from regzoo.training.own_model.canonical import has_class, list_custom_classes, make_canonical

    per = 2 if opening.startswith("[{") else 1
    deepest = (MAX_DEPTH - 2) // per + 1
    most = read_archive_config(pack(nest(deepest, opening, closing)), "x.keras")
    make_canonical(most)
    assert not has_class(most, "Lambda")
    assert list_custom_classes(most) == []
    for depth in (deepest + 1, 500, 900, 2_000, 100_000):
        with pytest.raises(InputError, match=r"^x\.keras is no \.keras file that Keras wrote \("):
            read_archive_config(pack(nest(depth, opening, closing)), "x.keras")


def list_objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every object of Keras's in a config."""
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from list_objects(each, (*path, key))


@pytest.mark.parametrize("value", [5, 1.5, True, [], ["keras"], {"a": 1}])
@pytest.mark.parametrize("key", ["module", "class_name", "registered_name"])
@pytest.mark.parametrize("path", list(list_objects(MODEL)), ids=str)
def test_an_object_names_its_class_in_words(path: tuple[Any, ...], key: str, value: Any) -> None:
    config = json.loads(json.dumps(MODEL))
    inner = config
    for step in path:
        inner = inner[step]
    inner[key] = value
    with pytest.raises(InputError, match=f"{key} is no text"):
        read_archive_config(pack(json.dumps(config)), "x.keras")


@pytest.mark.parametrize("value", ["mse", 5, [], True])
def test_what_a_model_was_compiled_with_is_an_object(value: Any) -> None:
    with pytest.raises(InputError, match="compile_config is no object"):
        read_archive_config(pack(json.dumps({**MODEL, "compile_config": value})), "x.keras")


@pytest.mark.parametrize("module", ["a." * 5_000 + "b", "a\0b", "..b", ".", "\ud800"])
def test_a_module_of_a_name_that_cannot_be_imported_is_in_no_file(module: str, tmp_path: Path) -> None:
    from regzoo.training.own_model.custom_classes import find_module_file

    assert find_module_file(module, [tmp_path]) is None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: Path(path).symlink_to("/dev/zero")])
def test_a_model_and_a_program_are_files(make: Callable[[Any], object], tmp_path: Path) -> None:
    from regzoo.training.own_model.read import read_file, read_function

    make(tmp_path / "m.keras")
    with pytest.raises(InputError, match=r"m\.keras cannot be read: it is a .*, and no file"):
        read_file(tmp_path / "m.keras", "fresh")
    make(tmp_path / "m.py")
    with pytest.raises(InputError, match=r"m\.py cannot be read: it is a .*, and no file"):
        read_function(f"{tmp_path}/m.py:build", "fresh", (4,), 3)
