"""Docstrings: every example runs, every card is complete, and the prose of the whole package follows its rules."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import regzoo
from regzoo.core import Regularizer, backbones, regularizers
from regzoo.core.selection import SELECTIONS

ROOT = Path(__file__).parents[1]
PACKAGE = Path(regzoo.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
TEXTS = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".pyi", ".md", ".jinja", ".css"))

EXAMPLES = [
    ".".join(("regzoo", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in MODULES
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]

WORDS = re.compile(
    r"\b(said|told|anew|alike|beside|mends?|mended|mending|kin|halls?|sittings?|portraits?|studios?|so many)\b",
    re.IGNORECASE,
)
"""Words that the field does not use in this sense."""

BRITISH = re.compile(
    r"\b(\w*colour\w*|behaviour\w*|neighbour\w*|favour\w*|grey|centred?|(label|model|dial|cancel|signal)l(ed|ing)"
    r"|(regular|normal|standard|general|optim|initial|random|penal|recogn|minim|maxim|serial|summar)is(ed?|es|ing|er|ations?))\b",
    re.IGNORECASE,
)
"""British spellings: American is what Keras has."""

BARE_DECIMAL = re.compile(r"(?<![\w.,)\]}:%\\])\.\d")
"""A decimal without its zero, such as ``.05``; not a format such as ``:,.3f`` or ``%.2g``."""

ALLOWED = {
    (
        "config/experiment.py",
        '>>> from_keywords(backbone="mlp", recipes=["dropout( rate = .5 )"]).recipes',
    ): "it shows that a recipe may be written this way",
}
"""Reason why a file may hold a text that a rule forbids, by file and text."""


@pytest.mark.parametrize(
    "module", [pytest.param(m, marks=[pytest.mark.slow] if m == "regzoo.testing.contract" else []) for m in EXAMPLES]
)
def test_examples_run(module: str, tensorflow: None) -> None:
    result = doctest.testmod(importlib.import_module(module), raise_on_error=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_are_everywhere() -> None:
    assert {f"regzoo.regularizers.{name}" for name in regularizers()} <= set(EXAMPLES)
    assert {f"regzoo.backbones.{name}" for name in backbones()} <= set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(regularizers()))
def test_a_regularizers_docstring_is_its_card(name: str) -> None:
    kind: type[Regularizer] = regularizers()[name]
    text = inspect.getdoc(kind) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    assert not rest or rest.startswith("\n")
    assert "Formula: " in text
    reference = " ".join(text[text.index("Reference: ") :].split("\n\n")[0].split())
    assert re.search(r"^Reference: .+ \d{4} \[\w+\], .*https://\S+", reference), reference
    assert f">>> from regzoo.regularizers import {kind.__name__}" in text
    assert "Raises:\n    InputError: " in text
    for field in dataclasses.fields(kind):
        assert field.name in SELECTIONS or re.search(rf"^    {field.name}: ", text, re.MULTILINE), field.name


@pytest.mark.parametrize("name", sorted(backbones()))
def test_a_backbones_docstring_names_its_slots(name: str) -> None:
    text = inspect.getdoc(backbones()[name]) or ""
    assert "\n\nSlots: " in text
    for field in dataclasses.fields(backbones()[name]):
        assert re.search(rf"^    {field.name}: ", text, re.MULTILINE), field.name


Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.Module | ast.ClassDef | Function


parse = functools.cache(ast.parse)
"""Syntax tree of a source: several rules look at each."""


@functools.cache
def parse_classes() -> dict[str, ast.ClassDef]:
    """Return every class of the package by its name."""
    trees = (parse(path.read_text("utf-8")) for path in MODULES)
    return {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def inherits_docstring(owner: ast.ClassDef, method: str) -> bool:
    """Return True if a base class of ``owner`` in this package documents ``method``, as `inspect.getdoc` finds it."""
    names = [base.id for base in owner.bases if isinstance(base, ast.Name)]  # dotted names are other packages' classes
    bases = [parse_classes()[name] for name in names if name in parse_classes()]
    methods = [node for base in bases for node in base.body if isinstance(node, Function) and node.name == method]
    return any(map(ast.get_docstring, methods)) or any(inherits_docstring(base, method) for base in bases)


def iterate_definitions(
    tree: ast.Module | ast.ClassDef, public: bool = True
) -> Iterator[tuple[Definition, ast.Module | ast.ClassDef, bool]]:
    """Yield every definition, its owner, and whether it is public: the module, classes, functions and methods."""
    yield tree, tree, public
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from iterate_definitions(node, public and not node.name.startswith("_"))
        elif isinstance(node, Function):
            yield node, tree, public and not node.name.startswith("_")


def is_declaration(node: Definition) -> bool:
    """Return True if the body is only ``...``, as in a Protocol."""
    body = node.body[0]
    return len(node.body) == 1 and isinstance(body, ast.Expr) and ast.unparse(body) == "..."


def find_missing_docstrings(source: str) -> list[str]:
    """Return the names of public definitions without a docstring; ``module`` for the module."""
    names = []
    for node, owner, public in iterate_definitions(parse(source)):
        name = getattr(node, "name", "module")
        inherited = isinstance(owner, ast.ClassDef) and inherits_docstring(owner, name)
        if public and not (ast.get_docstring(node) or is_declaration(node) or inherited):
            names.append(name)
    return names


def find_vague_docstrings(source: str) -> list[str]:
    """Return the first lines of docstrings that start with "What"; "Return ..." or "Run ..." is clear."""
    texts = (ast.get_docstring(node) or "" for node, *_ in iterate_definitions(parse(source)))
    return [text.partition("\n")[0] for text in texts if re.match(r"What\b", text)]


def find_bare_decimals(text: str) -> list[str]:
    """Return the lines with a decimal that lacks its zero."""
    return [line.strip() for line in text.splitlines() if BARE_DECIMAL.search(line)]


def find_words(text: str) -> list[str]:
    """Return the lines with a word that the field does not use in this sense."""
    return [line.strip() for line in text.splitlines() if WORDS.search(line)]


def find_british_spellings(text: str) -> list[str]:
    """Return the lines with a British spelling."""
    return [line.strip() for line in text.splitlines() if BRITISH.search(line)]


def search(find: Callable[[str], list[str]], paths: list[Path]) -> list[str]:
    """Return what ``find`` finds in the files, apart from `ALLOWED`."""
    found = ((str(path.relative_to(PACKAGE)), text) for path in paths for text in find(path.read_text("utf-8")))
    return [f"{file}: {text}" for file, text in found if (file, text) not in ALLOWED]


def test_everything_public_has_a_docstring() -> None:
    assert search(find_missing_docstrings, MODULES) == []


def test_no_docstring_starts_with_what() -> None:
    assert search(find_vague_docstrings, MODULES) == []


def test_decimals_have_their_zero() -> None:
    prose = [path for path in TEXTS if path.suffix != ".css"]  # CSS is usually written without the zero
    assert search(find_bare_decimals, prose) == []


def test_words_are_those_of_the_field() -> None:
    assert search(find_words, TEXTS) == []


def test_spelling_is_american() -> None:
    assert search(find_british_spellings, TEXTS) == []


def test_pages_configs_and_tests_follow_the_rules_of_prose() -> None:
    """Spelling, decimals and words; tests may break them where they test the rules."""
    rules = (find_british_spellings, find_bare_decimals, find_words)
    pages = {*ROOT.glob("*.md"), *ROOT.glob("*.cff"), *ROOT.glob("configs/*.yaml"), *ROOT.glob("configs/*.py")} - {
        ROOT / "CHANGELOG.md"
    }  # old names
    assert [line for find in rules for path in pages for line in find(path.read_text("utf-8"))] == []
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert [line for path in tests for line in find_british_spellings(path.read_text("utf-8"))] == []


def test_exceptions_are_still_needed() -> None:
    rules = (find_missing_docstrings, find_vague_docstrings, find_bare_decimals, find_words, find_british_spellings)
    for file, text in ALLOWED:
        assert any(text in find((PACKAGE / file).read_text("utf-8")) for find in rules), (file, text)


BAD = '''
class Public:
    def method(self):
        """What it does."""

    def bare(self):
        return 0.5

    def _private(self):
        """What a helper does."""


def function():
    def nested():
        return .05
    return f"{nested():.3f} beside p < .01"


class _Private:
    def method(self):
        return "%.2f" % 1.5


class Inheriting(OnWeights):
    """A subclass."""

    def rule(self, weight):
        return None

    def declaration(self): ...
'''


def test_violations_of_the_rules_are_found() -> None:
    assert find_missing_docstrings(BAD) == ["module", "Public", "bare", "function"]
    assert find_vague_docstrings(BAD) == ["What it does.", "What a helper does."]
    assert find_bare_decimals(BAD) == ["return .05", 'return f"{nested():.3f} beside p < .01"']
    assert find_words(BAD) == ['return f"{nested():.3f} beside p < .01"']
    assert find_words("Kindly mention halloween, recommend 'told_' and Studios.") == [
        "Kindly mention halloween, recommend 'told_' and Studios."
    ]
    assert find_words("Kindly mention halloween; recommend.") == []
    assert find_british_spellings("a grey, labelled neighbour is regularised") != []
    assert find_british_spellings("a gray, labeled neighbor is regularized; a minimum is optimistic") == []
