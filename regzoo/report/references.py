"""BibTeX entries of the papers behind the compared regularizers and the statistics, from ``references.bib``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from regzoo.core.docstring import read_docstring
from regzoo.report.findings.strengths import parse_or_empty
from regzoo.storage.info import ComparisonInfo

_CITATION = re.compile(
    r"(?P<authors>[A-Z][\w'-]+(?:,? (?:and |et al\.|[A-Z][\w'-]+)+)*) (?P<year>\d{4})(?: \[(?P<key>\w+)\])?"
    r"(?:(?!https?://).)*?(?P<link>https?://[^\s;,]+)"
)
_ENTRY = re.compile(r"^@\w+\{(\w+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^ +(\w+) = \{(.*)\},$", re.MULTILINE)


@dataclass(frozen=True)
class Citation:
    """One paper as the ``Reference:`` of a docstring cites it.

    Attributes:
        authors: such as ``Yun and others``.
        year: four digits.
        key: the entry in ``references.bib``; empty in docstrings that name none.
        link: address of the paper.
    """

    authors: str
    year: str
    key: str
    link: str


VENUES = {"booktitle": "inproceedings", "journal": "article", "publisher": "book", "howpublished": "misc"}
"""The type of an entry, by the field that holds its venue."""

STATISTICS = {
    "smyth2004": "moderated t over searches",
    "bouthillier2021": "sources of variance, P(better)",
    "shaffer1986": "adjustment over all pairs",
    "nadeau2003": "corrected variance of repeated splits",
}
"""What the statistics take from a paper, by its key in ``references.bib``."""


def list_statistics(comparison: ComparisonInfo) -> list[str]:
    """Return the keys of the papers behind the statistics of a comparison that varies more than the seed."""
    keys = ["smyth2004", "bouthillier2021", "shaffer1986"] if comparison.searches > 1 else []
    return [*keys, "nadeau2003"] if "split" in comparison.vary else keys


def make_bibtex(names: Iterable[str], statistics: Iterable[str] = ()) -> str:
    """Return a BibTeX entry for each paper that the docstrings of these recipes' regularizers cite.

    An entry is the one in ``references.bib``; for a paper that is not there, such as one that another package cites,
    authors, year and link come from the docstring. The note lists the regularizers that cite the paper. Recipes that
    cannot be parsed are left out. Last come the papers behind the ``statistics``, by their keys in `STATISTICS`.

    >>> print(make_bibtex(["none", "dropout(0.5)"]))
    @article{srivastava2014,
      author = {Srivastava, Nitish and Hinton, Geoffrey and Krizhevsky, Alex and Sutskever, Ilya and Salakhutdinov, Ruslan},
      title = {Dropout: a simple way to prevent neural networks from overfitting},
      journal = {Journal of Machine Learning Research},
      year = {2014},
      url = {https://jmlr.org/papers/v15/srivastava14a.html},
      note = {dropout},
    }
    """  # noqa: E501  a field of BibTeX stands on one line
    papers: dict[Citation, list[str]] = {}
    for name, reference in _list_references(names).items():
        for paper in find_citations(reference):
            papers.setdefault(paper, []).append(name)
    known = read_bibliography()
    entries: dict[str, str] = {}
    for paper, regularizers in papers.items():
        key = paper.key if paper.key in known else _make_key(paper, {*known, *entries})
        fields = known.get(key) or {"author": paper.authors, "year": paper.year, "url": paper.link}
        entries[key] = _write_entry(key, fields, _escape(", ".join(regularizers)))
    for key in statistics:
        entries[key] = _write_entry(key, known[key], STATISTICS[key])
    return "\n\n".join(entries.values())


def _write_entry(key: str, fields: Mapping[str, str], note: str) -> str:
    """Return a BibTeX entry; its note says so if its link could not be verified."""
    kind = next((type_ for venue, type_ in VENUES.items() if venue in fields), "misc")
    note += "; link unverified" if fields.get("verified") == "no" else ""
    shown = {**{name: value for name, value in fields.items() if name != "verified"}, "note": note}
    return f"@{kind}{{{key},\n" + "".join(f"  {name} = {{{value}}},\n" for name, value in shown.items()) + "}"


def find_citations(reference: str) -> list[Citation]:
    """Return the papers that a reference cites.

    >>> for paper in find_citations("Yun et al. 2019 [yun2019], https://a.org/1; for rows Kadra 2021, https://a.org/2"):
    ...     print(paper.authors, paper.year, paper.key or "-", paper.link)
    Yun and others 2019 yun2019 https://a.org/1
    Kadra 2021 - https://a.org/2
    """
    return [
        Citation(match["authors"].replace(" et al.", " and others"), match["year"], match["key"] or "", match["link"])
        for match in _CITATION.finditer(reference)
    ]


@functools.cache
def read_bibliography() -> Mapping[str, Mapping[str, str]]:
    """Return the fields of each entry of ``references.bib``, by key."""
    text = resources.files("regzoo.regularizers").joinpath("references.bib").read_text("utf-8")
    return {key: dict(_FIELD.findall(fields)) for key, fields in _ENTRY.findall(text)}


def _make_key(paper: Citation, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z]", "", paper.authors.split()[0].lower()) + paper.year
    return next(stem + letter for letter in ("", *"bcdefghijklmnopqrstuvwxyz") if stem + letter not in taken)


def _escape(text: str) -> str:
    return text.replace("_", r"\_")


def _list_references(names: Iterable[str]) -> dict[str, str]:
    """Return the text after ``Reference:`` in the docstring of each regularizer of these recipes, by its name."""
    found: dict[str, str] = {}
    for name in names:
        for regularizer in parse_or_empty(name):
            found[regularizer.name] = read_docstring(type(regularizer)).sections.get("Reference", "")
    return found
