"""README and GUIDE: every code block runs as written, from top to bottom in one folder; every link leads somewhere."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "regzoo/GUIDE.md")
LINKING = (*DOCUMENTS, "regzoo/ARCHITECTURE.md", "CONTRIBUTING.md")
INSTALLING = "pip install"

SMALL = """
name: digits
data: {source: digits}
split: {train_size: 60}
backbone: mlp(widths=[8])
recipes: [none, dropout]
training: {epochs: 2}
search: {trials: 2}
vary: [seed]
replicates: 2
"""
"""The config that the documents' commands run on here; the CI script runs the quickstart itself."""

Step = tuple[str, str]
"""A language, ``bash`` or ``python``, and what to run: one command, or one block."""


def read_blocks(document: str) -> list[Step]:
    """Return the code blocks of a document in order, by language."""
    return re.findall(r"^```(\w+)\n(.*?)^```", (TOP / document).read_text(encoding="utf-8"), re.M | re.S)


def list_steps(document: str) -> list[Step]:
    """Return what a reader would run: each command of a bash block, each Python block."""
    steps = []
    for language, code in read_blocks(document):
        lines = [code] if language == "python" else [line.split("#")[0].strip() for line in code.splitlines()]
        steps += [(language, line) for line in lines if line and not line.startswith(INSTALLING)]
    return steps


LONG = ("keras.applications", "LSTM", "load_wine", "check-claims")
"""Words in blocks that take long."""

STEPS = [
    pytest.param(
        document,
        step,
        id=f"{Path(document).stem}-{number}",
        marks=pytest.mark.slow if any(word in step[1] for word in LONG) else (),
    )
    for document in DOCUMENTS
    for number, step in enumerate(list_steps(document))
]
"""In order and in one process (xdist distributes by file): a later block may read what an earlier one wrote."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder in which the blocks of a document run."""
    made: dict[str, Path] = {}

    def folder(document: str) -> Path:
        if document not in made:
            made[document] = tmp_path_factory.mktemp(Path(document).stem)
            (made[document] / "configs").mkdir()
            (made[document] / "configs" / "quickstart.yaml").write_text(SMALL, encoding="utf-8")
        return made[document]

    return folder


def run_here(step: Step, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a step in this process, without worker processes; return what it prints."""
    from regzoo.__main__ import main
    from regzoo.comparison import runner
    from regzoo.core import registry
    from regzoo.execution.serial import SerialExecutor

    language, code = step
    monkeypatch.setattr(runner, "make_executor", lambda *_: contextlib.nullcontext(SerialExecutor()))
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if language == "bash":
            monkeypatch.setattr(sys, "argv", shlex.split(code))
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code in (0, None), printed.getvalue()
        else:
            module = types.ModuleType("block")
            monkeypatch.setitem(sys.modules, "block", module)
            exec(compile(code, "block", "exec"), vars(module))
    return printed.getvalue()


def run_for_real(step: Step, folder: Path) -> str:
    """Run a step in a process of its own, as a reader does; a block as a script, without a main guard."""
    language, code = step
    name, *rest = shlex.split(code) if language == "bash" else ("block.py",)
    if language == "python":
        (folder / name).write_text(code, encoding="utf-8")
    command = [sys.executable, *(["-m", name, *rest] if language == "bash" else [str(folder / name)])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check_printed(step: Step, printed: str) -> None:
    """Check what a block says that it prints: ``print(...)  # {...}``."""
    for expected in re.findall(r"^print\(.*\)\s+# (\{.*\})$", step[1], re.M):
        assert expected in printed


@pytest.mark.parametrize(("document", "step"), STEPS)
def test_it_runs(
    document: str,
    step: Step,
    folders: Callable[[str], Path],
    tensorflow: None,
    unverified: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folders(document))
    if "reports/digits" in step[1] and not Path("reports/digits").exists():  # its steps are not among those chosen
        run_here(("bash", "regzoo compare configs/quickstart.yaml"), monkeypatch)
    check_printed(step, run_here(step, monkeypatch))


@pytest.mark.slow
@pytest.mark.parametrize(("document", "step"), STEPS)
def test_it_runs_for_real(document: str, step: Step, folders: Callable[[str], Path]) -> None:
    check_printed(step, run_for_real(step, folders(f"{document} for real")))


def test_the_two_installing_commands_come_first_and_are_what_ci_runs() -> None:
    script = (TOP / ".ci" / "run").read_text(encoding="utf-8")
    lines = [line.split("  #")[0].strip() for language, code in read_blocks("README.md") for line in code.splitlines()]
    installing = [line for line in lines if line.startswith(INSTALLING)]
    assert lines[:2] == installing
    assert all(f"\n{command} " in script for command in installing)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_language_of_a_block_is_run(document: str) -> None:
    assert {language for language, _ in read_blocks(document)} == {"bash", "python"}


@pytest.mark.parametrize("document", LINKING)
def test_links_lead_somewhere(document: str) -> None:
    text = (TOP / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (TOP / document).parent.joinpath(link).exists()] == []


def test_the_readme_takes_a_minute() -> None:
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) <= 110


ROW = re.compile(r"^\| ([^|]+) \|.*\| ([^|]+) \|$", re.M)


def read_section(heading: str) -> str:
    """Return a section of ARCHITECTURE.md."""
    text = (TOP / "regzoo" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def resolve(path: str) -> Any:
    """Return the module, class, function or method at a dotted path."""
    import importlib

    for length in range(path.count(".") + 1, 0, -1):
        module, *names = path.split(".")[:length], *path.split(".")[length:]
        try:
            found = importlib.import_module(".".join(module))
        except ModuleNotFoundError:
            continue
        for name in names:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(path)


VOCABULARY = [(word, path) for word, path in ROW.findall(read_section("Vocabulary")) if path.startswith("`regzoo.")]


@pytest.mark.parametrize(("word", "path"), VOCABULARY)
def test_every_word_of_the_vocabulary_is_in_the_code(word: str, path: str, tensorflow: None) -> None:
    """The name exists, and its file uses the word."""
    found = resolve(path.strip("`"))
    file = Path(sys.modules[getattr(found, "__module__", None) or found.__name__].__file__ or "")
    assert word.split()[0].lower() in file.read_text(encoding="utf-8").lower()


def test_a_word_that_the_code_lacks_is_found() -> None:
    assert len(VOCABULARY) > 20
    with pytest.raises((ModuleNotFoundError, AttributeError)):
        resolve("regzoo.training.studio.Studio")


def test_the_tree_names_every_folder_and_no_other() -> None:
    named = set(re.findall(r"^\| `(regzoo/[\w/]+)/` \|", read_section("Tree"), re.M))
    folders = {file.parent.relative_to(TOP).as_posix() for file in (TOP / "regzoo").rglob("__init__.py")}
    assert named == folders - {"regzoo"}


def test_every_file_that_architecture_names_exists() -> None:
    text = (TOP / "regzoo" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = set(re.findall(r"`((?:regzoo|tests)/[\w/]+\.\w+)`", text)) - {
        "regzoo/regularizers/my_idea.py",
        "tests/regularizers/test_my_idea.py",
    }
    assert files
    assert sorted(file for file in files if not (TOP / file).exists()) == []


def find_unknown_names(text: str) -> set[str]:
    """Return the names in backquotes that no source file holds; a class must be defined, not only written about."""
    sources = [file.read_text(encoding="utf-8") for file in (TOP / "regzoo").rglob("*.py")]
    classes = {name for source in sources for name in re.findall(r"^class (\w+)", source, re.M)}
    words = {file.stem for file in (TOP / "regzoo").rglob("*.py")}
    words |= {word for source in sources for word in re.findall(r"\w+", source)}
    spans = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))
    names = {name for span in spans if "/" not in span for name in re.findall(r"[A-Za-z_]\w+", span)}
    return {name for name in names if name not in (classes if re.match(r"[A-Z][a-z]", name) else words)}


def test_every_name_of_architecture_is_in_the_code() -> None:
    text = (TOP / "regzoo" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert find_unknown_names(text) == {"MyIdea"}  # invented
    assert find_unknown_names("`Run.identities`, `Studio`, `Run`, `execution`") == {"identities", "Studio"}


def test_every_row_of_the_vocabulary_is_checked() -> None:
    rows = [line for line in read_section("Vocabulary").splitlines() if line.startswith("|")]
    assert len(VOCABULARY) == len(rows) - 2  # the heading, and the line below it


def test_every_path_of_architecture_exists() -> None:
    """With or without the package in front."""
    text = (TOP / "regzoo" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = {path for path in re.findall(r"`([\w/.]+)`", text) if "/" in path and "my_idea" not in path}
    assert len(paths) > 30
    assert [path for path in paths if not ((TOP / path).exists() or (TOP / "regzoo" / path).exists())] == []


def test_every_seed_stream_is_in_the_file_that_the_table_names() -> None:
    """Each stream's literal name stands in a call of derive or generator there."""
    rows = ROW.findall(read_section("Seed streams"))
    checked = 0
    for streams, files in rows:
        text = "".join((TOP / file).read_text(encoding="utf-8") for file in re.findall(r"`([\w/]+\.py)`", files))
        for name in re.findall(r"`(\w+)`", streams):
            assert re.search(rf"(?:derive|generator)\([^)]*\"{name}\"", text), (name, files)
            checked += 1
    assert checked > 15


def test_every_seed_stream_of_the_code_is_in_the_table() -> None:
    named = set(re.findall(r"`(\w+)`", read_section("Seed streams")))
    code = "".join(file.read_text(encoding="utf-8") for file in (TOP / "regzoo").rglob("*.py"))
    calls = re.findall(r"(?<!def )\b(?:derive|generator)\(([^)]*)\)", re.sub(r"^\s*>>>.*$", "", code, flags=re.M))
    assert {name for call in calls for name in re.findall(r"\"(\w+)\"", call)} - named == set()
