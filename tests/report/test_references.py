"""BibTeX entries of the papers that regzoo cites: whole, each used, and each link of the sources among them."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

import regzoo.regularizers
from regzoo.core import backbones, regularizers
from regzoo.core.docstring import read_docstring
from regzoo.report import references
from regzoo.report.references import STATISTICS, VENUES, find_citations, make_bibtex, read_bibliography

SOURCES = {file: file.read_text("utf-8") for file in Path(regzoo.__file__).parent.rglob("*.py")}
PAPER = re.compile(
    r"https?://(?:dx\.)?(?:doi\.org|arxiv\.org|[\w.]*jmlr\.org|www\.jstor\.org|proceedings\.[\w.]+|papers\.nips\.cc)/[^\s;,}]+"
)
"""A link to a paper, as far as the first character that ends some."""


def remove_accents(name: str) -> str:
    r"""Return a name without its accents, those of BibTeX included: ``Müller`` and ``M{\"u}ller`` are ``Muller``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"\{\\\W(\w)\}", r"\1", plain)


@pytest.mark.parametrize("name", regularizers())
def test_every_link_of_the_zoo_becomes_an_entry(name: str) -> None:
    reference = read_docstring(regularizers()[name]).sections["Reference"]
    found = find_citations(reference)
    assert [paper.link for paper in found] == re.findall(r"https?://[^\s;,]+", reference)
    assert all(1900 < int(paper.year) < 2100 and paper.authors[0].isupper() for paper in found)


@pytest.mark.parametrize(
    "name", [*regularizers(), *(name for name in backbones() if name not in ("linear", "mlp", "cnn"))]
)
def test_every_paper_of_the_zoo_is_in_the_bibliography(name: str) -> None:
    papers = find_citations(read_docstring({**regularizers(), **backbones()}[name]).sections["Reference"])
    assert papers
    for paper in papers:
        entry = read_bibliography()[paper.key]
        assert (entry["year"], entry["url"]) == (paper.year, paper.link)
        first = remove_accents(paper.authors.split()[0])
        assert remove_accents(entry["author"]).startswith(f"{first}, ")
        assert paper.key.rstrip("b") == first.lower() + paper.year
        # "Li and others" stands for three authors and more, "Wu and He" for two
        count = 3 if paper.authors.endswith(" and others") else 1 + paper.authors.count(" and ")
        assert min(entry["author"].count(" and ") + 1, 3) == count


@pytest.mark.parametrize("key", read_bibliography())
def test_an_entry_has_authors_title_venue_year_and_a_link_that_was_verified_or_is_marked(key: str) -> None:
    entry = read_bibliography()[key]
    assert {"author", "title", "year", "url", "verified"} <= set(entry)
    assert len(VENUES.keys() & entry.keys()) == 1
    assert all(value and value == value.strip() for value in entry.values())
    for field, start in (("eprint", "https://arxiv.org/abs/"), ("doi", "https://doi.org/")):
        assert field not in entry or entry["url"] == start + entry[field]
    using = [text for text in SOURCES.values() if entry["url"] in text]
    assert using, "no docstring cites it"
    if entry["verified"] == "no":
        assert all(f"{entry['url']} (link unverified)" in text for text in using)


def test_every_link_to_a_paper_is_in_the_bibliography() -> None:
    urls = {entry["url"] for entry in read_bibliography().values()}
    links = {
        link.rstrip(".)")
        for file, text in SOURCES.items()
        if file.stem != "public_info"
        for link in PAPER.findall(text)
    }
    assert len(links) > 80
    assert {link for link in links if not any(url.startswith(link) for url in urls)} == set()


def test_statistics_are_cited_whole_and_say_so_if_a_link_is_unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STATISTICS.keys() <= read_bibliography().keys()
    monkeypatch.setattr(references, "STATISTICS", {"tippett1925": "expected maximum"})
    text = make_bibtex(["none"], ["tippett1925"])
    assert text.startswith("@article{tippett1925,\n  author = {Tippett, ")
    assert "note = {expected maximum; link unverified}" in text
    assert "verified = " not in text


def test_one_entry_a_paper_and_one_key_an_entry() -> None:
    text = make_bibtex(
        ["none", "dropout + classic_dropout", "stochastic_depth", "spatial_dropout", "placebo 1", "dropout(0.1)"]
    )
    keys = re.findall(r"@\w+\{(\w+),", text)
    assert keys == ["srivastava2014", "huang2016", "tompson2015"]
    assert r"note = {dropout, classic\_dropout}" in text
    assert text.count("{") == text.count("}")


def test_two_papers_of_one_author_and_year_have_keys_of_their_own() -> None:
    keys = re.findall(r"@\w+\{(\w+),", make_bibtex(["snapshot_ensemble", "unit_norm"]))  # both Huang et al. 2017
    assert keys == ["huang2017", "huang2017b"]


def test_the_bibliography_is_sorted_and_read_whole() -> None:
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
