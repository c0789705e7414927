"""Rules for the code base: imports, cycles, sizes of files and functions, a test for each regularizer and backbone."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "regzoo"

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None, no_cache=True))"

FIND_CYCLE = """
import graphlib, grimp
graph = grimp.build_graph("regzoo", cache_dir=None)  # with imports in functions and under TYPE_CHECKING
graphlib.TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()
"""

SLOW = "print(*sorted({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'keras_tuner'}),"
SLOW += " *({'matplotlib.pyplot'} & set(sys.modules)))"

SABOTEURS = {
    "imports point down the tree": ("core/seeds.py", "import regzoo.training.task"),
    "no package imports, directly or indirectly, one that imports it": ("core/seeds.py", "import regzoo.data.rows"),
    "statistics need no TensorFlow": ("stats/rank.py", "import tensorflow"),
    "statistics take from the core only errors, seeds and JSON values": (
        "stats/rank.py",
        "import regzoo.core.regularizer",
    ),
    "executors know runs, not Keras models": (
        "execution/executor.py",
        "import regzoo.training.engine.combined_model",
    ),
    "storage knows of training only what a run leaves": (
        "storage/ledger.py",
        "import regzoo.training.stand_ins",
    ),
    "regularizers never import one another": ("regularizers/l2.py", "import regzoo.regularizers.l1"),
    "backbones never import a regularizer, nor one another": ("backbones/mlp.py", "import regzoo.regularizers.dropout"),
    "figures are drawn in one folder: matplotlib": ("comparison/plan.py", "import matplotlib"),
    "terminal tables are made in one folder: rich": ("comparison/plan.py", "import rich"),
    "third parties enter through one file each: KerasTuner": ("comparison/plan.py", "import keras_tuner"),
    "third parties enter through one file each: Pillow": ("comparison/plan.py", "import PIL"),
    "third parties enter through one file each: psutil": ("comparison/plan.py", "import psutil"),
    "third parties enter through one file each: SQLite": ("comparison/plan.py", "import sqlite3"),
}
"""For each import contract a file and a line in it that break the contract."""


def run(script: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with the package of ``folder``."""
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


@functools.cache
def read_sources() -> dict[str, str]:
    """The text of each source file, by its path in the package."""
    return {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}


@functools.cache
def parse_sources() -> dict[str, ast.Module]:
    """The syntax tree of each source file, by its path in the package."""
    return {file: ast.parse(text) for file, text in read_sources().items()}


def test_import_contracts_hold() -> None:
    done = run(LINT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.fixture(scope="module")
def sabotaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package in which a file of each saboteur has its line."""
    folder = tmp_path_factory.mktemp("sabotaged")
    shutil.copytree(PACKAGE, folder / "regzoo", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line in SABOTEURS.values():
        with (folder / "regzoo" / file).open("a", encoding="utf-8") as source:
            source.write(f"\n{line}\n")
    return folder


def test_each_import_contract_is_broken_by_its_saboteur(sabotaged: Path) -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert [contract["name"] for contract in tools["importlinter"]["contracts"]] == list(SABOTEURS)
    done = run(LINT, sabotaged)
    assert done.returncode == 1
    assert [name for name in SABOTEURS if f"{name} BROKEN" not in done.stdout] == []


def test_no_import_cycle() -> None:
    done = run(FIND_CYCLE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "def parse_late():\n    import regzoo.core.parsing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import regzoo.core.parsing",
    ],
)
def test_an_import_cycle_is_found(line: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "regzoo", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "regzoo" / "core" / "errors.py").open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    done = run(FIND_CYCLE, tmp_path)
    assert done.returncode == 1
    assert "CycleError" in done.stderr
    assert "regzoo.core.errors" in done.stderr


def test_files_are_short() -> None:
    lines = {file: len(text.splitlines()) for file, text in read_sources().items()}
    assert statistics.median(lines.values()) < 100
    assert {file: count for file, count in lines.items() if count > 300} == {}


def test_functions_are_short() -> None:
    """At most 50 lines, without the docstring."""
    long = {}
    for file, tree in parse_sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                documentation = ast.get_docstring(node, clean=False)
                lines = node.end_lineno - node.lineno + 1
                lines -= 0 if documentation is None else len(documentation.splitlines())
                if lines > 50:
                    long[f"{file}: {node.name}"] = lines
    assert long == {}


def find_untyped_signatures(tree: ast.Module) -> list[str]:
    """Return functions that take or return JSON objects, apart from those whose name says that they convert JSON."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not re.search(r"json|(to|from)_dict", node.name):
            given = [argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            annotations = " ".join(ast.unparse(annotation) for annotation in (*given, node.returns) if annotation)
            if re.search(r"\b(dict|Mapping)\[str, Any\]", annotations):
                found.append(node.name)
    return found


def test_comparison_report_and_export_pass_types_on_and_json_only_at_the_edge() -> None:
    folders = ("comparison/", "report/", "export/", "result.py", "publish.py")
    found = {file: find_untyped_signatures(tree) for file, tree in parse_sources().items() if file.startswith(folders)}
    assert len(found) > 50
    assert {file: names for file, names in found.items() if names} == {
        "export/tf_columns.py": ["apply_rules"]  # tensors by column
    }
    bad = ("f(a: list[dict[str, Any]])", "g() -> Mapping[str, Any] | None", "to_dict() -> dict[str, Any]")
    assert find_untyped_signatures(ast.parse("".join(f"def {line}: ...\n" for line in bad))) == ["f", "g"]


def test_a_class_name_stands_in_one_file() -> None:
    files: dict[str, list[str]] = {}
    for file, tree in parse_sources().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files.setdefault(node.name, []).append(file)
    several = {name: sorted(found) for name, found in files.items() if len(found) > 1}
    # Both are words of a config, where they name a backbone and a schedule.
    assert several == {"Linear": ["backbones/linear.py", "core/schedules.py"]}


def read_covered(module: Path) -> tuple[list[str], str]:
    """The files that a test module tests, by its own name or in its ``COVERS``, and the rest of its text."""
    text = module.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COVERS":
            return list(ast.literal_eval(node.value)), text.replace(ast.get_source_segment(text, node) or "", "")
    return [module.stem.removeprefix("test_")], text


@pytest.mark.parametrize("folder", ["regularizers", "backbones"])
def test_every_regularizer_and_backbone_is_tested_by_a_module_that_names_it(folder: str) -> None:
    files = {path.stem for path in (PACKAGE / folder).glob("[!_]*.py")}
    covered = [read_covered(path) for path in (ROOT / "tests" / folder).glob("test_*.py")]
    assert files
    assert sorted(files - {name for names, _ in covered for name in names}) == []
    several = [(name, text) for names, text in covered if len(names) > 1 for name in names]
    assert [name for name, _ in several if name not in files] == []
    assert [name for name, text in several if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize(
    "script",
    [
        "import regzoo; regzoo.parse('dropout + l2'); regzoo.Recipe(); regzoo.InputError",
        "from regzoo.regularizers import Dropout, L2; str(Dropout(0.5) + L2(1e-4))",
        "import regzoo.api, regzoo.cli.app, regzoo.comparison.leaderboard, regzoo.report.render\n"
        "import regzoo.cli.tables.leaderboard, regzoo.cli.tables.difference, regzoo.cli.zoo_cards\n"
        "from regzoo.report.figures import load_figures; load_figures()\n"
        "from regzoo.comparison.chosen_strengths import read_strengths\n"
        "assert read_strengths('dropout(0.5)') == {'dropout.rate': 0.5}",
        "import contextlib, io; from regzoo.cli.app import main; sys.argv = ['regzoo', '--help']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()",
        "import contextlib, io; from regzoo.cli.app import main; sys.argv = ['regzoo', 'zoo', '--json']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()",
    ],
)
def test_what_needs_no_tensorflow_imports_none(script: str) -> None:
    """Nor pyplot. What `regzoo.compare` and the other public names import is in tests/test_public_names.py."""
    done = run(f"import sys; {script}\n{SLOW}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
