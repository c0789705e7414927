"""The house: imports point down the tree, every file of the zoo has its test, TensorFlow waits until it is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None, no_cache=True))"
HEAVY = "print(*sorted({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'keras', 'keras_tuner'}))"

WRONG = {
    "core/seeds.py": "import regzoo.training.task",
    "regularizers/l2.py": "import regzoo.regularizers.l1",
    "backbones/mlp.py": "import regzoo.regularizers.dropout",
    "comparison/plan.py": "import matplotlib, sqlite3, keras_tuner, PIL",
}
"""Imports that the house forbids: between them they break every contract."""


def run(script: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with the package of ``folder``."""
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)


def test_imports_point_down_the_tree() -> None:
    done = run(LINT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_imports_that_do_not_are_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "regzoo", tmp_path / "regzoo", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in WRONG.items():
        with (tmp_path / "regzoo" / file).open("a") as source:
            source.write(f"\n{line}\n")
    done = run(LINT, tmp_path)
    assert done.returncode == 1
    assert "Contracts: 0 kept" in done.stdout


@pytest.mark.parametrize("folder", ["regularizers", "backbones"])
def test_one_idea_one_file_one_test(folder: str) -> None:
    files = {path.stem for path in (ROOT / "regzoo" / folder).glob("[!_]*.py")}
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / folder).glob("test_*.py")}
    assert files
    assert sorted(files - tests) == []


@pytest.mark.parametrize(
    "script",
    [
        "import regzoo",
        "import regzoo; regzoo.parse('dropout + l2'); regzoo.Recipe(); regzoo.InputError",
        "from regzoo.regularizers import Dropout, L2; str(Dropout(0.5) + L2(1e-4))",
        "import regzoo.api, regzoo.cli.app, regzoo.cli.zoo_cards, regzoo.comparison.leaderboard, regzoo.report.render",
        "import regzoo; regzoo.compare, regzoo.sweep, regzoo.Result, regzoo.rank",
        "import contextlib, io; from regzoo.cli.app import main; sys.argv = ['regzoo', '--help']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()",
        "import contextlib, io; from regzoo.cli.app import main; sys.argv = ['regzoo', 'zoo', '--json']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()",
    ],
)
def test_what_needs_no_tensorflow_imports_none(script: str) -> None:
    done = run(f"import sys; {script}\n{HEAVY}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_the_public_face_is_what_it_says() -> None:
    done = run("import regzoo; assert dir(regzoo) == sorted(regzoo.__all__); print(*dir(regzoo), regzoo.__version__)")
    assert done.stdout.split()[-1][0].isdigit(), done.stderr
    assert {"build", "compare", "rank", "hypermodel", "check_regularizer", "parse"} <= set(done.stdout.split())
    assert "AttributeError: module 'regzoo' has no attribute 'bulid'" in run("import regzoo; regzoo.bulid").stderr
