"""Claims of a comparison in words: how many held in its repetitions, which did not, and what is new in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from statistics import fmean

from regzoo.comparison.claims import OUTCOMES, WORDS, Claim, ClaimCheck
from regzoo.core.escaping import escape_markdown
from regzoo.core.formatting import MISSING, format_count, format_list, format_percent, format_significant

HEADERS = ("claim", "difference", "tier order")
NEW_HEADERS = ("not claimed by the comparison", "difference", "tier order")

READING = (
    "A claim holds in a repetition that makes it too, is tied in one that makes neither it nor its opposite, and has "
    "turned in one that makes the opposite. Data, split, and the seeds of the replicates are the same in all of them."
)


@dataclass(frozen=True)
class ClaimRow:
    """The claims about one recipe and another: what the repetitions say of the difference, and of the tier order."""

    claim: str
    difference: str
    tier: str


def describe_counts(check: ClaimCheck) -> str:
    """Say how many pairs differ significantly, in the comparison and in its repetitions."""
    here, *others = check.differences
    spread = f"{min(others)} to {max(others)}" if min(others) < max(others) else f"{others[0]} in each"
    mean = f"{format_significant(fmean(others), 3)} on average in the repetitions ({spread})"
    if len(others) == 1:
        mean = f"{others[0]} in the repetition"
    return f"Pairs of recipes that differ significantly: {here} of {check.pairs} in the comparison, {mean}."


def make_agreement_rows(check: ClaimCheck) -> list[tuple[str, ...]]:
    """Return a row of `make_agreement_headers` for each kind of claim that is made at all."""
    return [
        (
            WORDS[each.kind][1],
            *(format_percent(share or 0.0) for share in (each.held, each.tied, each.turned)),
            f"{each.contradicted} of {format_count(each.claimed, 'pair')}",
        )
        for each in check.agreement
        if each.claims
    ]


def make_agreement_headers(check: ClaimCheck) -> tuple[str, ...]:
    """Return the headers of the table of how well the comparison and its repetitions agree, each with each."""
    return f"claimed by one of {len(check.differences)}", "held in another", "tied", "turned", "claimed both ways"


def make_claim_rows(claims: Sequence[Claim]) -> list[ClaimRow]:
    """Return one row for each recipe and another about which there are claims, in the order of ``claims``."""
    groups: dict[tuple[str, str, bool], dict[str, Claim]] = {}
    for claim in claims:
        groups.setdefault((claim.recipe, claim.other, claim.kind == "equivalence"), {})[claim.kind] = claim
    return [
        ClaimRow(
            f"{recipe} {'equivalent to' if equivalent else 'above'} {other}",
            _format_outcomes(group.get("equivalence" if equivalent else "difference")),
            _format_outcomes(group.get("tier")),
        )
        for (recipe, other, equivalent), group in groups.items()
    ]


def _format_outcomes(claim: Claim | None) -> str:
    if claim is None:
        return MISSING
    if claim.made:
        counts = {outcome: claim.count(outcome) for outcome in OUTCOMES}
        return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    opposite = f", opposite in {claim.count('turned')}" if claim.count("turned") else ""
    return f"in {claim.count('held')} of {len(claim.outcomes)}{opposite}"


def make_markdown(check: ClaimCheck, name: str, folders: Iterable[str]) -> str:
    """Return ``claims.md``.

    Args:
        check: what the repetitions say.
        name: name of the comparison.
        folders: the folder of each repetition, inside that of the comparison.
    """
    seeds = format_list([str(seed) for seed in check.seeds])
    where = format_list([f"`{folder}`" for folder in folders])
    lines = [
        f"# {escape_markdown(name)}: do its claims hold in another search?",
        f"**{escape_markdown(check.headline)}**",
        escape_markdown(describe_counts(check)),
    ]
    if rows := make_agreement_rows(check):
        lines.append(_make_table(make_agreement_headers(check), rows))
    lines.append(escape_markdown(READING) + f" Only `search.seed` differs: {seeds}, in {where}.")
    for headers, claims in ((HEADERS, check.claims), (NEW_HEADERS, check.new)):
        if claims:
            lines.append(_make_table(headers, [astuple(row) for row in make_claim_rows(claims)]))
    return "\n\n".join(lines) + "\n"


def _make_table(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    first, *rest = [f"| {' | '.join(map(escape_markdown, cells))} |" for cells in (headers, *rows)]
    return "\n".join([first, f"|{' :--- |' * len(headers)}", *rest])
