"""The tables of ``regzoo check-claims`` on a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Callable

from regzoo.cli.tables.claims import MOST_NEW, make_claim_tables
from regzoo.comparison.claims import Agreement, Claim, ClaimCheck

LONG = "dropout(0.1..0.5, on=dense) + weight_decay(1e-06..0.01)"


def test_the_answer_comes_first_and_the_worst_claim_next(draw: Callable[..., str]) -> None:
    claims = (
        Claim("difference", LONG, "[red]none[/red]", True, ("turned", "held")),
        Claim("difference", "l2", "none", True, ("held", "held")),
    )
    new = tuple(Claim("tier", f"l{number}", "none", False, ("held", "tied")) for number in range(MOST_NEW + 3))
    agreement = (Agreement("difference", 6, 0.5, 0.25, 0.25, 3, 1),)
    lines = draw(make_claim_tables(ClaimCheck((1, 2), claims, new, 3, (2, 2, 1), agreement)), 80).splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert text.startswith("Of 2 claims (2 differences), 1 held in both repetitions, none tied, 1 turned in some.")
    assert "[red]none[/red]" in text.replace(" ", "")
    assert text.index("1 held, 1 turned") < text.index("l2 above none 2 held") < text.index("not claimed by")
    assert "l9 above none – in 1 of 2 and 3 more, see claims.md" in text  # noqa: RUF001
    assert "differences 50 % 25 % 25 % 1 of 3 pairs" in text


def test_without_claims_there_is_no_table(draw: Callable[..., str]) -> None:
    text = draw(make_claim_tables(ClaimCheck((1,), (), (), 3, (0, 0), ())), 80)
    assert text.startswith("The comparison makes no claim; its repetition makes none.\n")
    assert "tier order" not in text
    assert "turned" not in text
