"""Written: a YAML config read with the place of every value, so that an error can point at it.

Nothing is constructed: PyYAML's safe loader composes nodes, and this file turns the two levels that a config
has into plain dictionaries and lists of `Scalar` scalars. Below these, only a short list is read; what is longer
or lies deeper is never followed, so aliases cannot multiply.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from regzoo.core.errors import ConfigError, ConfigProblem

KeyPath = tuple[str | int, ...]
"""``("split", "train")`` or ``("recipes", 2)``."""

LARGEST = 262_144
"""Characters of the longest config that is read."""

_TAG = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*(?:_\d+)*)(?:\.\d*)?|0?\.\d+)(?:[eE][+-]?\d+)?")
_FEW = 8  # items of a list below a key of a section, such as [32, 32]; a longer one is not looked into
_TABS = "; indent with spaces, not with tabs"


@dataclass(frozen=True)
class Scalar:
    """A scalar: its text, and what it means.

    YAML 1.1 reads ``1e-4`` as text, ``017`` as 15 and ``1:30`` as 90. Here a number is a decimal number
    without quotes, and nothing else is; a field that takes text takes the text of a number as it stands.
    """

    text: str
    kind: Literal["text", "number", "flag", "nothing"]
    quoted: bool

    @property
    def value(self) -> str | float | bool | None:
        """What it means in Python."""
        if self.kind == "number":
            return float(self.text) if re.search("[.eE]", self.text) else int(self.text)
        if self.kind == "flag":
            return self.text.lower() in ("true", "yes", "on")
        return None if self.kind == "nothing" else self.text

    def __str__(self) -> str:
        if self.kind == "flag":
            return f"{self.text}, which YAML reads as true or false (put it in quotes if it is a word)"
        if self.kind == "nothing":
            return "nothing"
        return f"{self.text!r} in quotes" if self.quoted else self.text


@dataclass(frozen=True)
class Nested:
    """What stands where a scalar belongs; its content is not read.

    ``known`` says that the document's problems hold it already.
    """

    what: str
    known: bool = False

    def __str__(self) -> str:
        return self.what


@dataclass
class Document:
    """A config as written: plain values, the place of each, and what is already known to be wrong."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def place(self, path: KeyPath, of_key: bool = False) -> tuple[int, int]:
        """Line and column of the value at ``path`` (or of its key), or of the nearest thing that holds it."""
        places = self.keys if of_key else self.places
        while path not in places:
            if not path:
                return 1, 1
            path, places = path[:-1], self.places
        return places[path]


def compose(text: str, file: str, sections: Collection[str]) -> Document:
    """Read the YAML ``text``; only the values of the top-level keys in ``sections`` are looked into.

    Raises:
        ConfigError: if it is no YAML, is empty, too long, or no mapping of keys to values.
    """
    if len(text) > LARGEST:
        raise ConfigError(
            file, [ConfigProblem(1, 1, f"a config has at most {LARGEST} characters, received {len(text)}")]
        )
    node = _root(text, file)
    if not isinstance(node, yaml.MappingNode):
        what = "nothing: the file is empty" if node is None else _describe(node)
        raise ConfigError(file, [ConfigProblem(1, 1, f"a config is made of keys and values, received {what}")])
    document = Document()
    document.values = _mapping(document, node, (), sections)
    return document


def _root(text: str, file: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        problem = ConfigProblem(line, column, f"not YAML: the character {text[error.position]!r} is not allowed")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context
        hint = _TABS if "\\t" in str(said) else ""
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = ConfigProblem(line, column, f"not YAML: {said}{hint}")
    except RecursionError:
        problem = ConfigProblem(1, 1, "nested too deeply: a config has keys, and keys below these")
    raise ConfigError(file, [problem]) from None


def _mapping(
    document: Document, node: yaml.MappingNode, path: KeyPath, known: Collection[str] | None
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    document.places[path] = _place(node)
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == f"{_TAG}merge":
            what = "merge keys (<<) are" if isinstance(key, yaml.ScalarNode) else f"{_describe(key)} as a key is"
            document.problems.append(ConfigProblem(*_place(key), f"{what} not read: write the keys out"))
            continue
        here = (*path, key.value)
        if here in document.keys:
            first = document.keys[here][0]
            again = f"{_dotted(here)}: is written twice, on lines {first} and {key.start_mark.line + 1}; keep one"
            document.problems.append(ConfigProblem(*_place(key), again))
            continue
        document.keys[here] = _place(key)
        values[key.value] = None if known is not None and key.value not in known else _value(document, value, here)
    return values


def _value(document: Document, node: yaml.Node, path: KeyPath) -> Any:
    document.places[path] = _place(node)
    standard = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
    if node.tag not in [_TAG + name for name in standard]:
        tag = node.tag.replace(_TAG, "!!")
        said = f"{_dotted(path)}: the tag {tag!r} is not allowed: write the value alone"
        document.problems.append(ConfigProblem(*_place(node), said))
        return Nested(f"the tag {tag!r}", known=True)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if len(path) == 1 and isinstance(node, yaml.MappingNode):
        return _mapping(document, node, path, None)
    few = len(path) == 1 or (len(path) == 2 and len(node.value) <= _FEW)
    if few and isinstance(node, yaml.SequenceNode):
        return [_value(document, item, (*path, index)) for index, item in enumerate(node.value)]
    return Nested(_describe(node))


def _scalar(node: yaml.ScalarNode) -> Scalar:
    if node.style in ("'", '"', "|", ">"):
        return Scalar(node.value, "text", quoted=True)
    if node.tag == f"{_TAG}bool":
        return Scalar(node.value, "flag", quoted=False)
    if node.tag == f"{_TAG}null":
        return Scalar(node.value, "nothing", quoted=False)
    number = _NUMBER.fullmatch(node.value) and len(node.value) <= 100
    return Scalar(node.value, "number" if number else "text", quoted=False)


def _describe(node: yaml.Node) -> str:
    """Say what a node is; a mapping of one pair is quoted, since ``- dropout: 0.5`` is a common slip."""
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        pair = node.value[0] if len(node.value) == 1 else None
        if pair and all(isinstance(part, yaml.ScalarNode) and len(part.value) <= 60 for part in pair):
            return f"the key and value '{pair[0].value}: {pair[1].value}'"
        return "keys and values"
    return f"the single value {node.value[:60]!r}"


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)
