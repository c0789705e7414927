"""Read YAML and keep the line and column of every value, so that error messages can name them.

No objects are constructed: PyYAML's safe loader composes nodes, and this module turns the two levels of a config into
dictionaries and lists of `Scalar`. Below these levels only a short list is read; whatever is longer or nested more
deeply is never followed, so that aliases cannot multiply.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from regzoo.core.errors import ConfigError, ConfigProblem

KeyPath = tuple[str | int, ...]
"""``("split", "train")`` or ``("recipes", 2)``."""

MAX_CHARACTERS = 262_144
"""Length of the longest config that is read."""

_TAG = "tag:yaml.org,2002:"
_STANDARD_TAGS = {_TAG + name for name in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")}
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*(?:_\d+)*)(?:\.\d*)?|0?\.\d+)(?:[eE][+-]?\d+)?")
MAPPINGS = (("data", "rare"),)
"""Keys of a section whose values have keys themselves."""

_MAX_ITEMS = 8  # of a list below a key of a section, such as [32, 32]; a longer list is not read
_TABS = "; indent with spaces, not with tabs"


@dataclass(frozen=True)
class Scalar:
    """A YAML scalar: its text and its meaning.

    YAML 1.1 reads ``1e-4`` as text, ``017`` as 15 and ``1:30`` as 90. Here a decimal number without quotes is a
    number, and nothing else is; a key that takes text accepts a number as the text that it was written as.
    """

    text: str
    kind: Literal["text", "number", "flag", "nothing"]
    quoted: bool

    @property
    def value(self) -> str | float | bool | None:
        """Its meaning as a Python value."""
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
class Collection:
    """A YAML mapping, sequence or tagged value where a scalar belongs; its content is not read.

    Attributes:
        description: in words, for messages.
        reported: whether the problems of the document already include it.
    """

    description: str
    reported: bool = False

    def __str__(self) -> str:
        return self.description


@dataclass
class Document:
    """A config before validation.

    Attributes:
        values: plain dictionaries and lists of `Scalar` and `Collection`.
        positions: line and column of each value.
        keys: line and column of each key.
        problems: the problems found so far.
    """

    values: dict[str, Any] = field(default_factory=dict)
    positions: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)

    def find_position(self, path: KeyPath, of_key: bool = False) -> tuple[int, int]:
        """Return line and column of the value at ``path`` (or of its key), or of the innermost value around it."""
        positions = self.keys if of_key else self.positions
        while path not in positions:
            if not path:
                return 1, 1
            path, positions = path[:-1], self.positions
        return positions[path]


def compose(text: str, file: str, sections: Container[str]) -> Document:
    """Read the YAML ``text``; only the values of top-level keys in ``sections`` are read.

    Raises:
        ConfigError: if it is not YAML, empty, too long, or not a mapping of keys to values.
    """
    if len(text) > MAX_CHARACTERS:
        message = f"a config has at most {MAX_CHARACTERS} characters, received {len(text)}"
        raise ConfigError(file, [ConfigProblem(1, 1, message)])
    node = _compose_root(text, file)
    if not isinstance(node, yaml.MappingNode):
        received = "nothing: the file is empty" if node is None else _describe(node)
        raise ConfigError(file, [ConfigProblem(1, 1, f"a config is made of keys and values, received {received}")])
    document = Document()
    document.values = _read_mapping(document, node, (), sections)
    return document


def _compose_root(text: str, file: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        problem = ConfigProblem(line, column, f"not YAML: the character {text[error.position]!r} is not allowed")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context
        hint = _TABS if "\\t" in str(reason) else ""
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = ConfigProblem(line, column, f"not YAML: {reason}{hint}")
    except RecursionError:
        problem = ConfigProblem(1, 1, "nested too deeply: a config has keys, and keys below these")
    raise ConfigError(file, [problem]) from None


def _read_mapping(
    document: Document, node: yaml.MappingNode, path: KeyPath, sections: Container[str] | None
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    document.positions[path] = _get_position(node)
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == f"{_TAG}merge":
            what = "merge keys (<<) are" if isinstance(key, yaml.ScalarNode) else f"{_describe(key)} as a key is"
            document.problems.append(ConfigProblem(*_get_position(key), f"{what} not read: write the keys out"))
            continue
        inner = (*path, key.value)
        if inner in document.keys:
            lines = f"on lines {document.keys[inner][0]} and {key.start_mark.line + 1}"
            message = f"{_join_keys(inner)}: is written twice, {lines}; keep one"
            document.problems.append(ConfigProblem(*_get_position(key), message))
            continue
        document.keys[inner] = _get_position(key)
        is_read = sections is None or key.value in sections
        values[key.value] = _read_value(document, value, inner) if is_read else None
    return values


def _read_value(document: Document, node: yaml.Node, path: KeyPath) -> Any:
    document.positions[path] = _get_position(node)
    if node.tag not in _STANDARD_TAGS:
        tag = node.tag.replace(_TAG, "!!")
        message = f"{_join_keys(path)}: the tag {tag!r} is not allowed: write the value alone"
        document.problems.append(ConfigProblem(*_get_position(node), message))
        return Collection(f"the tag {tag!r}", reported=True)
    if isinstance(node, yaml.ScalarNode):
        return _read_scalar(node)
    if isinstance(node, yaml.MappingNode) and (len(path) == 1 or (path in MAPPINGS and len(node.value) <= _MAX_ITEMS)):
        return _read_mapping(document, node, path, None)
    is_read = len(path) == 1 or (len(path) == 2 and len(node.value) <= _MAX_ITEMS)
    if is_read and isinstance(node, yaml.SequenceNode):
        return [_read_value(document, item, (*path, index)) for index, item in enumerate(node.value)]
    return Collection(_describe(node))


def _read_scalar(node: yaml.ScalarNode) -> Scalar:
    if node.style in ("'", '"', "|", ">"):
        return Scalar(node.value, "text", quoted=True)
    if node.tag == f"{_TAG}bool":
        return Scalar(node.value, "flag", quoted=False)
    if node.tag == f"{_TAG}null":
        return Scalar(node.value, "nothing", quoted=False)
    number = _NUMBER.fullmatch(node.value) and len(node.value) <= 100
    return Scalar(node.value, "number" if number else "text", quoted=False)


def _describe(node: yaml.Node) -> str:
    """Describe a node in words; a mapping of one pair is quoted, since ``- dropout: 0.5`` is a common mistake."""
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if isinstance(node, yaml.MappingNode):
        pair = node.value[0] if len(node.value) == 1 else None
        if pair and all(isinstance(each, yaml.ScalarNode) and len(each.value) <= 60 for each in pair):
            return f"the key and value '{pair[0].value}: {pair[1].value}'"
        return "keys and values"
    return f"the single value {node.value[:60]!r}"


def _get_position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _join_keys(path: KeyPath) -> str:
    return ".".join(str(key) for key in path)
