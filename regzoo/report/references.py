"""References: BibTeX entries of the techniques that were compared, read from their docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable

from regzoo.core.docstring import read_docstring
from regzoo.report.findings.strengths import recipe_of
from regzoo.report.titles import TITLES

_CITED = re.compile(
    r"(?P<authors>[A-Z][\w'-]+(?:,? (?:and |et al\.|[A-Z][\w'-]+)+)*) (?P<year>\d{4})(?:(?!https?://).)*?"
    r"(?P<link>https?://[^\s;,]+)"
)


def bibtex(names: Iterable[str]) -> str:
    """Return an ``@misc`` entry for each paper that the docstrings of these recipes' regularizers refer to.

    An entry has authors, title, year, link and the techniques it stands for; one of a regularizer from elsewhere has
    no title. A recipe that is unknown here is left out.

    >>> print(bibtex(["none", "dropout(0.5)"]))
    @misc{srivastava2014,
      author = {Srivastava and others},
      title = {Dropout: a simple way to prevent neural networks from overfitting},
      year = {2014},
      url = {https://jmlr.org/papers/v15/srivastava14a.html},
      note = {dropout},
    }
    """
    papers: dict[tuple[str, str, str], list[str]] = {}
    for name, reference in _references(names).items():
        for paper in cited(reference):
            papers.setdefault(paper, []).append(name)
    keys: list[str] = []
    for authors, year, _ in papers:
        stem = re.sub(r"[^a-z]", "", authors.split()[0].lower()) + year
        taken = sum(re.fullmatch(stem + "[a-z]?", key) is not None for key in keys)
        keys.append(stem + ("", *"bcdefghijklmnopqrstuvwxyz")[taken])
    return "\n\n".join(
        f"@misc{{{key},\n  author = {{{authors}}},\n{_title(link)}  year = {{{year}}},\n  url = {{{link}}},\n"
        f"  note = {{{_escaped(', '.join(techniques))}}},\n}}"
        for key, ((authors, year, link), techniques) in zip(keys, papers.items(), strict=True)
    )


def cited(reference: str) -> list[tuple[str, str, str]]:
    """Return (authors, year, link) of each paper that a reference names.

    >>> cited("Yun et al. 2019, https://a.org/1; for rows Kadra et al. 2021, https://a.org/2")
    [('Yun and others', '2019', 'https://a.org/1'), ('Kadra and others', '2021', 'https://a.org/2')]
    """
    return [(m["authors"].replace(" et al.", " and others"), m["year"], m["link"]) for m in _CITED.finditer(reference)]


def _title(link: str) -> str:
    return f"  title = {{{TITLES[link]}}},\n" if link in TITLES else ""


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")


def _references(names: Iterable[str]) -> dict[str, str]:
    """What stands behind ``Reference:`` in the docstring of each regularizer of these recipes."""
    found: dict[str, str] = {}
    for name in names:
        found |= {part.name: read_docstring(type(part)).labelled.get("Reference", "") for part in recipe_of(name)}
    return found
