"""Find how a column of text is read: as numbers or as dates, in the form that most of its cells agree on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.data.reading.clocks import parse_clock
from regzoo.data.reading.date_columns import parse_dates
from regzoo.data.reading.dates import has_month_name, is_marked_utc, parse_date
from regzoo.data.reading.numbers import find_currency, find_unit, make_number_pattern, parse_number
from regzoo.data.reading.reading import (
    CLOCKS,
    DATE_ORDERS,
    DECIMALS,
    OPEN,
    PLAIN,
    THOUSANDS,
    Reading,
    ReadingKeys,
)

Array = NDArray[Any]

Fit = Callable[[list[str], Reading], Array]
"""Returns which of some texts (n,) are of a form."""

SAMPLE = 1000
"""Different cells that are tried first; a column is read whole only if several of them fit a form."""

BLANKS = " \u00a0\u202f"

_LEAST = 0.1


@dataclass(frozen=True, eq=False)
class Found:
    """The form that most cells of a column agree on.

    Attributes:
        reading: how such cells are read.
        fits: (n,) which of the different cells are of this form; empty cells are not.
        rival: a form that as many cells have, in which they mean something else; None if there is none.
    """

    reading: Reading
    fits: Array
    rival: Reading | None


def find_numbers(texts: Array, counts: Array, keys: ReadingKeys) -> Found | None:
    """Return the form of most numbers among the different ``texts`` (n,), which occur in ``counts`` (n,) cells.

    Return None if hardly any of them is a number. The keys decide between forms if the cells fit them.
    """
    forms = list(_list_forms(texts, counts, OPEN))
    if not _are_likely(texts, lambda text: any(_match_number(text, form) for form in forms)):
        return None
    if keys.decimal is not None or keys.thousands is not None:
        keyed = list(_list_forms(texts, counts, keys))
        found = _choose(texts, counts, keyed, _match_numbers, _differ_in_numbers)
        if found is not None and 2 * counts[found.fits].sum() > counts[texts != ""].sum():
            return found
    return _choose(texts, counts, forms, _match_numbers, _differ_in_numbers)


def find_dates(texts: Array, counts: Array, keys: ReadingKeys) -> Found | None:
    """Return the form of most dates among the different ``texts`` (n,), which occur in ``counts`` (n,) cells.

    Return None if hardly any of them is a date. With a key, days and months have its order and no other.
    """
    orders = DATE_ORDERS if keys.dates is None else (keys.dates,)
    named = any(map(has_month_name, texts[:: max(1, len(texts) // SAMPLE)].tolist()))
    forms = [Reading(dates=order, named=named, zoned=zoned) for order in orders for zoned in (False, True)]
    if not _are_likely(texts, lambda text: any(_match_date(text, form) for form in forms)):
        return None
    for form in (PLAIN, Reading(zoned=True)):  # ISO 8601 has no rival, and most columns of dates are such
        fits = _find_fits(texts, form, _match_dates)
        if (fits | (texts == "")).all():
            return Found(_simplify(texts.tolist(), fits, form), fits, None)
    return _choose(texts, counts, forms, _match_dates, _differ_in_order)


def find_clocks(texts: Array, counts: Array) -> Found | None:
    """Return the form of most times of day or durations among ``texts`` (n,), as `find_dates` does for dates."""
    forms = [Reading(clock=clock) for clock in CLOCKS]
    if not _are_likely(texts, lambda text: any(_match_clock(text, form) for form in forms)):
        return None
    return _choose(texts, counts, forms, _match_clocks, lambda *_: False)


def _are_likely(texts: Array, fits: Callable[[str], bool]) -> bool:
    """Return True if at least a tenth of a sample of ``texts`` fits."""
    sample = [text for text in texts[:: max(1, len(texts) // SAMPLE)].tolist() if text]
    return sum(map(fits, sample)) >= max(1, _LEAST * len(sample))


def _list_forms(texts: Array, counts: Array, keys: ReadingKeys) -> Iterator[Reading]:
    """Yield the forms of numbers that ``keys`` allow, with the most frequent currency of ``texts``."""
    sample = slice(None, None, max(1, len(texts) // SAMPLE))
    currency, unit = (_find_most_frequent(find, texts[sample], counts[sample]) for find in (find_currency, find_unit))
    percent = any(text.endswith("%") for text in texts[sample].tolist())
    for decimal in DECIMALS:
        for thousands in ("", *THOUSANDS):
            fits = keys.decimal in (None, decimal) and (keys.thousands in (None, thousands))
            if decimal != thousands and fits:
                yield Reading(decimal, thousands, currency, percent, unit=unit)


def _find_most_frequent(find: Callable[[str], str], texts: Array, counts: Array) -> str:
    """Return the sign that ``find`` returns for the most cells; empty if there is none."""
    signs: Counter[str] = Counter()
    for text, count in zip(texts.tolist(), counts.tolist(), strict=True):
        signs[find(text)] += count
    del signs[""]
    return signs.most_common(1)[0][0] if signs else ""


def _match_number(text: str, form: Reading) -> bool:
    return re.fullmatch(make_number_pattern(form), text) is not None


def _match_date(text: str, form: Reading) -> bool:
    return parse_date(text, form.dates, form.zoned, form.named) is not None


def _match_clock(text: str, form: Reading) -> bool:
    return bool(form.clock) and parse_clock(text, form.clock) is not None


def _match_numbers(texts: list[str], form: Reading) -> Array:
    match = re.compile(make_number_pattern(form)).fullmatch
    return np.array([match(text) is not None for text in texts], dtype=bool)


def _match_dates(texts: list[str], form: Reading) -> Array:
    return parse_dates(texts, form.dates, form.zoned, form.named)[2]


def _match_clocks(texts: list[str], form: Reading) -> Array:
    return np.array([_match_clock(text, form) for text in texts], dtype=bool)


def _differ_in_numbers(texts: list[str], first: Reading, second: Reading) -> bool:
    return any(parse_number(text, first) != parse_number(text, second) for text in texts)


def _differ_in_order(texts: list[str], first: Reading, second: Reading) -> bool:
    """Return True for two orders, even if days and months are equal in all of ``texts``: in later ones they are not."""
    with_order = any(not _match_date(text, Reading(zoned=first.zoned, named=first.named)) for text in texts)
    return with_order and first.dates != second.dates and first.zoned == second.zoned


def _choose(
    texts: Array,
    counts: Array,
    forms: list[Reading],
    fit: Fit,
    differ: Callable[[list[str], Reading, Reading], bool],
) -> Found | None:
    """Return the form that the most cells fit, of equals the first; None if none fits."""
    plain, sample = texts.tolist(), texts[:: max(1, len(texts) // SAMPLE)]
    forms = [form for form in forms if _find_fits(sample, form, fit).any()]
    masks = [_find_fits(texts, form, fit) for form in forms]
    covered = [int(counts[mask].sum()) for mask in masks]
    if not any(covered):
        return None
    best = covered.index(max(covered))
    for other, mask in enumerate(masks):
        if other != best and covered[other] == covered[best]:
            both = texts[mask & masks[best]].tolist()
            if differ(both, forms[best], forms[other]):
                return Found(_simplify(plain, masks[best], forms[best]), masks[best], forms[other])
    return Found(_simplify(plain, masks[best], forms[best]), masks[best], None)


def _find_fits(texts: Array, form: Reading, fit: Fit) -> Array:
    """Return which of ``texts`` (n,) fit; empty cells do not."""
    return fit(texts.tolist(), form) & (texts != "")


def _simplify(texts: list[str], mask: Array, form: Reading) -> Reading:
    """Return ``form`` without what none of its cells has: a currency, a unit, a percent sign, an order of dates."""
    cells = [text for text, fits in zip(texts, mask.tolist(), strict=True) if fits]
    if form.clock:
        return form
    bare = Reading(zoned=form.zoned, named=form.named)
    ordered = form.dates != PLAIN.dates and any(not _match_date(text, bare) for text in cells)
    return replace(
        form,
        currency=form.currency if any(form.currency in text for text in cells) else "",
        unit=form.unit if any(text.strip(BLANKS).endswith(form.unit) for text in cells) else "",
        percent=form.percent and any("%" in text for text in cells),
        dates=form.dates if ordered else PLAIN.dates,
        named=form.named and any(map(has_month_name, cells)),
        utc=not form.zoned and any(map(is_marked_utc, cells)),
    )
