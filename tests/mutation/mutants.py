"""One-line mutants of the zoo and its backbones, and the text of each."""

from __future__ import annotations

import ast
import hashlib
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import find_edits

ROOT = Path(__file__).parents[2]
FOLDERS = ("regzoo/regularizers", "regzoo/backbones")


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        module: the module's name, such as ``regzoo.regularizers.sam``.
        kind: what was changed: ``sign``, ``factor``, ``seed``, ...
        line: number of the first line that differs.
        before: these lines as they are, without indentation.
        after: these lines in the mutant.
        source: the whole mutated module.
    """

    module: str
    kind: str
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """A name that stays the same when lines are added elsewhere in the file."""
        return make_name(self.module, self.before, self.after)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.kind}\n  - {self.before}\n  + {self.after}"


def make_name(module: str, before: str, after: str) -> str:
    """Return the name of a mutant of ``module`` that turns the lines ``before`` into ``after``."""
    digest = hashlib.sha256(f"{module}\n{before}\n{after}".encode()).hexdigest()
    return f"{module.rpartition('.')[2]}-{digest[:8]}"


def list_modules() -> dict[str, Path]:
    """Return every mutated module by name; an ``__init__`` has nothing to mutate."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py")) if path.stem != "__init__"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def list_mutants(module: str, source: str, every: bool = False) -> list[Mutant]:
    """Return the mutants of a module, each with a bytecode of its own, in the order of the lines.

    Args:
        module: name of the module.
        source: its text.
        every: True for all of them, False for one of each kind on each line.
    """
    tree = ast.parse(source)
    seen = {_compile(source)}
    found = []
    for kind, node, text in find_edits(tree):
        mutated = replace(source, node, text)
        try:
            code = _compile(mutated)
        except SyntaxError:
            continue
        if code not in seen:
            seen.add(code)
            found.append(describe(module, kind, source, mutated))
    found.sort(key=lambda mutant: mutant.line)
    return found if every else list({(mutant.line, mutant.kind): mutant for mutant in reversed(found)}.values())[::-1]


def describe(module: str, kind: str, source: str, mutated: str) -> Mutant:
    """Return the mutant with the lines that differ."""
    before, after = source.splitlines(), mutated.splitlines()
    first = next(n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    last = next(n for n, pair in enumerate(zip(before[::-1], after[::-1], strict=False)) if pair[0] != pair[1])
    last = min(last, len(before) - first - 1, len(after) - first - 1)
    lines = (before[first : len(before) - last], after[first : len(after) - last])
    texts = [" ".join(line.strip() for line in part) for part in lines]
    return Mutant(module, kind, first + 1, texts[0], texts[1], mutated)


def replace(source: str, node: ast.AST, text: str) -> str:
    """Return ``source`` with the text of ``node`` replaced; an expression keeps its place among its operators."""
    raw = source.encode()
    starts = [0, *_find_line_ends(raw)]
    first = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
    last = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
    if isinstance(node, ast.expr) and not _is_plain(text):
        text = f"({text})"
    return (raw[:first] + text.encode() + raw[last:]).decode()


def _find_line_ends(raw: bytes) -> Iterator[int]:
    position = raw.find(b"\n")
    while position >= 0:
        yield position + 1
        position = raw.find(b"\n", position + 1)


def _is_plain(text: str) -> bool:
    """Return True if the expression needs no parentheses anywhere."""
    node = ast.parse(text, mode="eval").body
    plain = (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Set)
    return isinstance(node, plain) or (text.startswith("(") and isinstance(node, ast.Tuple))


def _compile(source: str) -> bytes:
    """Return the bytecode without line numbers and docstrings."""
    text = ast.unparse(ast.parse(source))
    return marshal.dumps(compile(text, "mutant", "exec", optimize=2, dont_inherit=True))
