"""BibTeX of the techniques, read from their docstrings."""

from __future__ import annotations

import re

import pytest

from regzoo.core import regularizers
from regzoo.core.docstring import read_docstring
from regzoo.report.references import bibtex, cited
from regzoo.report.titles import TITLES


@pytest.mark.parametrize("name", regularizers())
def test_every_link_of_the_zoo_becomes_an_entry(name: str) -> None:
    reference = read_docstring(regularizers()[name]).labelled["Reference"]
    found = cited(reference)
    assert [link for *_, link in found] == re.findall(r"https?://[^\s;,]+", reference)
    assert all(1900 < int(year) < 2100 and authors[0].isupper() for authors, year, _ in found)


def test_one_entry_a_paper_and_one_key_an_entry() -> None:
    text = bibtex(
        ["none", "dropout + classic_dropout", "stochastic_depth", "spatial_dropout", "placebo 1", "dropout(0.1)"]
    )
    keys = re.findall(r"@misc\{(\w+),", text)
    assert keys == ["srivastava2014", "huang2016", "tompson2015"]
    assert r"note = {dropout, classic\_dropout}" in text
    assert text.count("{") == text.count("}")


def test_two_papers_of_one_author_and_year_have_keys_of_their_own() -> None:
    keys = re.findall(r"@misc\{(\w+),", bibtex(["snapshot_ensemble", "unit_norm"]))  # both Huang et al. 2017
    assert keys == ["huang2017", "huang2017b"]


def test_every_title_belongs_to_a_link_of_the_zoo() -> None:
    docstrings = " ".join(read_docstring(kind).labelled["Reference"] for kind in regularizers().values())
    assert [link for link in TITLES if link not in docstrings] == []


def test_an_entry_of_a_regularizer_from_elsewhere_has_no_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TITLES, "https://jmlr.org/papers/v15/srivastava14a.html")
    assert "title" not in bibtex(["dropout"])


def test_nothing_to_cite() -> None:
    assert bibtex(["none"]) == ""
