"""The public names of regzoo: one list, lazy at run time, known to type checkers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import regzoo

ROOT = Path(__file__).parents[1]

PUBLIC = [
    *("InputError", "Ranking", "Recipe", "RegularizedModel", "Result", "SweepResult", "attach", "backbones", "build"),
    *("check_regularizer", "compare", "critical_difference_diagram", "hypermodel", "parse", "rank", "register"),
    *("regularizers", "sweep"),
]
"""What users can rely on: a name may be added, but none may go."""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own."""
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)


def test_dir_is_the_list_of_the_stub() -> None:
    stub = ast.parse((ROOT / "regzoo" / "__init__.pyi").read_text(encoding="utf-8"))
    names = [alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert dir(regzoo) == vars(regzoo)["__all__"] == sorted(names)
    assert set(PUBLIC) <= set(names)


def test_a_public_name_is_the_object_of_its_module() -> None:
    done = run(
        "import importlib, sys, regzoo\n"
        "assert regzoo.Result is importlib.import_module('regzoo.result').Result\n"
        "assert regzoo.regularizers is importlib.import_module('regzoo.regularizers')\n"
        "from regzoo import compare, rank\n"
        "assert (compare.__module__, rank.__module__) == ('regzoo.api', 'regzoo.stats.rank')\n"
        "assert regzoo.sweep and not {'tensorflow', 'keras', 'keras_tuner'} & set(sys.modules)\n"
    )
    assert done.returncode == 0, done.stderr


def test_importing_regzoo_imports_nothing_that_takes_time() -> None:
    done = run("import sys, regzoo; print(*{'tensorflow', 'keras', 'numpy', 'pandas', 'scipy'} & set(sys.modules))")
    assert done.stdout.strip() == "", done.stderr


def test_a_typo_is_answered_with_the_name_that_was_meant() -> None:
    error = run("import regzoo; regzoo.bulid").stderr
    assert "AttributeError: module 'regzoo' has no attribute 'bulid'" in error
    assert "Did you mean: 'build'?" in error  # Python's own, from dir(regzoo)
    assert "cannot import name 'bulid' from 'regzoo'" in run("from regzoo import bulid").stderr


CALLS = {
    "regzoo.build('mlp')": "RegularizedModel",
    "regzoo.compare([[1]], [1])": "Result",
    "regzoo.compare([[1]], [1]).best": "Recipe",
    "regzoo.sweep([[1]], [1], over='dropout.rate')": "SweepResult",
    "regzoo.parse('dropout')": "Recipe",
    "regzoo.__version__": "str",
}


@pytest.fixture(scope="module")
def revealed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Types that mypy infers, for each public name and for the results of some calls."""
    folder = tmp_path_factory.mktemp("typed")
    expressions = [*(f"regzoo.{name}" for name in dir(regzoo)), *CALLS]
    lines = ["import regzoo", *(f"reveal_type({expression})" for expression in expressions), "regzoo.bulid"]
    (folder / "script.py").write_text("\n".join(lines), encoding="utf-8")
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(folder / "cache")]
    command = [sys.executable, "-m", "mypy", *options, str(folder / "script.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    answers = re.compile(r'script\.py:(\d+): (?:note: Revealed type is "(.*)"|error: .*)$', re.MULTILINE)
    found = dict(answers.findall(done.stdout))
    assert found.pop(str(len(lines)), None) == "", f"a name that is none is no error:\n{done.stdout}{done.stderr}"
    return {expression: found[str(number)] for number, expression in enumerate(expressions, start=2)}


@pytest.mark.slow
def test_type_checkers_know_every_public_name(revealed: dict[str, str]) -> None:
    assert [expression for expression, kind in revealed.items() if kind in ("Any", "")] == []


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_type_checkers_know_what_it_returns(call: str, revealed: dict[str, str]) -> None:
    assert revealed[call].split(".")[-1] == CALLS[call]
