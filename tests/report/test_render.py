"""The page: complete, offline, escaped, reproducible, and rendered without TensorFlow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from regzoo.comparison.leaderboard import Leaderboard, build_leaderboard
from regzoo.report.render import render_files
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""

FIGURES = [
    "leaderboard", "forest", "learning_curves", "strength_response", "calibration", "gap", "cost", "weights",
    "expected_best", "rank_by_budget",
]  # fmt: skip
HEADINGS = [
    "Verdict", "Leaderboard", "Figures", "Chosen strengths", "More numbers", "Failures", "Audit", "Methods",
    "References", "Reproduce it",
]  # fmt: skip


class Tags(HTMLParser):
    """Collect the tags of a page with their attributes, and check that they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of this file share."""
    return tmp_path_factory.mktemp("page")


@pytest.fixture
def written(write_page: Any, shared: Path, quick: Ranked, make_comparison: Any) -> Path:
    """A folder with a full report, written once. Read it; do not write to it."""
    if not (shared / "report").exists():
        write_page(shared / "report", *quick, make_comparison())
    return shared / "report"


def test_every_section_and_every_file(written: Path) -> None:
    html = (written / "report.html").read_text()
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", html) == HEADINGS
    assert [path.stem for path in sorted((written / "figures").iterdir())] == sorted(FIGURES)
    assert sorted(path.name for path in written.iterdir()) == ["figures", "report.html", "report.md"]
    for phrase in (
        "regzoo compare configs/quickstart.yaml",
        "recipes: [none, dropout]",
        "keras 3.15.1",
        "winner&#39;s curse",
    ):
        assert phrase in html or phrase.replace("&#39;", "'") in html


def test_the_page_needs_no_network_and_no_script(written: Path) -> None:
    tags = Tags((written / "report.html").read_text())
    assert tags.open == []
    assert not {tag for tag, _ in tags.found} & {"script", "link", "iframe", "img", "object", "embed"}
    sources = [v for _, attrs in tags.found for k, v in attrs.items() if k in ("src", "href", "xlink:href")]
    assert all(source is not None and source.startswith("#") for source in sources)
    assert not re.findall(r"@import|url\((?!#)", (written / "report.html").read_text())


def test_tables_have_captions_and_figures_have_titles(written: Path) -> None:
    html = (written / "report.html").read_text()
    assert html.count("<table>") == html.count("<caption") == 7
    pictures = [attrs for tag, attrs in Tags(html).found if tag == "svg"]
    assert [attrs["aria-labelledby"] for attrs in pictures] == [f"{name}-title {name}-desc" for name in FIGURES]
    assert all(attrs["role"] == "img" for attrs in pictures)


def test_ids_are_unique_and_references_lead_somewhere(written: Path) -> None:
    attributes = [attrs for _, attrs in Tags((written / "report.html").read_text()).found]
    ids = [attrs["id"] for attrs in attributes if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {v[1:] for attrs in attributes for k, v in attrs.items() if v and k in ("href", "xlink:href")}
    wanted |= {m for attrs in attributes for v in attrs.values() for m in re.findall(r"url\(#([^)]*)\)", v or "")}
    wanted |= {i for attrs in attributes for i in (attrs.get("aria-labelledby") or "").split()}
    assert wanted <= set(ids)


def test_figures_are_svg_files_without_a_date(written: Path) -> None:
    for path in (written / "figures").iterdir():
        assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert "<dc:date>" not in path.read_text()


def test_the_same_input_gives_the_same_bytes(
    write_page: Any, written: Path, tmp_path: Path, quick: Ranked, make_comparison: Any
) -> None:
    write_page(tmp_path / "again", *quick, make_comparison())
    for path in written.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(written)).read_bytes(), path.name


def test_markdown_holds_verdict_leaderboard_figures_and_methods(written: Path) -> None:
    text = (written / "report.md").read_text()
    assert "**Use `dropout(0.31) + l2(0.000213)`" in text
    assert r"| 4 | 2 | dropout(0.28) + early\_stopping(12) | 0.1031 |" in text
    for name in FIGURES:
        assert f"(figures/{name}.svg)" in text
    assert "## Methods" in text


def test_names_are_text_and_never_markup(
    write_page: Any, tmp_path: Path, make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    evil = "<script>alert('$x_1$')</script>|`b`"
    rows = [make_row(evil, rank=1, tier=1, mean=0.1), make_row("none", rank=2, tier=1, mean=0.2)]
    records = [
        make_record(evil, 0.1, history={"validation": {"nll": [0.2, 0.1]}}),
        make_record(evil, None, status="failed", error=evil, number=1),
        *(make_record(evil, 0.1, stage="trial", number=n, learning_rate=0.1**n) for n in (1, 2)),
    ]
    data = replace(make_comparison().data, source=evil, labels=(evil,))
    given = make_comparison(name=evil, data=data, notes=(evil,), config=evil, command=evil, versions={evil: evil})
    write_page(tmp_path, make_leaderboard(rows), records, given)
    html, markdown = (tmp_path / "report.html").read_text(), (tmp_path / "report.md").read_text()
    assert "script" not in {tag for tag, _ in Tags(html).found}
    assert "&lt;script&gt;" in html
    outside_code = re.sub(r"^(`{3,})\n.*?^\1$|(`+)[^`].*?\2", "", markdown, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)<script>", outside_code)
    table = [line for line in markdown.splitlines() if line.startswith("| 1 | 1 |")]
    assert len(re.findall(r"(?<!\\)\|", table[0])) == 13  # twelve columns


def test_a_leaderboard_with_nothing_finished_is_a_page_of_sentences(
    write_page: Any, tmp_path: Path, make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    given = make_comparison(seconds=None, data=replace(make_comparison().data, labels=()))
    write_page(tmp_path, make_leaderboard([make_row("none"), make_row("dropout")]), [], given)
    html = (tmp_path / "report.html").read_text()
    assert html.count("Nothing to draw: ") == len(FIGURES) - 1  # where nothing has an order, nothing is ranked
    assert "No verdict yet" in html
    assert list((tmp_path / "figures").iterdir()) == []
    files = render_files(make_leaderboard([make_row("none"), make_row("dropout")]), [], given)
    assert {name: text for name, text in files.items() if text is None}.keys() == {
        f"figures/{name}.svg" for name in set(FIGURES)
    } & files.keys()


@pytest.mark.slow
def test_a_half_finished_awkward_leaderboard(
    write_page: Any, tmp_path: Path, awkward: Callable[..., Ranked], make_comparison: Any
) -> None:
    write_page(tmp_path, *awkward(), make_comparison())
    html = (tmp_path / "report.html").read_text()
    assert "not measured yet" in html
    assert "5 of 5 diverged" in html
    assert "&lt;b&gt;no&lt;/b&gt;" in html  # the reason of a failure
    assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL))


@pytest.mark.slow
def test_it_takes_the_leaderboard_that_a_comparison_builds(
    write_page: Any, tmp_path: Path, quick: Ranked, make_comparison: Any
) -> None:
    names = [row.name for row in quick[0].recipes]
    leaderboard = build_leaderboard(quick[1], "nll", "min", [*names, "l1"])
    write_page(tmp_path, leaderboard, quick[1], make_comparison())
    html = (tmp_path / "report.html").read_text()
    assert html.count('class="winner"') == html.count('class="baseline"') == 5  # once in each table of recipes
    assert "Not measured yet: <code>l1</code>; the order may change." in html
