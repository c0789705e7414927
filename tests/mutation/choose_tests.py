"""Which tests a mutant has to get past: its module's own first, then what else tests the module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.mutation.mutants import ROOT, list_modules

CONTRACT = "tests/testing/test_contract.py"

ELSEWHERE = ("tests/test_identities.py", "tests/training/model", "tests/training/attach")
"""Where tests of a regularizer stand besides its own folder."""

MOST_FILES = 2
"""Number of files from there that are run: those that name it most often."""

GENERAL = (
    "tests/regularizers/test_declarations.py",
    "tests/regularizers/test_streams.py",
    "tests/backbones/test_defaults.py",
    "tests/backbones/test_slot_order.py",
)
"""Tests of all modules of a folder, by their names."""

MOST_USERS = 3
"""Number of regularizers whose contract tests a helper that they share."""


@cache
def read_text(path: Path) -> str:
    """Return the text of a file, read once."""
    return path.read_text(encoding="utf-8")


def list_stages(module: str) -> list[tuple[str, ...]]:
    """Return pytest's arguments for each stage; a stage runs only if the mutant survived those before it."""
    folder, name = module.split(".")[1:]
    users, own = _list_users(module), list_own(module)
    names = "|".join(users[:MOST_USERS] if name.startswith("_") else [name])
    general = tuple(f"{file}?{names}" for file in GENERAL if file.startswith(f"tests/{folder}/"))
    words = [name.lstrip("_"), *users] if name.startswith("_") else [name, _read_class(module)]
    files = [file for file in _list_mentions([f"tests/{folder}"], words) if file not in (*own, *GENERAL)]
    of_users = [file for user in users for file in _list_own(folder, user) if file in files]
    shared = dict.fromkeys([*(file for file in files if not _is_of_one_module(folder, file)), *of_users])
    elsewhere = _list_mentions(ELSEWHERE, words)[:MOST_FILES]
    return [stage for stage in ((*own, *general), tuple(shared), (f"{CONTRACT}?{names}", *elsewhere)) if stage]


def _is_of_one_module(folder: str, file: str) -> bool:
    return (ROOT / "regzoo" / folder / f"{Path(file).stem.removeprefix('test_')}.py").exists()


def split_names(arguments: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return pytest's arguments, and for files of which only some tests are wanted the pattern of their names."""
    parts = [argument.partition("?") for argument in arguments]
    return [file for file, _, _ in parts], {file: names for file, _, names in parts if names}


def list_own(module: str) -> tuple[str, ...]:
    """Return the test files of a module, and for a helper without one those of the modules that use it."""
    folder, name = module.split(".")[1:]
    own = _list_own(folder, name)
    return own or tuple(dict.fromkeys(file for user in _list_users(module) for file in _list_own(folder, user)))


def _list_own(folder: str, name: str) -> tuple[str, ...]:
    """Return the test files that name the module in their own name or among what they cover."""
    return tuple(
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
        if name.lstrip("_") in (path.stem.removeprefix("test_"), *_read_covered(path))
    )


@cache
def _read_covered(path: Path) -> tuple[str, ...]:
    for node in ast.parse(read_text(path)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COVERS":
            return tuple(ast.literal_eval(node.value))
    return ()


def _list_mentions(folders: Iterable[str], words: list[str]) -> list[str]:
    """Return the test files that contain one of the words, most occurrences first."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")
    paths = [path for folder in folders for path in ([ROOT / folder] if folder.endswith(".py") else _glob(folder))]
    found = {str(path.relative_to(ROOT)): len(pattern.findall(read_text(path))) for path in paths}
    return sorted((file for file, count in found.items() if count), key=lambda file: -found[file])


def _glob(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("test_*.py"))


def _list_users(module: str) -> list[str]:
    """Return the names of the modules that import this one."""
    return [
        name.rpartition(".")[2]
        for name, path in list_modules().items()
        if name != module and re.search(rf"\b{re.escape(module)}\b", read_text(path))
    ]


def _read_class(module: str) -> str:
    names = re.findall(r"^class ([A-Z]\w*)", read_text(list_modules()[module]), re.MULTILINE)
    return names[0] if names else module.rpartition(".")[2]
