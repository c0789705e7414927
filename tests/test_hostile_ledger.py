"""A ledger of somebody else whose every text is hostile: no command obeys any of it, nor does any file it writes."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from regzoo.cli.app import main
from regzoo.core import Objective
from regzoo.storage.info import ComparisonInfo, DataInfo, SplitInfo
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Run

NASTY = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31m\x90q\x85",
    "a\x00b\x08\x7f",
    "\u202egpj.exe\u2066x\u2069",
    "zero\u200b\u200d\ufeffwidth",
    "line\u2028para\u2029\x0b\x0c\r",
    "\U000e0041\U000e0042tag",
    "[red]markup[/red] [link=https://evil.example]x[/link] [/nothing] :smile:",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "]]> --> <!-- &amp; \" ' onload=alert(1)",
    "![x](https://evil.example/y) [x](javascript:alert(1)) `code` | *b* ~~~",
    "\n\n# heading\n- item\n```\n<b>x</b>",
    '=HYPERLINK("https://evil.example")',
    "$\\frac{1}{$ _^{ \\",
    "@everyone https://evil.example www.evil.example",
)
"""Texts that a terminal, rich, HTML, Markdown, a spreadsheet or matplotlib would obey."""

KEPT = ("rank_by", "direction", "kind", "task", "tuner", "pruner", "class_weight", "vary")
"""Fields of `ComparisonInfo` whose words are chosen from a list."""

SGR = re.compile(r"\x1b\[[0-9;]*m")

EVIL_TAGS = {"script", "img", "b", "i"}


def poison(value: Any, words: Iterator[str], field: str = "") -> Any:
    """Return ``value`` with a hostile text behind every text in it."""
    if isinstance(value, str):
        return value if field in KEPT else value + next(words)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {each.name: poison(getattr(value, each.name), words, each.name) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **given)
    if isinstance(value, tuple):
        return tuple(poison(item, words, field) for item in value)
    if isinstance(value, dict):
        return {poison(key, words): poison(item, words) for key, item in value.items()}
    return value


def make_info() -> ComparisonInfo:
    """Return what a comparison of three recipes keeps, with a text in every field that holds some."""
    data = DataInfo(
        "rows.csv", "0123abcd", 60, 36, 12, 12, "5 columns", "classification", SplitInfo("stratified"), "kind",
        ("rose", "lily", *NASTY[:8]), ("one repair", "two"), ("one warning", "two"),
    )  # fmt: skip
    return ComparisonInfo(
        "flowers", "nll", "min", data, "name: flowers\n", {"keras": "3", "regzoo": "1"}, "regzoo compare x.yaml",
        2, "random", 3, notes=NASTY,
    )  # fmt: skip


def write_ledger(folder: Path) -> Path:
    """Write a ledger of replicates and failed runs whose every text is hostile."""
    folder.mkdir()
    words = itertools.cycle(NASTY)
    names = ["none", *(f"dropout{word}" for word in NASTY)]
    with Ledger(folder, create=True) as ledger:
        ledger.set_comparison_info(poison(make_info(), words))
        ledger.set_recipe_names(names)
        for index, name in enumerate(names):
            recipe = "none" if not index else f"dropout({index / 50})"
            for number in range(3):
                run = Run("replicate", name, recipe, number, 7 + number, 0.001, 4, "setup")
                score = 0.5 + 0.01 * index + 0.002 * (number * index % 4)
                metrics: Any = {part: {"nll": score, "error": score / 4} for part in ("train", "validation", "test")}
                curves: Any = {part: {"nll": [1.0, score]} for part in ("train", "validation")}
                ledger.add(Record(run, "ok", metrics, curves, 2, 2, 8, 1.0), Objective("nll", "min"))
            run = Run("trial", name, recipe, 0, 7, 0.001, 4, "setup")
            ledger.add(Record(run, "failed", error=f"OOM{next(words)}"), Objective("nll", "min"))
    return folder


def find_controls(text: str) -> set[str]:
    """Return the characters of ``text`` that are obeyed rather than seen."""
    obeyed = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return {c for c in set(text) if unicodedata.category(c) in obeyed} - {"\n", "\t"}


class Tags(HTMLParser):
    """Collects the tags of a page, the names of their attributes, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value for name, value in attrs if name in ("href", "src", "xlink:href")}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison with a report. Read it; do not write to it."""
    folder = write_ledger(tmp_path_factory.mktemp("hostile") / "flowers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["regzoo", "report", str(folder)])
        with pytest.raises(SystemExit) as done:
            main()
    assert done.value.code == 0
    return folder


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "leaderboard": lambda folder: ["leaderboard", str(folder)],
    "leaderboard json": lambda folder: ["leaderboard", str(folder), "--json"],
    "leaderboard csv": lambda folder: ["leaderboard", str(folder), "--csv"],
    "failures": lambda folder: ["failures", str(folder)],
    "compare-runs": lambda folder: ["compare-runs", str(folder), str(folder.parent / "other")],
    "compare-runs json": lambda folder: ["compare-runs", str(folder), str(folder.parent / "other"), "--json"],
    "check-claims": lambda folder: ["check-claims", str(folder), "--quiet"],
    "export": lambda folder: ["export", str(folder), "--to", str(folder.parent / "model"), "--recipe", NASTY[0]],
}


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("name", list(COMMANDS))
def test_no_command_prints_a_control_character(
    name: str,
    terminal: bool,
    hostile: Path,
    tensorflow: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if name.startswith("compare-runs") and not (hostile.parent / "other").exists():
        write_ledger(hostile.parent / "other")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", ["regzoo", *COMMANDS[name](hostile)])
    capfd.readouterr()
    with pytest.raises(SystemExit) as done:
        main()
    printed = "".join(capfd.readouterr())
    assert done.value.code == (2 if name in ("export", "check-claims") else 0)
    assert "Traceback" not in printed
    assert SGR.sub("", printed) == printed or terminal
    assert find_controls(SGR.sub("", printed)) == set()
    assert not [word for word in NASTY[:9] if word in printed]
    if "json" in name:
        json.loads(printed)


def test_the_page_and_the_figures_hold_text_and_no_tags(hostile: Path) -> None:
    text = (hostile / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert find_controls(text) == set()
    assert not EVIL_TAGS & tags.tags
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert not [address for address in tags.addresses if not address.startswith("#")]
    for path in (hostile / "figures").iterdir():
        svg = path.read_text(encoding="utf-8")
        assert find_controls(svg) == set(), path
        names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
        assert not names & {*EVIL_TAGS, "a", "foreignObject"}, path


def test_markdown_has_no_tag_link_or_heading_of_its_own(hostile: Path) -> None:
    text = (hostile / "report.md").read_text(encoding="utf-8")
    assert find_controls(text) == set()
    blocks = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", text)  # code is shown as it is
    prose = re.sub(r"(`+).*?\1", "", blocks)
    assert not re.search(r"(?<!\\)<\w", prose)
    assert not re.search(r"(?<!\\)\]\((?!figures/)", prose)
    assert not re.search(r"(?<!\\):?//|(?<!\\)@", prose.replace("\\:/", ""))
    assert "# heading" not in prose.replace("\\# heading", "").splitlines()


def test_tables_hold_no_formula(hostile: Path) -> None:
    text = (hostile / "leaderboard.csv").read_text(encoding="utf-8")
    assert find_controls(text) == set()
    cells = [cell for row in csv.reader(text.splitlines()) for cell in row]
    assert [cell for cell in cells if re.match(r"\s*[=+@]", cell)] == []
