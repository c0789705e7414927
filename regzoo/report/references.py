"""References: BibTeX entries of the techniques that were compared, read from their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

from regzoo.language import InputError, parse

_CITED = re.compile(r"(?:^|[;,.] |for \w+ )(?P<authors>[A-Z][^;,]*?) (?P<year>\d{4}),(?:[^;]*?) ?(?P<link>https?://[^\s;,]+)")


def bibtex(names: Iterable[str]) -> str:
    """Return an ``@misc`` entry for each paper that the docstrings of these recipes' regularizers refer to.

    Titles are not in the docstrings, so an entry has authors, year, link and the techniques it stands for. A recipe
    that is unknown here is left out.

    >>> print(bibtex(["none", "dropout(0.5)"]))
    @misc{srivastava2014,
      author = {Srivastava and others},
      year = {2014},
      url = {https://jmlr.org/papers/v15/srivastava14a.html},
      note = {dropout},
    }
    """
    papers: dict[tuple[str, str, str], list[str]] = {}
    for name, docstring in _docstrings(names).items():
        for paper in cited(docstring):
            papers.setdefault(paper, []).append(name)
    keys: list[str] = []
    for authors, year, _ in papers:
        stem = re.sub(r"[^a-z]", "", authors.split()[0].lower()) + year
        taken = sum(re.fullmatch(stem + "[a-z]?", key) is not None for key in keys)
        keys.append(stem + ("", *"bcdefghijklmnopqrstuvwxyz")[taken])
    return "\n\n".join(
        f"@misc{{{key},\n  author = {{{authors}}},\n  year = {{{year}}},\n  url = {{{link}}},\n"
        f"  note = {{{', '.join(techniques)}}},\n}}".replace("_", r"\_" if False else "_")
        for key, ((authors, year, link), techniques) in zip(keys, papers.items(), strict=True)
    )


def cited(docstring: str) -> list[tuple[str, str, str]]:
    """Return (authors, year, link) of each paper in the paragraph ``Reference:`` of a docstring.

    >>> cited("Do it.\\n\\nReference: Yun et al. 2019, https://a.org/1; for rows Kadra et al. 2021, https://a.org/2")
    [('Yun and others', '2019', 'https://a.org/1'), ('Kadra and others', '2021', 'https://a.org/2')]
    """
    paragraphs = [" ".join(p.split()) for p in inspect.cleandoc(docstring).split("\n\n")]
    text = next((p.removeprefix("Reference: ") for p in paragraphs if p.startswith("Reference: ")), "")
    return [(m["authors"].replace(" et al.", " and others"), m["year"], m["link"]) for m in _CITED.finditer(text)]


def _docstrings(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            parts = parse(name).parts
        except InputError:
            continue
        found |= {part.name: type(part).__doc__ or "" for part in parts}
    return found
