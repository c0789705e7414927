"""Claims in words: counts, agreement and rows, as the terminal and ``claims.md`` show them."""

from __future__ import annotations

from regzoo.comparison.claims import Agreement, Claim, ClaimCheck
from regzoo.report.findings.claims import (
    ClaimRow,
    describe_counts,
    make_agreement_headers,
    make_agreement_rows,
    make_claim_rows,
    make_markdown,
)

CLAIMS = (
    Claim("difference", "dropout", "l2", True, ("turned", "held", "tied")),
    Claim("tier", "dropout", "l2", True, ("held", "held", "tied")),
    Claim("tier", "l2", "none", True, ("held", "held", "missing")),
    Claim("equivalence", "l2", "none", True, ("held", "held", "held")),
)
NEW = (Claim("difference", "a_b|*c*", "none", False, ("held", "turned", "held")),)
AGREEMENT = (
    Agreement("difference", 12, 0.9, 0.05, 0.05, 34, 7),
    Agreement("tier", 3, 1.0, 0.0, 0.0, 1, 0),
    Agreement("equivalence", 0, None, None, None, 0, 0),
)
CHECK = ClaimCheck((1, 2, 3), CLAIMS, NEW, 36, (22, 20, 22, 23), AGREEMENT)


def test_one_row_holds_the_difference_and_the_tier_order_of_two_recipes() -> None:
    assert make_claim_rows(CHECK.claims) == [
        ClaimRow("dropout above l2", "1 held, 1 tied, 1 turned", "2 held, 1 tied"),
        ClaimRow("l2 above none", "–", "2 held, 1 missing"),  # noqa: RUF001 - the dash of a missing value
        ClaimRow("l2 equivalent to none", "3 held", "–"),  # noqa: RUF001
    ]
    assert make_claim_rows(CHECK.new) == [ClaimRow("a_b|*c* above none", "in 2 of 3, opposite in 1", "–")]  # noqa: RUF001


def test_counts_and_agreement() -> None:
    start = "Pairs of recipes that differ significantly: "
    assert describe_counts(CHECK) == (
        f"{start}22 of 36 in the comparison, 21.7 on average in the repetitions (20 to 23)."
    )
    one = ClaimCheck((1,), CLAIMS[:0], NEW[:0], 3, (2, 1), ())
    assert describe_counts(one) == f"{start}2 of 3 in the comparison, 1 in the repetition."
    assert make_agreement_headers(CHECK)[0] == "claimed by one of 4"
    assert make_agreement_rows(CHECK) == [
        ("differences", "90 %", "5 %", "5 %", "7 of 34 pairs"),
        ("tier orders", "100 %", "0 %", "0 %", "0 of 1 pair"),
    ]


def test_markdown_escapes_the_names_and_says_where_the_repetitions_are() -> None:
    text = make_markdown(CHECK, "my_data", ["claims/seed_1", "claims/seed_2", "claims/seed_3"])
    assert text.startswith("# my\\_data: do its claims hold in another search?\n\n**Of 4 claims")
    assert "| dropout above l2 | 1 held, 1 tied, 1 turned | 2 held, 1 tied |\n" in text
    assert "| a\\_b\\|\\*c\\* above none | in 2 of 3, opposite in 1 |" in text
    assert "1, 2 and 3, in `claims/seed_1`, `claims/seed_2` and `claims/seed_3`." in text
    nothing = ClaimCheck((1,), (), (), 1, (0, 0), ())
    assert ":---" not in make_markdown(nothing, "a", ["claims/seed_1"])
