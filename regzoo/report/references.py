"""BibTeX entries of the papers behind the compared regularizers, from ``references.bib``, and of the statistics."""

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
_ENTRY = re.compile(r"^@misc\{(\w+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
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


STATISTICS = {
    "smyth2004": {
        "author": "Smyth, Gordon K.",
        "title": "Linear models and empirical {Bayes} methods for assessing differential expression in microarray "
        "experiments",
        "year": "2004",
        "url": "https://doi.org/10.2202/1544-6115.1027",
        "note": "moderated t over searches",
    },
    "bouthillier2021": {
        "author": "Bouthillier, Xavier and Delaunay, Pierre and Bronzi, Mirko and Trofimov, Assya and Nichyporuk, "
        "Brennan and others",
        "title": "Accounting for variance in machine learning benchmarks",
        "year": "2021",
        "url": "https://arxiv.org/abs/2103.03098",
        "note": "sources of variance, P(better)",
    },
    "shaffer1986": {
        "author": "Shaffer, Juliet Popper",
        "title": "Modified sequentially rejective multiple test procedures",
        "year": "1986",
        "url": "https://doi.org/10.1080/01621459.1986.10478341",
        "note": "adjustment over all pairs",
    },
    "nadeau2003": {
        "author": "Nadeau, Claude and Bengio, Yoshua",
        "title": "Inference for the generalization error",
        "year": "2003",
        "url": "https://doi.org/10.1023/A:1024068626366",
        "note": "corrected variance of repeated splits",
    },
}
"""Papers behind the statistics, by key."""


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
    @misc{srivastava2014,
      author = {Srivastava, Nitish and Hinton, Geoffrey and Krizhevsky, Alex and Sutskever, Ilya and Salakhutdinov, Ruslan},
      title = {Dropout: a simple way to prevent neural networks from overfitting},
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
    keys: list[str] = []
    entries = []
    for paper, regularizers in papers.items():
        key = paper.key if paper.key in known else _make_key(paper, {*known, *keys})
        keys.append(key)
        fields = known.get(key) or {"author": paper.authors, "year": paper.year, "url": paper.link}
        lines = [f"  {field} = {{{value}}},\n" for field, value in fields.items()]
        entries.append(f"@misc{{{key},\n{''.join(lines)}  note = {{{_escape(', '.join(regularizers))}}},\n}}")
    for key in statistics:
        lines = [f"  {field} = {{{value}}},\n" for field, value in STATISTICS[key].items()]
        entries.append(f"@misc{{{key},\n{''.join(lines)}}}")
    return "\n\n".join(entries)


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
