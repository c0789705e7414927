"""BibTeX entries of the papers that the docstrings of the regularizers cite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import regzoo.regularizers
from regzoo.core import regularizers
from regzoo.core.docstring import read_docstring
from regzoo.report import references
from regzoo.report.references import find_citations, make_bibtex, read_bibliography


@pytest.mark.parametrize("name", regularizers())
def test_every_link_of_the_zoo_becomes_an_entry(name: str) -> None:
    reference = read_docstring(regularizers()[name]).sections["Reference"]
    found = find_citations(reference)
    assert [paper.link for paper in found] == re.findall(r"https?://[^\s;,]+", reference)
    assert all(1900 < int(paper.year) < 2100 and paper.authors[0].isupper() for paper in found)


@pytest.mark.parametrize("name", regularizers())
def test_every_paper_of_the_zoo_is_in_the_bibliography(name: str) -> None:
    for paper in find_citations(read_docstring(regularizers()[name]).sections["Reference"]):
        entry = read_bibliography()[paper.key]
        assert {"author", "title", "year", "url"} <= set(entry)
        assert (entry["year"], entry["url"]) == (paper.year, paper.link)
        first = paper.authors.split()[0]
        assert entry["author"].startswith(f"{first}, ")
        assert paper.key.rstrip("b") == first.lower() + paper.year
        # "Li and others" stands for three authors and more, "Wu and He" for two
        count = 3 if paper.authors.endswith(" and others") else 1 + paper.authors.count(" and ")
        assert min(entry["author"].count(" and ") + 1, 3) == count


def test_one_entry_a_paper_and_one_key_an_entry() -> None:
    text = make_bibtex(
        ["none", "dropout + classic_dropout", "stochastic_depth", "spatial_dropout", "placebo 1", "dropout(0.1)"]
    )
    keys = re.findall(r"@misc\{(\w+),", text)
    assert keys == ["srivastava2014", "huang2016", "tompson2015"]
    assert r"note = {dropout, classic\_dropout}" in text
    assert text.count("{") == text.count("}")


def test_two_papers_of_one_author_and_year_have_keys_of_their_own() -> None:
    keys = re.findall(r"@misc\{(\w+),", make_bibtex(["snapshot_ensemble", "unit_norm"]))  # both Huang et al. 2017
    assert keys == ["huang2017", "huang2017b"]


def test_every_entry_of_the_bibliography_is_cited_and_read_whole() -> None:
    docstrings = " ".join(read_docstring(kind).sections["Reference"] for kind in regularizers().values())
    assert [key for key in read_bibliography() if f"[{key}]" not in docstrings] == []
    text = (Path(regzoo.regularizers.__file__).parent / "references.bib").read_text("utf-8")
    assert text.count("\n@") == len(read_bibliography())
    assert text.count(" = {") == sum(len(fields) for fields in read_bibliography().values())
    assert list(read_bibliography()) == sorted(read_bibliography())


def test_an_entry_of_a_regularizer_from_elsewhere_has_no_title(monkeypatch: pytest.MonkeyPatch) -> None:
    others = {key: fields for key, fields in read_bibliography().items() if key != "srivastava2014"}
    monkeypatch.setattr(references, "read_bibliography", lambda: others)
    assert "title" not in make_bibtex(["dropout"])
    assert "@misc{srivastava2014,\n  author = {Srivastava and others},\n  year = {2014}," in make_bibtex(["dropout"])


def test_nothing_to_cite() -> None:
    assert make_bibtex(["none"]) == ""
